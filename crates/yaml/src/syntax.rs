//! The parser's complaints in libyaml's words, which GitLab shows.

use granit_parser::{ErrorKind, ScanError};

use crate::error::YamlError;
use crate::limits::too_big;
use crate::quoted_lines::PaddedLines;

/// Psych names the text it reads so.
pub(crate) const SOURCE: &str = "(<unknown>)";

/// libyaml's words for a tab, `@`, `%` … where nothing can start with it.
pub(crate) const CANNOT_START: &str =
    "found character that cannot start any token while scanning for the next token";

/// The error for what the parser refused.
pub(crate) fn syntax_error(error: &ScanError, padded: &PaddedLines) -> YamlError {
    let position = padded.position(error.marker());
    match words(error.kind()) {
        Some(words) => YamlError::at(position, format!("{SOURCE}: {words}")),
        None if *error.kind() == ErrorKind::RecursionLimitExceeded => too_big(position),
        None => YamlError::at(position, format!("{SOURCE}: {}", turned(&error.info()))),
    }
}

/// The parser says `while doing x, y happened`; libyaml `y happened while doing x`.
fn turned(text: &str) -> String {
    match text.split_once(", ") {
        Some((context, problem)) if context.starts_with("while ") => {
            format!("{problem} {context}")
        }
        _ => text.to_owned(),
    }
}

/// libyaml's words for what the parser names differently.
fn words(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "mapping values are not allowed in this context"
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::InvalidIndentation
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "did not find expected key while parsing a block mapping"
        }
        ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::UnexpectedEofBlockSequence => {
            "did not find expected '-' indicator while parsing a block collection"
        }
        ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnclosedFlowCollection { open: '[' }
        | ErrorKind::MismatchedFlowCollectionEnd { open: '[', .. } => {
            "did not find expected ',' or ']' while parsing a flow sequence"
        }
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::UnclosedFlowCollection { open: '{' }
        | ErrorKind::MismatchedFlowCollectionEnd { open: '{', .. } => {
            "did not find expected ',' or '}' while parsing a flow mapping"
        }
        ErrorKind::ExpectedNodeContent | ErrorKind::MisplacedFlowCollectionEnd => {
            "did not find expected node content while parsing a block node"
        }
        ErrorKind::UnclosedQuotedScalar => {
            "found unexpected end of stream while scanning a quoted scalar"
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            "could not find expected ':' while scanning a simple key"
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::UnexpectedCharacter { .. } => CANNOT_START,
        ErrorKind::TabInIndentation | ErrorKind::TabInPlainScalar => {
            "found a tab character that violates indentation while scanning a plain scalar"
        }
        ErrorKind::TabAtBlockScalarStart => {
            "found a tab character where an indentation space is expected \
             while scanning a block scalar"
        }
        ErrorKind::InvalidQuotedScalarHexEscape => {
            "did not find expected hexdecimal number while parsing a quoted scalar"
        }
        ErrorKind::UndeclaredTagHandle => "found undefined tag handle while parsing a node",
        _ => return None,
    })
}
