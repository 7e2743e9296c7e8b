//! A condition's text → tokens.

use std::sync::LazyLock;

use regex::Regex;

use super::{ExpressionError, Operator, Term, pattern};

/// GitLab's lexer gives up when its hundredth token is read.
const MAX_TOKENS: usize = 99;

/// GitLab's own token pattern (`lexeme/pattern.rb`). It needs two characters
/// between the slashes, so `/a/` is no token.
static REGEX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^/([^/]|\\/)+[^\\]/[ismU]*").expect("the pattern is a constant that compiles")
});

#[derive(Debug)]
pub(super) enum Token {
    Open,
    Close,
    Value(Term),
    Operator(Operator),
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', '\x0b', '\x0c']);
        if rest.is_empty() {
            return Ok(tokens);
        }
        let (token, length) = next(rest, text)?;
        if tokens.len() == MAX_TOKENS {
            return Err(ExpressionError::TooManyTokens);
        }
        tokens.push(token);
        rest = &rest[length..];
    }
}

/// The token a text starts with and its length in bytes.
fn next(rest: &str, text: &str) -> Result<(Token, usize), ExpressionError> {
    let unknown = || ExpressionError::UnknownLexeme(characters_before(rest, text));
    let operator = |operator| Ok((Token::Operator(operator), 2));
    let bytes = rest.as_bytes();
    match (bytes[0], bytes.get(1)) {
        (b'(', _) => Ok((Token::Open, 1)),
        (b')', _) => Ok((Token::Close, 1)),
        (b'$', _) => {
            let name = word(&rest[1..]);
            if name.is_empty() {
                return Err(unknown());
            }
            let value = Term::Variable(name.to_owned());
            Ok((Token::Value(value), name.len() + 1))
        }
        (quote @ (b'"' | b'\''), _) => {
            let body = rest[1..].split(['\n', char::from(quote)]).next();
            let body = body.unwrap_or_default();
            if bytes.get(body.len() + 1) != Some(&quote) {
                return Err(unknown());
            }
            let value = Term::Text(body.to_owned());
            Ok((Token::Value(value), body.len() + 2))
        }
        (b'/', _) => {
            let found = REGEX.find(rest).ok_or_else(unknown)?;
            let literal = found.as_str().replace("\\/", "/");
            let regex = pattern::delimited(&literal)
                .and_then(|(body, flags)| pattern::compile(body, flags))
                .ok_or(ExpressionError::InvalidRegex)?;
            Ok((Token::Value(Term::Regex(Box::new(regex))), found.len()))
        }
        (b'=', Some(b'=')) => operator(Operator::Equals),
        (b'=', Some(b'~')) => operator(Operator::Matches),
        (b'!', Some(b'=')) => operator(Operator::NotEquals),
        (b'!', Some(b'~')) => operator(Operator::NotMatches),
        (b'&', Some(b'&')) => operator(Operator::And),
        (b'|', Some(b'|')) => operator(Operator::Or),
        _ if rest.starts_with("null") => Ok((Token::Value(Term::Null), 4)),
        _ => match word(rest) {
            "true" => Ok((Token::Value(Term::Bool(true)), 4)),
            "false" => Ok((Token::Value(Term::Bool(false)), 5)),
            _ => Err(unknown()),
        },
    }
}

fn word(text: &str) -> &str {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'));
    &text[..end.unwrap_or(text.len())]
}

fn characters_before(rest: &str, text: &str) -> usize {
    text[..text.len() - rest.len()].chars().count() + 1
}
