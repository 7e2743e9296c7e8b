//! Ids of jobs and steps (GitHub runner: `IdBuilder`).

use std::collections::HashSet;

const MAX_LENGTH: usize = 100;

/// The ids of one scope; case does not matter.
#[derive(Default)]
pub(crate) struct Identifiers {
    taken: HashSet<String>,
}

impl Identifiers {
    /// Takes an id that the author wrote.
    ///
    /// # Errors
    ///
    /// GitHub's words for why it cannot be one.
    pub(crate) fn take(&mut self, id: &str) -> Result<(), String> {
        if !is_valid(id) {
            return Err(format!(
                "The identifier '{id}' is invalid. IDs may only contain alphanumeric characters, '_', and \
                 '-'. IDs must start with a letter or '_' and and must be less than {MAX_LENGTH} characters."
            ));
        }
        if id.starts_with("__") {
            return Err(format!(
                "The identifier '{id}' is invalid. IDs starting with '__' are reserved."
            ));
        }
        if !self.taken.insert(id.to_ascii_lowercase()) {
            return Err(format!(
                "The identifier '{id}' may not be used more than once within the same scope."
            ));
        }
        Ok(())
    }

    /// Makes an id of a text: `__run`, and `__run_2` when that one is taken.
    pub(crate) fn make(&mut self, text: &str) -> String {
        let base: String = text
            .chars()
            .map(|c| if is_inner(c) { c } else { '_' })
            .take(MAX_LENGTH)
            .collect();
        let mut number = 1;
        loop {
            let candidate = if number == 1 {
                base.clone()
            } else {
                let suffix = format!("_{number}");
                let kept = base.len().min(MAX_LENGTH - suffix.len());
                format!("{}{suffix}", &base[..kept])
            };
            if self.taken.insert(candidate.to_ascii_lowercase()) {
                return candidate;
            }
            number += 1;
        }
    }
}

fn is_valid(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && id.chars().all(is_inner)
        && id.len() < MAX_LENGTH
}

fn is_inner(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("build", true)]
    #[case("_build-1", true)]
    #[case("1build", false)]
    #[case("-build", false)]
    #[case("", false)]
    #[case("a.b", false)]
    #[case("__mine", false)]
    #[case("é", false)]
    fn ids_are_letters_digits_and_dashes(#[case] id: &str, #[case] is_valid: bool) {
        assert_eq!(Identifiers::default().take(id).is_ok(), is_valid);
    }

    #[test]
    fn ninety_nine_characters_are_the_most() {
        assert!(Identifiers::default().take(&"a".repeat(99)).is_ok());
        assert!(Identifiers::default().take(&"a".repeat(100)).is_err());
    }

    #[test]
    fn ids_differ_in_more_than_case() {
        let mut ids = Identifiers::default();
        assert_eq!(ids.take("Build"), Ok(()));
        assert_eq!(
            ids.take("build"),
            Err(
                "The identifier 'build' may not be used more than once within the same scope."
                    .to_owned()
            )
        );
    }

    #[test]
    fn made_ids_are_numbered_from_the_second() {
        let mut ids = Identifiers::default();
        assert_eq!(ids.make("__run"), "__run");
        assert_eq!(ids.make("__actions/checkout"), "__actions_checkout");
        assert_eq!(ids.make("__run"), "__run_2");
        assert_eq!(ids.make("__run"), "__run_3");
    }

    #[test]
    fn made_ids_have_at_most_a_hundred_characters() {
        let mut ids = Identifiers::default();
        let long = format!("__{}", "x".repeat(200));
        assert_eq!(ids.make(&long).len(), 100);
        let second = ids.make(&long);
        assert_eq!((second.len(), &second[98..]), (100, "_2"));
    }
}
