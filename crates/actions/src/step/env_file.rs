//! The files behind `GITHUB_ENV`, `GITHUB_OUTPUT` and `GITHUB_STATE`: names
//! with values of one line or, between delimiters, of several.
//!
//! GitHub runner: `FileCommandManager.EnvFileKeyValuePairs`.

/// A line that is no part of such a file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EnvFileError {
    /// Neither `NAME=value` nor `NAME<<DELIMITER`.
    #[error("Invalid format '{0}'")]
    Format(String),
    /// `<<` without a name before it or a delimiter behind it.
    #[error("Invalid format '{0}'. Name must not be empty and delimiter must not be empty")]
    Empty(String),
    /// The file ends before the delimiter.
    #[error("Invalid value. Matching delimiter not found '{0}'")]
    Unterminated(String),
    /// The last line of the file belongs to the value and has no end.
    #[error("Invalid value. EOF marker missing new line.")]
    NoNewLine,
}

/// What a file says, in its order.
///
/// # Errors
/// The first line that is wrong; GitHub applies what stands before it, and so
/// must the caller: hence the pairs beside the error.
pub fn parse(text: &str) -> (Vec<(String, String)>, Result<(), EnvFileError>) {
    let mut pairs = Vec::new();
    let mut lines = Lines(text);
    while let Some(line) = lines.next() {
        match entry(line.text, &mut lines) {
            Ok(None) => {}
            Ok(Some(pair)) => pairs.push(pair),
            Err(error) => return (pairs, Err(error)),
        }
    }
    (pairs, Ok(()))
}

fn entry(line: &str, rest: &mut Lines<'_>) -> Result<Option<(String, String)>, EnvFileError> {
    if line.is_empty() {
        return Ok(None);
    }
    let equals = line.find('=');
    match line.find("<<") {
        Some(heredoc) if equals.is_none_or(|equals| heredoc < equals) => {
            let (name, delimiter) = (&line[..heredoc], &line[heredoc + 2..]);
            if name.is_empty() || delimiter.is_empty() {
                return Err(EnvFileError::Empty(line.to_owned()));
            }
            Ok(Some((name.to_owned(), value(delimiter, rest)?)))
        }
        _ => match equals {
            Some(equals) => Ok(Some((
                line[..equals].to_owned(),
                line[equals + 1..].to_owned(),
            ))),
            None => Err(EnvFileError::Format(line.to_owned())),
        },
    }
}

/// The lines up to the delimiter, without the end of the last of them.
fn value(delimiter: &str, rest: &mut Lines<'_>) -> Result<String, EnvFileError> {
    let whole = rest.0;
    let mut length = 0;
    loop {
        let before = rest.0.len();
        let Some(line) = rest.next() else {
            return Err(EnvFileError::Unterminated(delimiter.to_owned()));
        };
        if line.text == delimiter {
            return Ok(whole[..length].to_owned());
        }
        if line.end == 0 {
            return Err(EnvFileError::NoNewLine);
        }
        length = whole.len() - before + line.text.len();
    }
}

/// What is not read yet.
struct Lines<'a>(&'a str);

struct Line<'a> {
    text: &'a str,
    /// Bytes of its end: `\n`, `\r\n` or none.
    end: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest, end) = match self.0.split_once('\n') {
            Some((line, rest)) => (line, rest, 1),
            None => (self.0, "", 0),
        };
        self.0 = rest;
        Some(match line.strip_suffix('\r') {
            Some(text) if end == 1 => Line { text, end: 2 },
            _ => Line { text: line, end },
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("", &[])]
    #[case::blank_lines("\n\nA=1\n\nB=2", &[("A", "1"), ("B", "2")])]
    #[case::further_equals("A=1=2=", &[("A", "1=2=")])]
    #[case::empty_value("A=\n", &[("A", "")])]
    #[case::no_name("=x", &[("", "x")])]
    #[case::spaces_stay(" A = 1 \n", &[(" A ", " 1 ")])]
    #[case::windows_lines("A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")])]
    #[case::equals_before_heredoc("A=x<<EOF", &[("A", "x<<EOF")])]
    #[case::heredoc("A<<EOF\none\ntwo\nEOF\n", &[("A", "one\ntwo")])]
    #[case::heredoc_without_last_end("A<<EOF\none\nEOF", &[("A", "one")])]
    #[case::empty_heredoc("A<<EOF\nEOF\nB=1", &[("A", ""), ("B", "1")])]
    #[case::blank_lines_inside("A<<EOF\n\none\n\nEOF\n", &[("A", "\none\n")])]
    #[case::only_a_blank_line("A<<EOF\n\nEOF\n", &[("A", "")])]
    #[case::delimiter_is_a_whole_line("A<<EOF\n EOF\nEOF \nEOF\n", &[("A", " EOF\nEOF ")])]
    #[case::delimiter_with_equals("A<<=EOF\nx\n=EOF\n", &[("A", "x")])]
    #[case::windows_heredoc("A<<EOF\r\none\r\ntwo\r\nEOF\r\n", &[("A", "one\r\ntwo")])]
    fn files_are_read(#[case] text: &str, #[case] expected: &[(&str, &str)]) {
        let (pairs, result) = parse(text);
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!((pairs.as_slice(), result), (expected, Ok(())));
    }

    #[rstest]
    #[case("A", "Invalid format 'A'")]
    #[case(
        "<<EOF\nx\nEOF",
        "Invalid format '<<EOF'. Name must not be empty and delimiter must not be empty"
    )]
    #[case(
        "A<<\nx\n",
        "Invalid format 'A<<'. Name must not be empty and delimiter must not be empty"
    )]
    #[case("A<<EOF\nx\n", "Invalid value. Matching delimiter not found 'EOF'")]
    #[case("A<<EOF\n", "Invalid value. Matching delimiter not found 'EOF'")]
    #[case("A<<EOF\nx", "Invalid value. EOF marker missing new line.")]
    fn what_is_wrong_is_said_in_githubs_words(#[case] text: &str, #[case] message: &str) {
        let (pairs, result) = parse(&format!("GOOD=1\n{text}"));
        assert_eq!(pairs, [("GOOD".to_owned(), "1".to_owned())]);
        assert_eq!(result.unwrap_err().to_string(), message);
    }
}
