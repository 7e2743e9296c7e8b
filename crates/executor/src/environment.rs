//! The variables of an attempt: what the script finds in its environment and
//! in files. Values never become part of script text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tappet_model::runner_protocol::PayloadVariable;

use crate::expand::expand;

/// The kernel's limit for one `NAME=value`, less the terminating NUL.
const MAX_PAIR_BYTES: usize = 128 * 1024 - 1;

/// Names that only the runner sets; a job's own values for them are ignored.
pub const RUNNER_OWNED: &[&str] = &[
    "CI_BUILDS_DIR",
    "CI_CONCURRENT_ID",
    "CI_CONCURRENT_PROJECT_ID",
    "CI_DISPOSABLE_ENVIRONMENT",
    "CI_JOB_STATUS",
    "CI_PROJECT_DIR",
    "CI_RUNNER_EXECUTABLE_ARCH",
    "CI_RUNNER_REVISION",
    "CI_RUNNER_VERSION",
    "CI_SERVER",
    "CI_SHARED_ENVIRONMENT",
    "RUNNER_TEMP_PROJECT_DIR",
];

/// Options that bash would take over at its start, before the first line of the script.
const REFUSED: &[&str] = &["SHELLOPTS", "BASHOPTS"];

#[derive(Debug)]
struct Value {
    text: String,
    file: bool,
    raw: bool,
}

/// All variables of an attempt, the last of each name, unexpanded.
#[derive(Debug)]
pub struct Variables {
    order: Vec<String>,
    values: HashMap<String, Value>,
    files_dir: PathBuf,
    notes: Vec<String>,
}

impl Variables {
    /// Takes the job's variables in rising precedence and then `owned` ones on top.
    /// File variables will live in `files_dir`.
    pub fn new(
        given: &[PayloadVariable],
        owned: Vec<(&'static str, String)>,
        files_dir: &Path,
    ) -> Self {
        let mut variables = Self {
            order: Vec::with_capacity(given.len() + owned.len()),
            values: HashMap::with_capacity(given.len() + owned.len()),
            files_dir: files_dir.to_owned(),
            notes: Vec::new(),
        };
        for variable in given {
            let key = variable.key.as_str();
            if !is_name(key) {
                variables
                    .notes
                    .push(format!("variable {key:?} is ignored: not a valid name"));
            } else if RUNNER_OWNED.contains(&key) {
                variables
                    .notes
                    .push(format!("variable {key} is ignored: the runner sets it"));
            } else if REFUSED.contains(&key) {
                variables.notes.push(format!(
                    "variable {key} is ignored: it is read-only in bash"
                ));
            } else {
                let value = Value {
                    text: variable.value.replace('\0', ""),
                    file: variable.file,
                    raw: variable.raw,
                };
                variables.set(key, value);
            }
        }
        for (key, text) in owned {
            variables.set(
                key,
                Value {
                    text,
                    file: false,
                    raw: true,
                },
            );
        }
        variables
    }

    fn set(&mut self, key: &str, value: Value) {
        if self.values.insert(key.to_owned(), value).is_none() {
            self.order.push(key.to_owned());
        }
    }

    /// Changes a variable of the runner, such as `CI_JOB_STATUS`.
    pub fn set_owned(&mut self, key: &'static str, text: &str) {
        self.set(
            key,
            Value {
                text: text.to_owned(),
                file: false,
                raw: true,
            },
        );
    }

    /// What was left out and why, for the log.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The value with references replaced; empty if unset. For a file variable, its path.
    pub fn get(&self, key: &str) -> Cow<'_, str> {
        match self.values.get(key) {
            Some(value) if value.file => Cow::Owned(self.file_path(key)),
            Some(value) => self.expanded(value),
            None => Cow::Borrowed(""),
        }
    }

