//! What names, values and conditions may look like (GitHub: "Naming your secrets", but for its reserved names).

use tappet_store::SettingKind;

use super::{Refusal, kind_word};

/// Of a name.
const NAME_LIMIT: usize = 255;
/// Of a value, in bytes.
const VALUE_LIMIT: usize = 64 * 1024;
/// Of descriptions, names of variants and values of conditions.
const TEXT_LIMIT: usize = 255;

/// Letters, digits and underscores, no digit first. GitHub keeps names that begin
/// with `GITHUB_` for itself; Depot does not, whose CLI sets a `GITHUB_TOKEN` and a
/// `GITHUB_REPO` in the examples of its help (2.102).
pub(super) fn check_name(kind: SettingKind, name: &str) -> Result<(), Refusal> {
    let word = kind_word(kind);
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let problem = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME_LIMIT {
        "it is longer than 255 characters"
    } else if !name.bytes().all(is_letter) || name.as_bytes()[0].is_ascii_digit() {
        "it may hold letters, digits and underscores, and must not begin with a digit"
    } else {
        return Ok(());
    };
    let name = shortened(name);
    Err(Refusal::Invalid(format!(
        "`{name}` cannot be the name of a {word}: {problem}; choose another name"
    )))
}

/// A secret that is empty hides nothing and is mostly a mistake.
pub(super) fn check_value(kind: SettingKind, name: &str, value: &str) -> Result<(), Refusal> {
    if kind == SettingKind::Secret && value.is_empty() {
        return Err(Refusal::Invalid(format!(
            "the value of the secret {name} is empty: send a value, or remove the secret"
        )));
    }
    if value.len() > VALUE_LIMIT {
        return Err(Refusal::Invalid(format!(
            "the value of {name} is {} bytes long, more than the limit of {VALUE_LIMIT}: keep it \
             in a file or a shorter form",
            value.len()
        )));
    }
    Ok(())
}

/// Names of variants and descriptions.
pub(super) fn check_text(what: &str, text: &str) -> Result<(), Refusal> {
    let problem = if text.chars().count() > TEXT_LIMIT {
        "is longer than 255 characters"
    } else if text.contains(|letter: char| letter.is_control()) {
        "holds control characters"
    } else {
        return Ok(());
    };
    Err(Refusal::Invalid(format!("the {what} {problem}")))
}

/// A branch or workflow file, or a pattern of them.
pub(super) fn check_pattern(key: &str, pattern: &str) -> Result<(), Refusal> {
    check_text(key, pattern)?;
    if pattern.contains(['[', ']', '!', '{', '}']) {
        return Err(Refusal::Invalid(format!(
            "the {key} pattern `{pattern}` uses letters that mean nothing here: patterns are made \
             with *, ** and ?"
        )));
    }
    Ok(())
}

/// For messages.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("A", true)]
    #[case("_a1", true)]
    #[case("GITHUB_TOKEN", true)]
    #[case("GITHUB_REPO", true)]
    #[case("", false)]
    #[case("1A", false)]
    #[case("A-B", false)]
    #[case("A/B", false)]
    #[case("Ä", false)]
    #[case(&"A".repeat(256), false)]
    fn names_are_those_that_expressions_can_say(#[case] name: &str, #[case] good: bool) {
        let checked = check_name(SettingKind::Secret, name);
        assert_eq!(checked.is_ok(), good);
        if let Err(refusal) = checked {
            assert!(refusal.to_string().contains("of a secret"), "{refusal}");
        }
    }

    #[rstest]
    #[case(SettingKind::Secret, 0, false)]
    #[case(SettingKind::Variable, 0, true)]
    #[case(SettingKind::Secret, 65_536, true)]
    #[case(SettingKind::Variable, 65_537, false)]
    fn values_have_a_limit(#[case] kind: SettingKind, #[case] bytes: usize, #[case] good: bool) {
        let checked = check_value(kind, "A", &"x".repeat(bytes));
        assert_eq!(checked.is_ok(), good);
    }

    #[rstest]
    #[case("release/*", true)]
    #[case("[ab]", false)]
    #[case("{a,b}", false)]
    #[case("!main", false)]
    #[case("a\nb", false)]
    fn patterns_that_would_never_fit_are_refused(#[case] pattern: &str, #[case] good: bool) {
        assert_eq!(check_pattern("branch", pattern).is_ok(), good);
    }
}
