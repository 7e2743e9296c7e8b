//! Cuts one line of a log into text and the few things a terminal does that
//! matter here. Every other escape sequence is swallowed.

use crate::logs::section_marker::{self, MARKER_END, Marker, Section};

/// A piece of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token<'a> {
    /// Printable text and tabs.
    Text(&'a str),
    /// Parameters of `ESC[…m`.
    Style(&'a str),
    /// `\r`: what follows overwrites the line.
    Return,
    /// `ESC[K`, or `ESC[2K`, which erases the whole line.
    Erase {
        /// Also what stands before the cursor.
        whole: bool,
    },
    /// A character that would change the order of its neighbours, shown as its
    /// code.
    Direction(char),
    /// `section_start:TIME:NAME[options]`.
    SectionStart(Section<'a>),
    /// `section_end:TIME:NAME`.
    SectionEnd(Section<'a>),
}

/// The tokens of a line without its `\n`.
pub fn tokens(line: &str) -> Tokens<'_> {
    Tokens {
        rest: line,
        held: None,
    }
}

/// See [`tokens`].
pub struct Tokens<'a> {
    rest: &'a str,
    /// Found together with the text before it.
    held: Option<Token<'a>>,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(held) = self.held.take() {
            return Some(held);
        }
        while !self.rest.is_empty() {
            let end = self.rest.find(is_special).unwrap_or(self.rest.len());
            if end > 0 {
                let (text, rest) = self.rest.split_at(end);
                if let Some((before, marker)) = section_marker::split(text, rest) {
                    let marker = match marker {
                        Marker::Start(section) => Token::SectionStart(section),
                        Marker::End(section) => Token::SectionEnd(section),
                    };
                    self.rest = &rest[MARKER_END.len()..];
                    if before.is_empty() {
                        return Some(marker);
                    }
                    self.held = Some(marker);
                    return Some(Token::Text(before));
                }
                self.rest = rest;
                return Some(Token::Text(text));
            }
            if let Some(token) = self.special() {
                return Some(token);
            }
        }
        None
    }
}

impl<'a> Tokens<'a> {
    /// Takes the special character at the front; `None` when it shows nothing.
    fn special(&mut self) -> Option<Token<'a>> {
        let mut characters = self.rest.chars();
        let first = characters.next()?;
        self.rest = characters.as_str();
        match first {
            '\r' => Some(Token::Return),
            '\u{1b}' => self.escape(),
            other if is_direction(other) => Some(Token::Direction(other)),
            _ => None,
        }
    }

    /// What comes after ESC.
    fn escape(&mut self) -> Option<Token<'a>> {
        let kind = *self.rest.as_bytes().first()?;
        match kind {
            b'[' => {
                self.rest = &self.rest[1..];
                self.control_sequence()
            }
            b']' | b'P' | b'X' | b'^' | b'_' => {
                self.rest = &self.rest[1..];
                self.skip_string();
                None
            }
            0x20..=0x2f => {
                self.skip_while(|byte| matches!(byte, 0x20..=0x2f));
                self.skip_one(|byte| matches!(byte, 0x30..=0x7e));
                None
            }
            0x30..=0x7e => {
                self.rest = &self.rest[1..];
                None
            }
            _ => None,
        }
    }

    fn control_sequence(&mut self) -> Option<Token<'a>> {
        let parameters = self.skip_while(|byte| matches!(byte, 0x30..=0x3f));
        let intermediate = self.skip_while(|byte| matches!(byte, 0x20..=0x2f));
        let last = self.skip_one(|byte| matches!(byte, 0x40..=0x7e))?;
        match last {
            b'm' if intermediate.is_empty() && is_plain(parameters) => {
                Some(Token::Style(parameters))
            }
            b'K' if parameters != "1" => Some(Token::Erase {
                whole: parameters == "2",
            }),
            _ => None,
        }
    }

    /// Title and link strings end with BEL or ESC `\`. One that does not end on
    /// its line is not taken for one.
    fn skip_string(&mut self) {
        let bell = self.rest.find('\u{7}').map(|at| at + 1);
        let terminator = self.rest.find("\u{1b}\\").map(|at| at + 2);
        let end = match (bell, terminator) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other).unwrap_or(0),
        };
        self.rest = &self.rest[end..];
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let end = self
            .rest
            .bytes()
            .position(|byte| !wanted(byte))
            .unwrap_or(self.rest.len());
        let (skipped, rest) = self.rest.split_at(end);
        self.rest = rest;
        skipped
    }

    fn skip_one(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let byte = self.rest.bytes().next().filter(|byte| wanted(*byte))?;
        self.rest = &self.rest[1..];
        Some(byte)
    }
}

