//! Variables that a job hands to later jobs: `KEY=value` lines
//! (GitLab: `app/services/ci/parse_dotenv_artifact_service.rb`).
//!
//! No quotes, no comments, no empty lines: what shells and libraries read as a
//! dotenv file is more than what GitLab takes.

use std::io::BufRead;

use crate::gzip::{self, UnpackError};

/// Bytes of the uploaded files must stay below this, packed and unpacked.
pub const SIZE_LIMIT: u64 = 5 * 1024;

/// Different variables of one upload, at most.
pub const VARIABLE_LIMIT: usize = 20;

/// Characters of a name, at most.
const KEY_LIMIT: usize = 255;

/// Why an upload is refused, in GitLab's words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DotenvError {
    /// Too many bytes.
    #[error("Dotenv Artifact Too Big. Maximum Allowable Size: {SIZE_LIMIT}")]
    TooBig,
    /// Too many variables.
    #[error("Dotenv files cannot have more than {VARIABLE_LIMIT} variables")]
    TooMany,
    /// A line without `=`, empty ones included, or no text at all.
    #[error("Invalid Format")]
    InvalidFormat,
    /// A name that no variable can have.
    #[error("Validation failed: {0}")]
    InvalidKey(String),
}

/// The variables of an upload as the runner packed it, in the order of the lines.
/// Of several with the same name the last counts.
///
/// # Errors
/// See [`DotenvError`].
pub fn parse(packed: &[u8]) -> Result<Vec<(String, String)>, DotenvError> {
    if packed.len() as u64 >= SIZE_LIMIT {
        return Err(DotenvError::TooBig);
    }
    let mut variables = Vec::new();
    let mut outcome = Ok(());
    gzip::each_file(packed, SIZE_LIMIT - 1, |file| {
        outcome = read(file, &mut variables);
        outcome.is_ok()
    })
    .map_err(|error| match error {
        UnpackError::TooLarge { .. } => DotenvError::TooBig,
        UnpackError::Damaged(_) => DotenvError::InvalidFormat,
    })?;
    outcome?;
    if variables.len() > VARIABLE_LIMIT {
        return Err(DotenvError::TooMany);
    }
    for (key, _) in &variables {
        check_key(key)?;
    }
    Ok(variables)
}

fn read(file: &mut dyn BufRead, variables: &mut Vec<(String, String)>) -> Result<(), DotenvError> {
    let mut bytes = Vec::new();
    // What went wrong while unpacking is told by the unpacking.
    let _ = file.read_to_end(&mut bytes);
    for line in decode(&bytes).split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let (key, value) = line.split_once('=').ok_or(DotenvError::InvalidFormat)?;
        let (key, value) = (strip(key), strip(value));
        if value.contains('\0') {
            // No process could be given it.
            return Err(DotenvError::InvalidFormat);
        }
        match variables.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value.to_owned(),
            None => variables.push((key.to_owned(), value.to_owned())),
        }
    }
    Ok(())
}

/// UTF-8, or UTF-16 as Windows PowerShell writes it; a byte order mark is left out.
fn decode(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// As Ruby strips: white space and NUL at both ends.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c == '\0' || c == '\x0b' || c.is_ascii_whitespace())
}

