//! What may reach a terminal. Names, texts and logs come from strangers: an
//! escape sequence in one of them could retitle a window or hide a line.

use std::borrow::Cow;

/// A name or a text on one line, with every control character spelled out.
pub fn printable(text: &str) -> String {
    let is_hidden = |c: char| c.is_control() || is_direction_mark(c);
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    let mut shown = String::new();
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that turn the direction of what follows.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line of a log as a terminal would show it in the end: colours stay, what was
/// overwritten and all other control sequences go. `None` for a line that only
/// marks a section.
pub fn log_line(line: &str) -> Option<Cow<'_, str>> {
    const ERASE: &str = "\r\x1b[0K";
    let line = line.trim_end_matches(['\n', '\r']);
    let is_marker = line.contains("section_start:") || line.contains("section_end:");
    let last = match line.rfind(ERASE) {
        Some(at) => &line[at + ERASE.len()..],
        None => line
            .rsplit('\r')
            .find(|part| !part.is_empty())
            .unwrap_or(""),
    };
    let shown = if last.contains(|c: char| c.is_control() && c != '\t') {
        Cow::Owned(only_colours(last))
    } else {
        Cow::Borrowed(last)
    };
    (!is_marker || !shown.is_empty()).then_some(shown)
}

fn only_colours(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\x1b' {
            let length = escape_length(rest.as_bytes());
            let (escape, after) = rest.split_at(length);
            if is_colour(escape) {
                shown.push_str(escape);
            }
            rest = after;
            continue;
        }
        if !c.is_control() || c == '\t' {
            shown.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    shown
}

/// `ESC [ numbers m`.
fn is_colour(escape: &str) -> bool {
    escape
        .strip_prefix("\x1b[")
        .and_then(|rest| rest.strip_suffix('m'))
        .is_some_and(|inner| {
            inner
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b';' | b':'))
        })
}

/// Bytes of the escape sequence at the beginning (ECMA-48: control sequences,
/// control strings up to BEL or ST, and two-byte escapes).
fn escape_length(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => bytes[2..]
            .iter()
            .position(|b| !matches!(b, 0x20..=0x3f))
            .map_or(bytes.len(), |at| match bytes[2 + at] {
                0x40..=0x7e => at + 3,
                _ => at + 2,
            }),
        Some(b']' | b'P' | b'_' | b'^' | b'X') => bytes
            .iter()
            .enumerate()
            .skip(2)
            .find_map(|(at, &b)| match b {
                0x07 => Some(at + 1),
                b'\\' if bytes[at - 1] == 0x1b => Some(at + 1),
                _ => None,
            })
            .unwrap_or(bytes.len()),
        Some(0x20..=0x7e) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("build", "build")]
    #[case("größe 🚀", "größe 🚀")]
    #[case("a\x1b]0;owned\x07b\nc", "a\\u{1b}]0;owned\\u{7}b\\nc")]
    #[case("evil\u{202e}txt.exe", "evil\\u{202e}txt.exe")]
    fn a_name_cannot_steer_the_terminal(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(printable(given), expected);
    }

    #[rstest]
    #[case("plain", Some("plain"))]
    #[case("", Some(""))]
    #[case("section_end:1:x\r\x1b[0K", None)]
    #[case("section_start:1:x\r\x1b[0KTitle", Some("Title"))]
    #[case("10%\r50%\r100%", Some("100%"))]
    #[case("windows\r\n", Some("windows"))]
    #[case("\x1b[32;1mok\x1b[0m\tdone", Some("\x1b[32;1mok\x1b[0m\tdone"))]
    #[case("\x1b[2J\x1b[1;1Hhome", Some("home"))]
    #[case("\x1b]0;title\x07text", Some("text"))]
    #[case("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", Some("link"))]
    #[case("\x1b]0;never closed", Some(""))]
    #[case("\x1bcreset", Some("reset"))]
    #[case("\x1b[3é", Some("é"))]
    #[case("\x1bé\x07", Some("é"))]
    #[case("cut \x1b", Some("cut "))]
    fn a_log_line_keeps_its_colours_only(#[case] given: &str, #[case] expected: Option<&str>) {
        assert_eq!(log_line(given).as_deref(), expected);
    }
}
