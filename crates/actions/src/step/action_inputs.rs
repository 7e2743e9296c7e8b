//! What is given to an action by `with`.
//!
//! GitHub runner: `ActionRunner`; actions/toolkit: `core.getInput`,
//! `core.getBooleanInput`.

/// An input that an action knows, and what it is when it is not given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known<'a> {
    /// Its name; case does not matter.
    pub name: &'a str,
    /// Its value when it is not given.
    pub default: &'a str,
}

/// The inputs of an action, those not given with their defaults.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ActionInputs(Vec<(String, String)>);

impl ActionInputs {
    /// Takes what is given, and adds what is not.
    pub fn new<'g>(
        given: impl IntoIterator<Item = (&'g str, &'g str)>,
        known: &[Known<'_>],
    ) -> Self {
        let mut inputs = Self::default();
        for Known { name, default } in known {
            inputs.set(name, default);
        }
        for (name, value) in given {
            inputs.set(name, value);
        }
        inputs
    }

    fn set(&mut self, name: &str, value: &str) {
        let known = self.0.iter_mut();
        match known
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The value without blanks around it; empty when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.trim())
    }

    /// A truth value.
    ///
    /// # Errors
    /// It is neither, in the toolkit's words.
    pub fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" | "" => Ok(false),
            _ => Err(format!(
                "Input does not meet YAML 1.2 \"Core Schema\" specification: {name}\nSupport boolean input list: `true | True | TRUE | false | False | FALSE`"
            )),
        }
    }

    /// In the order of the action, then of the caller.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The warning for inputs that an action does not know; `None` when it knows all.
#[must_use]
pub fn unexpected<'a>(given: impl IntoIterator<Item = &'a str>, known: &[&str]) -> Option<String> {
    let unknown: Vec<&str> = given
        .into_iter()
        .filter(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)))
        .collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "Unexpected input(s) '{}', valid inputs are ['{}']",
            unknown.join("', '"),
            known.join("', '")
        )
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const KNOWN: &[Known<'static>] = &[
        Known {
            name: "path",
            default: ".",
        },
        Known {
            name: "clean",
            default: "true",
        },
    ];

    #[test]
    fn what_is_not_given_has_its_default() {
        let inputs = ActionInputs::new([("PATH", " sub "), ("extra", "1")], KNOWN);
        assert_eq!(inputs.get("path"), "sub");
        assert_eq!(inputs.get("clean"), "true");
        assert_eq!(inputs.get("extra"), "1");
        assert_eq!(inputs.get("missing"), "");
    }

    #[rstest]
    #[case("true", Some(true))]
    #[case("FALSE", Some(false))]
    #[case("", Some(false))]
    #[case("yes", None)]
    #[case("tRue", None)]
    fn truth_values_are_those_of_yaml(#[case] text: &str, #[case] flag: Option<bool>) {
        let inputs = ActionInputs::new([("clean", text)], KNOWN);
        assert_eq!(inputs.flag("clean").ok(), flag);
    }

    #[test]
    fn unknown_inputs_are_named_with_those_that_are_valid() {
        assert_eq!(unexpected(["Path", "clean"], &["path", "clean"]), None);
        assert_eq!(
            unexpected(["lfs", "x"], &["path", "clean"]).unwrap(),
            "Unexpected input(s) 'lfs', 'x', valid inputs are ['path', 'clean']"
        );
    }
}
