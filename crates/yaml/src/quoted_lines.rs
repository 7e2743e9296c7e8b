//! Under-indented lines of quoted scalars, which libyaml allows and the parser
//! refuses.
//!
//! ```yaml
//! script:
//!   - "one
//!   two"
//! ```
//!
//! Blanks at the start of such a line are no part of the value, so the line is
//! indented and the text read again. Positions are counted back.

use std::collections::HashSet;

use granit_parser::{ErrorKind, Marker, ScanError};
use tappet_model::Position;

/// Deeper than real files indent.
const PADDING: &str = "                                                                ";

/// How much text may be read again in all.
const MAX_REREAD_BYTES: usize = 8 * 1024 * 1024;

/// The lines of a text that were indented.
#[derive(Default)]
pub(crate) struct PaddedLines {
    lines: HashSet<usize>,
    reread_bytes: usize,
}

impl PaddedLines {
    /// Indents the line the error is about. None if the error is another one,
    /// if indenting did not help, or if there are too many such lines.
    pub(crate) fn pad(&mut self, text: &str, error: &ScanError) -> Option<String> {
        if !matches!(
            error.kind(),
            ErrorKind::InvalidQuotedScalarIndent | ErrorKind::TabInIndentation
        ) {
            return None;
        }
        let line = error.marker().line();
        self.reread_bytes += text.len();
        if self.reread_bytes > MAX_REREAD_BYTES || !self.lines.insert(line) {
            return None;
        }
        let start = line_start(text, line)?;
        Some([&text[..start], PADDING, &text[start..]].concat())
    }

    /// The position in the text as it was written.
    pub(crate) fn position(&self, marker: &Marker) -> Position {
        let column = if self.lines.contains(&marker.line()) {
            marker.col().saturating_sub(PADDING.len())
        } else {
            marker.col()
        };
        Position {
            line: marker.line(),
            column: column + 1,
        }
    }
}

/// Where a line (from 1) starts; lines end as in YAML, with `\n`, `\r\n` or `\r`.
fn line_start(text: &str, line: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let breaks = bytes.iter().enumerate().filter(|&(at, &byte)| {
        byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
    });
    match line.checked_sub(2) {
        Some(nth) => breaks.map(|(at, _)| at + 1).nth(nth),
        None => Some(0),
    }
}
