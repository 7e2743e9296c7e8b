//! A log as HTML: escaped text, colours, foldable sections, and nothing else
//! that a terminal could be told to do.
//!
//! `ui/log.js` and `ui/terminal.js` do the same in the browser for what comes
//! later; both sides cut at line ends, so a page goes on where the server
//! stopped.

pub mod palette;
mod scan;
mod style;

use std::fmt::Write as _;
use std::time::Duration;

use scan::Token;
use style::Style;

use crate::durations::duration_text;
use crate::logs::section_marker::Section;
use crate::logs::stamp;

/// Sections inside sections beyond this are shown flat.
const MAX_DEPTH: usize = 8;

/// A piece of log, rendered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogView {
    /// Balanced HTML.
    pub html: String,
    /// Bytes of the input that are in it: all, or up to the last line end.
    pub consumed: usize,
    /// SGR parameters in force behind it.
    pub style: String,
    /// Number of the next line, when lines are numbered.
    pub next_line: Option<u64>,
}

/// Renders whole lines; with `is_complete` also a last line without its end.
/// `first_line` numbers the lines, `None` where earlier ones are not known.
/// Bytes that are no UTF-8 become U+FFFD.
pub fn render(bytes: &[u8], first_line: Option<u64>, is_complete: bool) -> LogView {
    let line_ends = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let consumed = if is_complete { bytes.len() } else { line_ends };
    let mut writer = Writer::new(first_line, consumed);
    for line in bytes[..consumed].split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (_, line) = stamp::split(line);
        writer.line(&String::from_utf8_lossy(line));
    }
    writer.finish(consumed)
}

struct OpenSection {
    name: String,
    started: i64,
    /// Behind `<details`.
    tag_at: usize,
    /// Before `</summary>`.
    summary_end_at: usize,
}

struct Header {
    name: String,
    time: i64,
    collapsed: bool,
}

/// One line as it stands: styled pieces of escaped HTML.
#[derive(Default)]
struct Pieces {
    html: String,
    style: Option<Style>,
}

impl Pieces {
    fn push(&mut self, style: Style, write: impl FnOnce(&mut String)) {
        if self.style != Some(style) {
            self.close();
            if !style.is_plain() {
                self.html.push_str("<span");
                style.write_attributes(&mut self.html);
                self.html.push('>');
            }
            self.style = Some(style);
        }
        write(&mut self.html);
    }

    fn close(&mut self) {
        if self.style.take().is_some_and(|style| !style.is_plain()) {
            self.html.push_str("</span>");
        }
    }

    fn take(&mut self) -> String {
        self.close();
        std::mem::take(&mut self.html)
    }

    fn clear(&mut self) {
        self.html.clear();
        self.style = None;
    }

    fn is_empty(&self) -> bool {
        self.html.is_empty()
    }
}

struct Writer {
    html: String,
    pieces: Pieces,
    style: Style,
    number: Option<u64>,
    open: Vec<OpenSection>,
    /// A section whose title is the rest of the line.
    header: Option<Header>,
    /// Put in at the end, by position: it is known only later.
    late: Vec<(usize, String)>,
}

