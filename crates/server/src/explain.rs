//! Why a run or a job stands where it stands: in a word for programs and a
//! sentence for people that ends in what to do next. Decided from records alone.

mod job;
mod run;

pub use job::{Surroundings, job};
pub use run::run;

/// A reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// One word that stays the same: `no_runner`, `waits_for_jobs` …
    pub code: &'static str,
    /// A sentence.
    pub text: String,
}

impl Reason {
    fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

/// Names in a sentence: `a`, `b` and 3 more.
fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 5;
    let all: Vec<&str> = names.into_iter().collect();
    let quoted: Vec<String> = all
        .iter()
        .take(MOST)
        .map(|name| format!("`{name}`"))
        .collect();
    match (quoted.as_slice(), all.len()) {
        (_, count) if count > MOST => format!("{} and {} more", quoted.join(", "), count - MOST),
        ([but_last @ .., last], _) if !but_last.is_empty() => {
            format!("{} and {last}", but_last.join(", "))
        }
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["a"], "`a`")]
    #[case(&["a", "b"], "`a` and `b`")]
    #[case(&["a", "b", "c"], "`a`, `b` and `c`")]
    #[case(&["a", "b", "c", "d", "e", "f", "g"], "`a`, `b`, `c`, `d`, `e` and 2 more")]
    fn many_names_are_counted(#[case] given: &[&str], #[case] expected: &str) {
        assert_eq!(names(given.iter().copied()), expected);
    }
}
