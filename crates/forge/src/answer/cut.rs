//! Texts that have to fit.

/// `text` with at most `max_chars` characters; what was cut ends with `…`.
pub(super) fn cut(text: &str, max_chars: usize) -> String {
    if text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::cut;
    use rstest::rstest;

    #[rstest]
    #[case("abc", 3, "abc")]
    #[case("abcd", 3, "ab…")]
    #[case("äöüß", 3, "äö…")]
    #[case("🦀🦀🦀", 2, "🦀…")]
    #[case("", 0, "")]
    fn fits(#[case] text: &str, #[case] max: usize, #[case] expected: &str) {
        assert_eq!(cut(text, max), expected);
    }
}