fn check_key(key: &str) -> Result<(), DotenvError> {
    let mut wrong = Vec::new();
    if key.is_empty() {
        wrong.push("Key can't be blank".to_owned());
    }
    if key.chars().count() > KEY_LIMIT {
        wrong.push(format!(
            "Key is too long (maximum is {KEY_LIMIT} characters)"
        ));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(is_word) {
        wrong.push("Key can contain only letters, digits and '_'.".to_owned());
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(DotenvError::InvalidKey(wrong.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use rstest::rstest;
    use std::io::Write;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut member = GzEncoder::new(Vec::new(), Compression::best());
        member.write_all(text).unwrap();
        member.finish().unwrap()
    }

    fn parsed(text: &[u8]) -> Result<Vec<(String, String)>, DotenvError> {
        parse(&packed(text))
    }

    #[rstest]
    #[case::simple(b"A=1\nB=2\n", &[("A", "1"), ("B", "2")])]
    #[case::without_last_line_end(b"A=1", &[("A", "1")])]
    #[case::only_the_first_equals_sign_counts(b"A=b=c", &[("A", "b=c")])]
    #[case::trimmed_also_of_carriage_returns(b" A = b c \r\n", &[("A", "b c")])]
    #[case::quotes_stay(b"A=\"x\"\nB='y'", &[("A", "\"x\""), ("B", "'y'")])]
    #[case::no_comment_tail(b"A=x # y", &[("A", "x # y")])]
    #[case::empty_value(b"A=", &[("A", "")])]
    #[case::last_wins(b"A=1\nB=2\nA=3", &[("A", "3"), ("B", "2")])]
    #[case::byte_order_mark(b"\xef\xbb\xbfA=1", &[("A", "1")])]
    #[case::powershell(b"\xff\xfeA\0=\0\xe4\0\r\0\n\0", &[("A", "\u{e4}")])]
    #[case::a_digit_may_come_first(b"1=x", &[("1", "x")])]
    #[case::nothing(b"", &[])]
    fn lines_are_variables(#[case] text: &[u8], #[case] expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(parsed(text), Ok(expected));
    }

    #[rstest]
    #[case::empty_line(b"A=1\n\nB=2\n", "Invalid Format")]
    #[case::comment(b"# the version\nA=1", "Invalid Format")]
    #[case::no_equals_sign(b"A", "Invalid Format")]
    #[case::nul(b"A=x\0y", "Invalid Format")]
    #[case::no_name(
        b"=x",
        "Validation failed: Key can't be blank, Key can contain only letters, digits and '_'."
    )]
    #[case::comment_with_sign(
        b"# a=b",
        "Validation failed: Key can contain only letters, digits and '_'."
    )]
    #[case::export(
        b"export A=b",
        "Validation failed: Key can contain only letters, digits and '_'."
    )]
    fn other_lines_refuse_the_whole_file(#[case] text: &[u8], #[case] error: &str) {
        assert_eq!(parsed(text).unwrap_err().to_string(), error);
    }

    #[test]
    fn twenty_variables_are_the_limit() {
        let lines = |count: usize| -> Vec<u8> {
            (0..count)
                .flat_map(|n| format!("A{n}=x\n").into_bytes())
                .collect()
        };
        assert_eq!(parsed(&lines(20)).unwrap().len(), 20);
        assert_eq!(
            parsed(&lines(21)).unwrap_err().to_string(),
            "Dotenv files cannot have more than 20 variables"
        );
    }

    #[test]
    fn five_kilobytes_are_too_much_however_well_they_pack() {
        let of_size = |size: usize| [b"A=", vec![b'x'; size - 2].as_slice()].concat();
        assert!(parsed(&of_size(5119)).is_ok());
        let refused = "Dotenv Artifact Too Big. Maximum Allowable Size: 5120";
        assert_eq!(parsed(&of_size(5120)).unwrap_err().to_string(), refused);
        assert_eq!(parse(&vec![0; 5120]).unwrap_err().to_string(), refused);
    }

    #[test]
    fn several_files_are_read_one_after_another() {
        let both = [packed(b"A=1"), packed(b"B=2\nA=3")].concat();
        let expected = vec![
            ("A".to_owned(), "3".to_owned()),
            ("B".to_owned(), "2".to_owned()),
        ];
        assert_eq!(parse(&both), Ok(expected));
    }

    #[test]
    fn what_is_not_packed_is_refused() {
        assert_eq!(parse(b"A=1"), Err(DotenvError::InvalidFormat));
    }

    #[test]
    fn a_long_name_is_refused() {
        let text = format!("{}=x", "A".repeat(256));
        assert_eq!(
            parsed(text.as_bytes()).unwrap_err().to_string(),
            "Validation failed: Key is too long (maximum is 255 characters)"
        );
    }
}
