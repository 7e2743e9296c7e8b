//! Titles that say that a pull request is a draft, where the forge has no field for it.

/// GitLab: `Draft:`, `[Draft]`, `(Draft)`, before 14.0 `WIP:`, `[WIP]`; Gitea: `WIP:`, `[WIP]`;
/// in any case of letters.
const PREFIXES: [&str; 5] = ["draft:", "[draft]", "(draft)", "wip:", "[wip]"];

/// The title says so.
pub(super) fn titled_draft(title: &str) -> bool {
    let title = title.trim_start();
    PREFIXES.iter().any(|prefix| {
        title
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::titled_draft;
    use rstest::rstest;

    #[rstest]
    #[case("Draft: tell the time", true)]
    #[case("draft:tell the time", true)]
    #[case("[Draft] tell the time", true)]
    #[case("(draft) tell the time", true)]
    #[case("WIP: tell the time", true)]
    #[case("[wip] tell the time", true)]
    #[case("Drafting a letter", false)]
    #[case("Tell the time (draft)", false)]
    #[case("wipe the table", false)]
    #[case("", false)]
    #[case("[Dräft]", false)]
    fn says_draft(#[case] title: &str, #[case] expected: bool) {
        assert_eq!(titled_draft(title), expected);
    }
}