impl Writer {
    fn new(number: Option<u64>, input_bytes: usize) -> Self {
        Self {
            html: String::with_capacity(input_bytes + input_bytes / 2),
            pieces: Pieces::default(),
            style: Style::default(),
            number,
            open: Vec::new(),
            header: None,
            late: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let mut overwrites = false;
        let mut had_marker = false;
        for token in scan::tokens(line) {
            if overwrites && matches!(token, Token::Text(_) | Token::Direction(_)) {
                self.pieces.clear();
                overwrites = false;
            }
            match token {
                Token::Text(text) => self.pieces.push(self.style, |html| escape(text, html)),
                Token::Direction(character) => self.pieces.push(self.style, |html| {
                    let code = u32::from(character);
                    let _ = write!(html, "<i>U+{code:04X}</i>");
                }),
                Token::Style(parameters) => self.style.apply(parameters),
                Token::Return => overwrites = true,
                Token::Erase { whole } => {
                    if whole || overwrites {
                        self.pieces.clear();
                    }
                }
                Token::SectionStart(section) => {
                    had_marker = true;
                    self.end_unfinished();
                    self.header = Some(Header {
                        name: section.name.to_owned(),
                        time: section.time,
                        collapsed: section.collapsed,
                    });
                }
                Token::SectionEnd(section) => {
                    had_marker = true;
                    self.end_unfinished();
                    self.end_section(section);
                }
            }
        }
        match self.header.take() {
            Some(header) => self.begin_section(header),
            None if had_marker && self.pieces.is_empty() => {}
            None => self.end_line(),
        }
    }

    /// A marker in the middle of a line ends what stands before it.
    fn end_unfinished(&mut self) {
        match self.header.take() {
            Some(header) => self.begin_section(header),
            None if self.pieces.is_empty() => {}
            None => self.end_line(),
        }
    }

    fn end_line(&mut self) {
        self.html.push_str("<div");
        self.number_line();
        self.html.push('>');
        self.html.push_str(&self.pieces.take());
        self.html.push_str("</div>");
    }

    fn number_line(&mut self) {
        if let Some(number) = &mut self.number {
            let _ = write!(self.html, " id=\"L{number}\" data-n=\"{number}\"");
            *number += 1;
        }
    }

    fn begin_section(&mut self, header: Header) {
        if self.open.len() >= MAX_DEPTH {
            return self.end_line();
        }
        self.html.push_str("<details");
        let tag_at = self.html.len();
        let _ = write!(
            self.html,
            " data-section=\"{}\" data-time=\"{}\"{}><summary",
            header.name,
            header.time,
            if header.collapsed { "" } else { " open" }
        );
        self.number_line();
        self.html.push('>');
        let title = self.pieces.take();
        self.html.push_str(if title.is_empty() {
            &header.name
        } else {
            &title
        });
        let summary_end_at = self.html.len();
        self.html.push_str("</summary>");
        self.open.push(OpenSection {
            name: header.name,
            started: header.time,
            tag_at,
            summary_end_at,
        });
    }

    /// Ends the section of this name and those inside it; an end without a
    /// beginning means nothing.
    fn end_section(&mut self, end: Section<'_>) {
        let Some(at) = self.open.iter().rposition(|open| open.name == end.name) else {
            return;
        };
        for closed in self.open.drain(at..) {
            self.html.push_str("</details>");
            if closed.name == end.name {
                let seconds = u64::try_from(end.time.saturating_sub(closed.started)).unwrap_or(0);
                let took = duration_text(Duration::from_secs(seconds));
                self.late
                    .push((closed.summary_end_at, format!("<b>{took}</b>")));
            }
        }
    }

    fn finish(mut self, consumed: usize) -> LogView {
        for open in self.open.drain(..) {
            self.html.push_str("</details>");
            self.late.push((open.tag_at, " data-open".to_owned()));
        }
        LogView {
            html: with_late(self.html, self.late),
            consumed,
            style: self.style.parameters(),
            next_line: self.number,
        }
    }
}

/// Inserts pieces at their positions, in one pass.
fn with_late(html: String, mut late: Vec<(usize, String)>) -> String {
    if late.is_empty() {
        return html;
    }
    late.sort_by_key(|(at, _)| *at);
    let added: usize = late.iter().map(|(_, piece)| piece.len()).sum();
    let mut out = String::with_capacity(html.len() + added);
    let mut done = 0;
    for (at, piece) in late {
        out.push_str(&html[done..at]);
        out.push_str(&piece);
        done = at;
    }
    out.push_str(&html[done..]);
    out
}

fn escape(text: &str, html: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        html.push_str(&rest[..at]);
        html.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &rest[at + 1..];
    }
    html.push_str(rest);
}

#[cfg(test)]
mod tests;
