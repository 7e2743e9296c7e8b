//! `$NAME` and `${NAME}` in values, by the rules of Go's `os.Expand`, which
//! GitLab Runner uses (GitLab Runner: `common/spec/variables.go`).

use std::borrow::Cow;

/// Replaces references in `text` once; `lookup` answers with the empty text for unknown names.
/// `$$` becomes `$`, one-character shell parameters such as `$*` and `$1` become nothing, and
/// an unclosed `${` is dropped.
pub fn expand<'a, 'v>(text: &'a str, lookup: impl Fn(&str) -> Cow<'v, str>) -> Cow<'a, str> {
    if !text.contains('$') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'$' || at + 1 == bytes.len() {
            at += 1;
            continue;
        }
        out.push_str(&text[copied..at]);
        let (name, width) = name_at(&text[at + 1..]);
        match name {
            Some("$") => out.push('$'),
            Some(name) if name.len() == 1 && is_special(name.as_bytes()[0]) => {}
            Some(name) => out.push_str(&lookup(name)),
            None if width == 0 => out.push('$'),
            None => {}
        }
        at += 1 + width;
        copied = at;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The name that starts after a `$`, and how many bytes it takes.
fn name_at(rest: &str) -> (Option<&str>, usize) {
    let bytes = rest.as_bytes();
    if bytes[0] == b'{' {
        return match rest.find('}') {
            Some(1) => (None, 2),
            Some(end) => (Some(&rest[1..end]), end + 1),
            None => (None, 1),
        };
    }
    if is_special(bytes[0]) {
        return (Some(&rest[..1]), 1);
    }
    let width = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    (
        if width == 0 {
            None
        } else {
            Some(&rest[..width])
        },
        width,
    )
}

fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain", "plain")]
    #[case("$A ${A}x$A", "hello helloxhello")]
    #[case("$$A %%A%% $UNDEF ${UNDEF}x", "$A %%A%%  x")]
    #[case("a$", "a$")]
    #[case("a$ b", "a$ b")]
    #[case("$1$*$#$@$!$?-", "-")]
    #[case("${}x", "x")]
    #[case("${A", "A")]
    #[case("${$}", "$")]
    #[case("$(rm)`id`", "$(rm)`id`")]
    #[case("é$A é", "éhello é")]
    #[case("$B", "$A")]
    fn follows_go(#[case] text: &str, #[case] expected: &str) {
        let lookup = |name: &str| match name {
            "A" => Cow::Borrowed("hello"),
            "B" => Cow::Borrowed("$A"),
            _ => Cow::Borrowed(""),
        };
        assert_eq!(expand(text, lookup), expected);
    }
}
