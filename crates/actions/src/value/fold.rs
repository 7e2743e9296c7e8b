//! Text compared without regard to case, as .NET's `OrdinalIgnoreCase` does:
//! letter by letter, so `ß` is not `ss`, and `ı` is not `I`.

use std::borrow::Cow;
use std::cmp::Ordering;

fn upper(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_uppercase();
    }
    let mut letters = letter.to_uppercase();
    match (letters.next(), letters.next()) {
        (Some(one), None) if letter != 'ı' => one,
        _ => letter,
    }
}

/// The text with each letter in upper case.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Cow::Owned(text.to_ascii_uppercase());
        }
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(upper).collect())
}

/// Whether two texts are the same but for case.
pub(crate) fn equal_ignoring_case(left: &str, right: &str) -> bool {
    if left.is_ascii() || right.is_ascii() {
        if left.len() == right.len() && left.eq_ignore_ascii_case(right) {
            return true;
        }
        if left.is_ascii() && right.is_ascii() {
            return false;
        }
    }
    left.chars().map(upper).eq(right.chars().map(upper))
}

/// The order of two texts by their UTF-16 units in upper case.
pub(crate) fn compare_ignoring_case(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        let left = left.bytes().map(|byte| byte.to_ascii_uppercase());
        return left.cmp(right.bytes().map(|byte| byte.to_ascii_uppercase()));
    }
    folded(left)
        .encode_utf16()
        .cmp(folded(right).encode_utf16())
}
