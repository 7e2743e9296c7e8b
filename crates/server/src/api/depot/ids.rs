//! Ids as Depot's API writes them: a letter that tells the kind, and the number.

use std::fmt::Display;

/// What an id is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `r7`.
    Run,
    /// `w9`.
    Workflow,
    /// `j12`: the job whose first attempt has this number.
    Job,
    /// `a15`.
    Attempt,
    /// `f3`: a file that an attempt left.
    Artifact,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Kind::Run => 'r',
            Kind::Workflow => 'w',
            Kind::Job => 'j',
            Kind::Attempt => 'a',
            Kind::Artifact => 'f',
        }
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Workflow => "workflow",
            Kind::Job => "job",
            Kind::Attempt => "attempt",
            Kind::Artifact => "artifact",
        }
    }

    /// An id of this kind.
    pub fn write(self, number: impl Display) -> String {
        format!("{}{number}", self.letter())
    }

    /// The number of an id of this kind; `None` for any other text.
    pub fn read(self, text: &str) -> Option<i64> {
        let digits = text.strip_prefix(self.letter())?;
        let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| digits.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Kind::Run, "r7", Some(7))]
    #[case(Kind::Job, "j12", Some(12))]
    #[case(Kind::Job, "a12", None)]
    #[case(Kind::Attempt, "a15", Some(15))]
    #[case(Kind::Run, "7", None)]
    #[case(Kind::Run, "r", None)]
    #[case(Kind::Run, "r-7", None)]
    #[case(Kind::Run, "r99999999999999999999", None)]
    fn the_letter_tells_the_kind(
        #[case] kind: Kind,
        #[case] text: &str,
        #[case] expected: Option<i64>,
    ) {
        assert_eq!(kind.read(text), expected);
        if let Some(number) = expected {
            assert_eq!(kind.write(number), text);
        }
    }
}