    /// Replaces `$NAME` in a text of the job, such as an artifact path.
    pub fn expand<'a>(&self, text: &'a str) -> Cow<'a, str> {
        expand(text, |name| self.get(name))
    }

    /// A setting such as `GIT_CHECKOUT`: true unless it is one of the words for no.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        match self.get(key).trim() {
            "" => default,
            word => !matches!(word, "0" | "f" | "F" | "false" | "False" | "FALSE"),
        }
    }

    fn file_path(&self, key: &str) -> String {
        self.files_dir.join(key).to_string_lossy().into_owned()
    }

    /// One pass: references inside the referenced values stay as they are.
    fn expanded<'v>(&'v self, value: &'v Value) -> Cow<'v, str> {
        if value.raw {
            return Cow::Borrowed(&value.text);
        }
        expand(&value.text, |name| match self.values.get(name) {
            Some(other) if other.file => Cow::Owned(self.file_path(name)),
            Some(other) => Cow::Borrowed(other.text.as_str()),
            None => Cow::Borrowed(""),
        })
    }

    /// Path and content of each file variable.
    pub fn files(&self) -> impl Iterator<Item = (PathBuf, Cow<'_, str>)> {
        self.order.iter().filter_map(|key| {
            let value = &self.values[key];
            value
                .file
                .then(|| (self.files_dir.join(key), self.expanded(value)))
        })
    }

    /// The environment of the script: `base`, then the variables. Also the names of those
    /// that are too long for the kernel.
    pub fn environment(
        &self,
        base: &[(OsString, OsString)],
    ) -> (Vec<(OsString, OsString)>, Vec<&str>) {
        let mut pairs = Vec::with_capacity(base.len() + self.order.len());
        let mut too_long = Vec::new();
        for (key, value) in base {
            if key
                .to_str()
                .is_none_or(|key| !self.values.contains_key(key))
            {
                pairs.push((key.clone(), value.clone()));
            }
        }
        for key in &self.order {
            let value = self.get(key);
            if key.len() + value.len() + 1 > MAX_PAIR_BYTES {
                too_long.push(key.as_str());
            } else {
                pairs.push((OsString::from(key), OsString::from(value.into_owned())));
            }
        }
        (pairs, too_long)
    }
}

fn is_name(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn variable(key: &str, value: &str) -> PayloadVariable {
        PayloadVariable {
            key: key.into(),
            value: value.into(),
            public: true,
            masked: false,
            file: false,
            raw: false,
        }
    }

    fn lookup(variables: &[PayloadVariable], key: &str) -> Option<String> {
        let variables = Variables::new(
            variables,
            vec![("CI_SERVER", "yes".into())],
            Path::new("/t"),
        );
        let (pairs, _) = variables.environment(&[("HOME".into(), "/h".into())]);
        pairs
            .into_iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.into_string().unwrap())
    }

    #[test]
    fn the_last_of_a_name_wins() {
        assert_eq!(
            lookup(&[variable("A", "1"), variable("A", "2")], "A").unwrap(),
            "2"
        );
    }

    #[test]
    fn references_are_replaced_in_one_pass() {
        let given = [
            variable("A", "$B/x"),
            variable("B", "$C/y"),
            variable("C", "z"),
        ];
        assert_eq!(lookup(&given, "A").unwrap(), "$C/y/x");
    }

    #[test]
    fn a_raw_value_stays_as_it_is() {
        let raw = PayloadVariable {
            raw: true,
            ..variable("A", "$B")
        };
        assert_eq!(lookup(&[raw, variable("B", "b")], "A").unwrap(), "$B");
    }

    #[test]
    fn a_job_cannot_take_the_names_of_the_runner() {
        assert_eq!(
            lookup(&[variable("CI_SERVER", "no")], "CI_SERVER").unwrap(),
            "yes"
        );
    }

    #[test]
    fn the_base_is_replaced_by_a_variable_of_the_same_name() {
        assert_eq!(
            lookup(&[variable("HOME", "/mine")], "HOME").unwrap(),
            "/mine"
        );
        assert_eq!(lookup(&[], "HOME").unwrap(), "/h");
    }

    #[rstest]
    #[case("A=B")]
    #[case("")]
    #[case("1A")]
    #[case("BASH_FUNC_x%%")]
    #[case("SHELLOPTS")]
    fn a_bad_name_is_left_out_and_noted(#[case] key: &str) {
        let variables = Variables::new(&[variable(key, "v")], vec![], Path::new("/t"));
        assert!(variables.environment(&[]).0.is_empty());
        assert_eq!(variables.notes().len(), 1);
    }

    #[test]
    fn a_file_variable_is_a_path_for_all_who_refer_to_it() {
        let file = PayloadVariable {
            file: true,
            ..variable("KEY", "content")
        };
        let given = [file, variable("ARG", "--key=$KEY")];
        assert_eq!(lookup(&given, "KEY").unwrap(), "/t/KEY");
        assert_eq!(lookup(&given, "ARG").unwrap(), "--key=/t/KEY");
    }

    #[test]
    fn a_value_longer_than_the_kernel_takes_is_reported() {
        let variables = Variables::new(
            &[variable("BIG", &"x".repeat(200_000))],
            vec![],
            Path::new("/t"),
        );
        let (pairs, too_long) = variables.environment(&[]);
        assert!(pairs.is_empty());
        assert_eq!(too_long, ["BIG"]);
    }
}