fn is_plain(parameters: &str) -> bool {
    parameters
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'))
}

fn is_special(character: char) -> bool {
    (character.is_control() && character != '\t') || is_direction(character)
}

fn is_direction(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn text(line: &str) -> String {
        tokens(line)
            .map(|token| match token {
                Token::Text(text) => text.to_owned(),
                Token::Style(parameters) => format!("<{parameters}>"),
                Token::Return => "<cr>".to_owned(),
                Token::Erase { whole } => format!("<erase {whole}>"),
                Token::Direction(character) => format!("<U+{:04X}>", u32::from(character)),
                Token::SectionStart(section) => {
                    format!(
                        "<start {} {} {}>",
                        section.time, section.name, section.collapsed
                    )
                }
                Token::SectionEnd(section) => format!("<end {} {}>", section.time, section.name),
            })
            .collect()
    }

    #[rstest]
    #[case::plain("a\tb", "a\tb")]
    #[case::colour("\x1b[31mred\x1b[0m", "<31>red<0>")]
    #[case::private_mode("\x1b[?25lx\x1b[>4;2my", "xy")]
    #[case::cursor_moves("a\x1b[2Ab\x1b[10;10Hc\x1b[2Jd", "abcd")]
    #[case::title("\x1b]0;evil title\x07ok", "ok")]
    #[case::link("\x1b]8;;javascript:alert(1)\x1b\\click\x1b]8;;\x1b\\", "click")]
    #[case::unfinished_string("\x1b]0;text stays", "0;text stays")]
    #[case::device_string("\x1bPq#0\x1b\\ok", "ok")]
    #[case::charset("\x1b(Bok", "ok")]
    #[case::reset("\x1bcok", "ok")]
    #[case::lonely_escape("a\x1b", "a")]
    #[case::unfinished_sequence("a\x1b[31", "a")]
    #[case::sequence_cut_by_another("\x1b[3\x1b[1mx", "<1>x")]
    #[case::sequence_cut_by_text("\x1b[3é", "é")]
    #[case::controls("a\0b\x08c\x7fd\u{9b}31me", "abcd31me")]
    #[case::erasing("10%\r\x1b[K20%\x1b[2K", "10%<cr><erase false>20%<erase true>")]
    #[case::bidi("a\u{202e}b\u{2066}c\u{200f}", "a<U+202E>b<U+2066>c<U+200F>")]
    #[case::section(
        "section_start:17:build_script[collapsed=true]\r\x1b[0KTitle",
        "<start 17 build_script true>Title"
    )]
    #[case::two_sections_on_a_line(
        "section_end:18:a\r\x1b[0Ksection_start:19:b\r\x1b[0K\x1b[0KB",
        "<end 18 a><start 19 b false><erase false>B"
    )]
    #[case::marker_behind_text("xsection_end:18:a\r\x1b[0K", "x<end 18 a>")]
    #[case::no_marker_without_its_end("section_end:18:a", "section_end:18:a")]
    #[case::no_marker_with_bad_name(
        "section_end:18:a<b\r\x1b[0K",
        "section_end:18:a<b<cr><erase false>"
    )]
    fn a_line_becomes_tokens(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(text(line), expected);
    }
}
