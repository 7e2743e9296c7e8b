//! Text from repositories, logs and people inside Markdown: it is shown as it is and
//! does nothing. It pings nobody, links to nothing, and ends no list, table or fence.

use crate::diagnosis::evidence::plain;

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 120;
/// The longest line of a log that is shown, in characters.
const LONGEST_LINE: usize = 400;

/// A name, as code, in which no forge looks for mentions, links or commands.
pub fn name(text: &str) -> String {
    let text = one_line(text, LONGEST_NAME);
    if text.is_empty() {
        return "(no name)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A backtick at the end would be taken for a part of the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    // Cells of tables end at a bar, even in code.
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// A sentence of our own that may quote names from elsewhere: its code stays code,
/// the rest is taken literally.
pub fn sentence(text: &str) -> String {
    let text = one_line(text, LONGEST_LINE);
    let pieces = text.split('`').collect::<Vec<_>>();
    // Without a partner for each backtick nothing is code.
    if pieces.len().is_multiple_of(2) {
        return literal(&text);
    }
    let written = pieces.iter().enumerate().map(|(at, piece)| match at % 2 {
        0 => literal(piece),
        _ => name(piece),
    });
    written.collect()
}

/// Text with nothing in it that Markdown knows. After an `@` or `#` stands a
/// character without width, so that nobody and nothing is referred to.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '@' | '#' | '!' => {
                literal.push(character);
                literal.push('\u{200b}');
            }
            '<' => literal.push_str("&lt;"),
            '&' => literal.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => {
                literal.push('\\');
                literal.push(character);
            }
            character => literal.push(character),
        }
    }
    literal
}

/// A link whose text is a name.
pub fn link(text: &str, url: &str) -> String {
    format!("[{}]({url})", name(text))
}

/// Lines of a log between fences that none of them can close. A line that begins
/// with a slash is moved by one column: GitLab would take it for a command.
pub fn fence<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: Vec<String> = lines
        .into_iter()
        .map(|line| cut(&visible(&plain_line(line)), LONGEST_LINE))
        .map(|line| match line.trim_start().starts_with('/') {
            true => format!(" {line}"),
            false => line,
        })
        .collect();
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let mut text = format!("{fence}text\n");
    for line in &lines {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&fence);
    text
}

/// Without colours; what stands before the text says where it belongs.
fn plain_line(line: &str) -> String {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    format!("{indent}{}", plain(line))
}

/// On one line, without what cannot be seen, not longer than that.
fn one_line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    cut(&visible(&words.join(" ")), most)
}

/// Without control characters, and without those that turn the order of others round.
fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(|c| !is_hidden(*c)).collect()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How many backticks stand in one row at most.
fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("unit", "`unit`")]
    #[case("a`b", "``a`b``")]
    #[case("`a`", "`` `a` ``")]
    #[case("a | b", "`a \\| b`")]
    #[case("a\n\n# b", "`a # b`")]
    #[case("", "(no name)")]
    #[case("\u{202e}evil\u{7}", "`evil`")]
    #[case("@everybody <img src=x>", "`@everybody <img src=x>`")]
    fn names_are_code(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(name(text), expected);
    }

    #[rstest]
    #[case("`a` failed.", "`a` failed.")]
    #[case(
        "ping @ada about #7 ![x](y)",
        "ping @\u{200b}ada about #\u{200b}7 !\u{200b}\\[x\\](y)"
    )]
    #[case("one ` alone", "one \\` alone")]
    #[case("<script>&", "&lt;script>&amp;")]
    fn sentences_keep_their_code_and_do_nothing(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(sentence(text), expected);
    }

    #[test]
    fn no_line_of_a_log_leaves_its_fence() {
        let log = [
            "\u{1b}[31merror\u{1b}[0m: no",
            "```",
            "````html",
            "  /close",
            "/merge",
            "    indented",
        ];
        assert_eq!(
            fence(log),
            "`````text\nerror: no\n```\n````html\n   /close\n /merge\n    indented\n`````"
        );
    }

    #[test]
    fn endless_lines_are_cut() {
        let line = "x".repeat(100_000);
        assert!(fence([line.as_str()]).len() < 1_000);
        assert!(name(&line).len() < 200);
    }
}
