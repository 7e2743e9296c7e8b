//! `::stop-commands::<token>`: from there on lines are only text, until
//! `::<token>::`.
//!
//! GitHub runner: `ActionCommandManager.ValidateStopToken`.

use super::command::CommandName;

/// Why a token is refused.
pub const REFUSED: &str = "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command. Choose a token that nothing else prints, such as a random one.";

/// Whether commands may be stopped until this token.
#[must_use]
pub fn is_allowed(token: &str) -> bool {
    !token.is_empty()
        && !token.eq_ignore_ascii_case("pause-logging")
        && CommandName::of(token).is_none()
}

/// A token this long is worth hiding: who sees it could end the stop.
#[must_use]
pub fn is_hidden(token: &str) -> bool {
    token.len() > 6
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", false)]
    #[case("pause-logging", false)]
    #[case("Add-Mask", false)]
    #[case("f00", true)]
    fn tokens_that_mean_something_else_are_refused(#[case] token: &str, #[case] allowed: bool) {
        assert_eq!(is_allowed(token), allowed);
    }
}
