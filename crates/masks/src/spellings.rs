//! The ways one secret is likely to be printed: as it is, line by line, in
//! base64, percent-encoded, inside a JSON string.
//!
//! Other disguises (reversed, hexadecimal) are not looked for.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Shorter values black out ordinary words: encoded forms of them are never
/// looked for.
pub const SHORTEST: usize = 8;
/// Longer values are masked as they are and line by line only, because each
/// further spelling costs 40 bytes of memory per byte.
const LONGEST_ENCODED_BYTES: usize = 64 * 1024;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Everything but RFC 3986's unreserved characters, as `encodeURIComponent`
/// and `jq @uri` do.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// What Python's `quote` does by default.
const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');

/// Every byte string to look for, without duplicates. Secrets, and lines of
/// them, with fewer than `shortest` characters are not looked for.
#[must_use]
pub fn of_all(secrets: &[String], shortest: usize) -> Vec<Vec<u8>> {
    let mut spellings: Vec<Vec<u8>> = secrets
        .iter()
        .flat_map(|secret| of(secret, shortest.max(1)))
        .collect();
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

fn of(secret: &str, shortest: usize) -> Vec<Vec<u8>> {
    if is_shorter(secret, shortest) {
        return Vec::new();
    }
    let mut spellings = vec![secret.as_bytes().to_vec()];
    // A terminal turns \n into \r\n and a runner puts a time before each line,
    // so the lines of a key are also looked for one by one.
    spellings.extend(
        secret
            .lines()
            .map(str::trim)
            .filter(|line| !is_shorter(line, shortest))
            .map(|line| line.as_bytes().to_vec()),
    );
    if secret.len() <= LONGEST_ENCODED_BYTES && !is_shorter(secret, SHORTEST) {
        spellings.push(json_string(secret).into_bytes());
        spellings.push(unpadded_base64(secret.as_bytes()));
        spellings.extend((0..3).map(|shift| base64_inside(secret.as_bytes(), shift)));
        spellings.extend(percent_encoded(secret).map(String::into_bytes));
    }
    spellings
}

fn is_shorter(text: &str, shortest: usize) -> bool {
    text.chars().nth(shortest - 1).is_none()
}

/// As it stands between the quotes of a JSON string.
fn json_string(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Without `=`, so that a padded value is found as well.
fn unpadded_base64(bytes: &[u8]) -> Vec<u8> {
    let sextets = (bytes.len() * 8).div_ceil(6);
    base64_characters(bytes, 0..sextets)
}

/// The characters that the secret alone decides when it stands `shift` bytes
/// (modulo 3) into a longer encoded text, such as `user:secret`.
fn base64_inside(secret: &[u8], shift: usize) -> Vec<u8> {
    let text = [&[0; 2][..shift], secret].concat();
    let first = (shift * 8).div_ceil(6);
    base64_characters(&text, first..text.len() * 8 / 6)
}

fn base64_characters(bytes: &[u8], sextets: std::ops::Range<usize>) -> Vec<u8> {
    let byte = |index: usize| u16::from(bytes.get(index).copied().unwrap_or(0));
    sextets
        .map(|sextet| {
            let bit = sextet * 6;
            let pair = (byte(bit / 8) << 8) | byte(bit / 8 + 1);
            BASE64[usize::from((pair >> (10 - bit % 8)) & 63)]
        })
        .collect()
}

fn percent_encoded(secret: &str) -> impl Iterator<Item = String> {
    let strict = utf8_percent_encode(secret, RESERVED).to_string();
    let lower = lower_escapes(&strict);
    let form = strict.replace("%20", "+");
    let slashes_kept = utf8_percent_encode(secret, RESERVED_BUT_SLASH).to_string();
    [strict, lower, form, slashes_kept].into_iter()
}

/// `%2F` as `%2f`: both are in use.
fn lower_escapes(encoded: &str) -> String {
    let mut in_escape = 0;
    encoded
        .chars()
        .map(|character| {
            if character == '%' {
                in_escape = 2;
                character
            } else if in_escape > 0 {
                in_escape -= 1;
                character.to_ascii_lowercase()
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn texts(secret: &str) -> Vec<String> {
        of_all(&[secret.to_owned()], SHORTEST)
            .into_iter()
            .map(|spelling| String::from_utf8(spelling).unwrap())
            .collect()
    }

    #[rstest]
    #[case::as_it_is("hunter22", "hunter22")]
    #[case::base64("hunter22", "aHVudGVyMjI")]
    #[case::base64_of_user_and_secret("hunter22", "odW50ZXIyM")] // in "xy:hunter22"
    #[case::base64_with_both_odd_characters("~~~???>>> value", "fn5+Pz8/Pj4+IHZhbHVl")]
    #[case::percent("pass word/1", "pass%20word%2F1")]
    #[case::percent_in_lower_case("pass word/1", "pass%20word%2f1")]
    #[case::form("pass word/1", "pass+word%2F1")]
    #[case::slashes_kept("pass word/1", "pass%20word/1")]
    #[case::json("pass\"word\n1", r#"pass\"word\n1"#)]
    #[case::utf_8("müllabfuhr", "m%C3%BCllabfuhr")]
    #[case::a_line_of_several("short\r\n  a longer line \n", "a longer line")]
    fn a_secret_is_looked_for(#[case] secret: &str, #[case] spelling: &str) {
        assert!(
            texts(secret).iter().any(|text| text == spelling),
            "{:?}",
            texts(secret)
        );
    }

    #[rstest]
    #[case("")]
    #[case("1234567")]
    #[case("äöüäöüä")]
    fn values_of_up_to_seven_characters_are_ignored(#[case] secret: &str) {
        assert_eq!(texts(secret), Vec::<String>::new());
    }

    #[test]
    fn a_short_value_is_looked_for_as_it_is_where_that_is_wanted() {
        assert_eq!(of_all(&["abc".to_owned()], 1), [b"abc".to_vec()]);
        assert_eq!(of_all(&[String::new()], 0), [] as [Vec<u8>; 0]);
    }

    #[test]
    fn short_lines_of_a_long_secret_are_not_masked_alone() {
        assert!(!texts("{\n\"key\": 1\n}\n1234567\n").contains(&"1234567".to_owned()));
    }

    #[test]
    fn no_spelling_is_short_enough_to_black_out_words() {
        for text in texts("12345678") {
            assert!(text.len() >= 8, "{text}");
        }
    }

    #[test]
    fn a_huge_secret_has_no_encoded_spellings() {
        assert_eq!(texts(&"x".repeat(1024 * 1024)).len(), 1);
    }
}
