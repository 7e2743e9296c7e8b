//! An id that tells its kind by its first letter (the form of Depot's API).

use std::str::FromStr;

use tappet_model::{AttemptId, RunId};

/// A run, a job or an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnyId {
    /// `r7`.
    Run(RunId),
    /// `j12`: the newest attempt of the job that this attempt belongs to.
    Job(AttemptId),
    /// `a15`.
    Attempt(AttemptId),
}

impl FromStr for AnyId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (letter, digits) = text.split_at_checked(1).ok_or(())?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        let number = digits.parse().map_err(|_| ())?;
        match letter {
            "r" => Ok(Self::Run(RunId(number))),
            "j" => Ok(Self::Job(AttemptId(number))),
            "a" => Ok(Self::Attempt(AttemptId(number))),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("r7", Ok(AnyId::Run(RunId(7))))]
    #[case("j12", Ok(AnyId::Job(AttemptId(12))))]
    #[case("a15", Ok(AnyId::Attempt(AttemptId(15))))]
    #[case("7", Err(()))]
    #[case("r", Err(()))]
    #[case("r-7", Err(()))]
    #[case("é7", Err(()))]
    #[case("r99999999999999999999", Err(()))]
    fn the_letter_tells_the_kind(#[case] text: &str, #[case] expected: Result<AnyId, ()>) {
        assert_eq!(text.parse(), expected);
    }
}
