//! Words in a commit message that ask for no run.

/// Whose words count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// Of pipeline files (GitLab: `pipeline/chain/skip.rb`).
    Gitlab,
    /// Of workflows (GitHub: "Skipping workflow runs").
    Github,
}

const GITLAB: [&str; 6] = [
    "[ci skip]",
    "[ci-skip]",
    "[ci_skip]",
    "[skip ci]",
    "[skip-ci]",
    "[skip_ci]",
];

const GITHUB: [&str; 5] = [
    "[skip ci]",
    "[ci skip]",
    "[no ci]",
    "[skip actions]",
    "[actions skip]",
];

/// Whether a message asks for no run, in any case.
pub(super) fn asks_to_skip(message: &str, dialect: Dialect) -> bool {
    let message = message.to_ascii_lowercase();
    let holds = |word: &&str| message.contains(*word);
    match dialect {
        Dialect::Gitlab => GITLAB.iter().any(holds),
        Dialect::Github => GITHUB.iter().any(holds) || has_trailer(&message),
    }
}

/// Whether a message asks for no run of its pull request (Datafold: skip word).
pub(super) fn asks_to_skip_datafold(message: &str) -> bool {
    message.to_ascii_lowercase().contains("datafold-skip-ci")
}

/// `skip-checks: true` among the last lines, behind an empty one.
fn has_trailer(message: &str) -> bool {
    let Some((_, last)) = message.trim_end().rsplit_once("\n\n") else {
        return false;
    };
    last.lines().any(|line| {
        let value = line.trim().strip_prefix("skip-checks:");
        value.is_some_and(|value| value.trim() == "true")
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Fix it", false, false)]
    #[case("Fix it [ci skip]", true, true)]
    #[case("[SKIP CI] Fix it", true, true)]
    #[case("Fix it\n\nBecause. [Skip Ci]", true, true)]
    #[case("Fix it [ci-skip]", true, false)]
    #[case("Fix it [skip_ci]", true, false)]
    #[case("Fix it [no ci]", false, true)]
    #[case("Fix it [skip actions]", false, true)]
    #[case("Fix it [actions skip]", false, true)]
    #[case("Fix it\n\nskip-checks: true", false, true)]
    #[case("Fix it\n\n\nskip-checks:true\n", false, true)]
    #[case("Fix it\n\nSigned-off-by: Ada\nskip-checks: true", false, true)]
    #[case("Fix it\n\nskip-checks: false", false, false)]
    #[case("skip-checks: true", false, false)]
    #[case("Fix it\n\nskip-checks: true\n\nmore", false, false)]
    #[case("Fix it, skip ci", false, false)]
    #[case("Fix it datafold-skip-ci", false, false)]
    fn each_dialect_has_its_words(
        #[case] message: &str,
        #[case] gitlab: bool,
        #[case] github: bool,
    ) {
        assert_eq!(asks_to_skip(message, Dialect::Gitlab), gitlab);
        assert_eq!(asks_to_skip(message, Dialect::Github), github);
    }

    #[rstest]
    #[case("Fix it datafold-skip-ci", true)]
    #[case("Fix it\n\n[Datafold-Skip-CI]", true)]
    #[case("Fix it [skip ci]", false)]
    fn datafold_has_a_word_of_its_own(#[case] message: &str, #[case] expected: bool) {
        assert_eq!(asks_to_skip_datafold(message), expected);
    }
}
