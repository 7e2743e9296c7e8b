//! Which CI configs start a run for a pull request that a forge tells of. Pure.
//!
//! Gates are looked at in two steps: those of the event ask nothing of the
//! repository, those of the changes read it. Words of commit messages that ask for no
//! run are `intake`'s. Whether somebody has to approve a run is no gate: see
//! [`needs_approval`].

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use tappet_forge::webhook::Wish;
use tappet_model::PullRequest;
use tappet_store::CiConfigSettings;

/// Why there is no run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Closed {
    /// Texts, assignees, and so on.
    #[error("what happened asks for no run")]
    NothingNew,
    /// It is not ready.
    #[error("it is a draft, and runs once it is ready for review")]
    Draft,
    /// It goes elsewhere.
    #[error("only pull requests into `{0}` run")]
    OtherBase(String),
    /// It waits for a label.
    #[error("it lacks the label `{0}`")]
    NoLabel(String),
    /// Another event started it.
    #[error("its newest commit had a run already")]
    HadRun,
    /// Documentation, for example.
    #[error("it changes only files that are ignored")]
    OnlyIgnoredFiles,
}

/// What an event asks a CI config for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A run.
    Run,
    /// A run, unless the commit had one for the same base.
    RunIfNew,
}

/// The gates of the event.
///
/// # Errors
/// The first one that is closed.
pub fn of_event(
    config: &CiConfigSettings,
    wish: &Wish,
    pull_request: &PullRequest,
) -> Result<Asked, Closed> {
    let asked = match (wish, &config.label) {
        (Wish::Run, _) => Asked::Run,
        (Wish::RunIfNew, _) => Asked::RunIfNew,
        (Wish::RunIfLabelCounts(added), Some(label)) if added.contains(label) => Asked::RunIfNew,
        (Wish::RunIfLabelCounts(_) | Wish::Nothing, _) => return Err(Closed::NothingNew),
    };
    if pull_request.details.is_draft {
        return Err(Closed::Draft);
    }
    if let Some(base) = &config.base_branch
        && *base != pull_request.base_branch
    {
        return Err(Closed::OtherBase(base.clone()));
    }
    if let Some(label) = &config.label
        && !pull_request.details.labels.contains(label)
    {
        return Err(Closed::NoLabel(label.clone()));
    }
    Ok(asked)
}

/// The gates of what a pull request changes. Where that is not known, none is closed.
///
/// # Errors
/// The first one that is closed.
pub fn of_changes(config: &CiConfigSettings, changed: Option<&[String]>) -> Result<(), Closed> {
    match changed {
        Some(paths) if are_all_ignored(&config.ignored_files, paths) => {
            Err(Closed::OnlyIgnoredFiles)
        }
        _ => Ok(()),
    }
}

/// Whether a run waits for a member of the project. It does when the pull request
/// comes from a fork, whoever sent the event and whatever the payload says of its
/// author, since names in there are anybody's: `details.fork` follows from the ids
/// that the forge gives its repositories.
pub fn needs_approval(pull_request: &PullRequest) -> bool {
    pull_request.is_from_fork()
}

/// A pull request that changes nothing changes nothing that could be ignored.
fn are_all_ignored(patterns: &[String], paths: &[String]) -> bool {
    if patterns.is_empty() || paths.is_empty() {
        return false;
    }
    let ignored = ignored_files(patterns);
    let is_ignored = |path: &String| {
        let path = path.trim_start_matches('/');
        !path.is_empty() && ignored.matched_path_or_any_parents(path, false).is_ignore()
    };
    paths.iter().all(is_ignored)
}

/// Patterns that cannot be read were refused when they were set; if one is there
/// nevertheless, it ignores nothing.
fn ignored_files(patterns: &[String]) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    for pattern in patterns {
        if let Err(error) = builder.add_line(None, pattern) {
            tracing::warn!(%error, pattern, "a pattern of ignored files cannot be read");
        }
    }
    builder.build().unwrap_or_else(|error| {
        tracing::warn!(%error, "the patterns of ignored files cannot be used");
        Gitignore::empty()
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::PullRequestDetails;

    use super::*;

    fn pull_request(change: impl FnOnce(&mut PullRequest)) -> PullRequest {
        let mut pull_request = PullRequest {
            number: "6".into(),
            head_branch: "feature".into(),
            base_branch: "main".into(),
            ..PullRequest::default()
        };
        change(&mut pull_request);
        pull_request
    }

    fn config(change: impl FnOnce(&mut CiConfigSettings)) -> CiConfigSettings {
        let mut config = CiConfigSettings::default();
        change(&mut config);
        config
    }

    fn labels(labels: &[&str]) -> impl FnOnce(&mut PullRequest) {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        move |pull_request| pull_request.details.labels = labels
    }

    fn added(label: &str) -> Wish {
        Wish::RunIfLabelCounts(vec![label.to_owned()])
    }

    #[rstest]
    #[case(Wish::Run, Ok(Asked::Run))]
    #[case(Wish::RunIfNew, Ok(Asked::RunIfNew))]
    #[case(Wish::Nothing, Err(Closed::NothingNew))]
    #[case(added("ci"), Err(Closed::NothingNew))]
    fn without_settings_the_event_decides(
        #[case] wish: Wish,
        #[case] expected: Result<Asked, Closed>,
    ) {
        let found = of_event(&config(|_| {}), &wish, &pull_request(|_| {}));
        assert_eq!(found, expected);
    }

    #[test]
    fn drafts_wait() {
        let draft = pull_request(|it| it.details.is_draft = true);
        let found = of_event(&config(|_| {}), &Wish::Run, &draft);
        assert_eq!(found, Err(Closed::Draft));
    }

    #[rstest]
    #[case("main", Ok(Asked::Run))]
    #[case("release", Err(Closed::OtherBase("release".into())))]
    #[case("MAIN", Err(Closed::OtherBase("MAIN".into())))]
    fn only_the_base_branch_counts(#[case] branch: &str, #[case] expected: Result<Asked, Closed>) {
        let config = config(|it| it.base_branch = Some(branch.into()));
        assert_eq!(
            of_event(&config, &Wish::Run, &pull_request(|_| {})),
            expected
        );
    }

    #[rstest]
    #[case::has_it(Wish::Run, &["ci", "bug"], Ok(Asked::Run))]
    #[case::lacks_it(Wish::Run, &["bug"], Err(Closed::NoLabel("ci".into())))]
    #[case::gets_it(added("ci"), &["ci"], Ok(Asked::RunIfNew))]
    #[case::gets_another(added("bug"), &["ci", "bug"], Err(Closed::NothingNew))]
    fn a_label_opens_its_gate(
        #[case] wish: Wish,
        #[case] has: &[&str],
        #[case] expected: Result<Asked, Closed>,
    ) {
        let config = config(|it| it.label = Some("ci".into()));
        assert_eq!(
            of_event(&config, &wish, &pull_request(labels(has))),
            expected
        );
    }

    #[rstest]
    #[case::nothing_ignored(&[], &["docs/a.md"], true)]
    #[case::all_ignored(&["docs/"], &["docs/a.md", "docs/b/c.md"], false)]
    #[case::by_ending(&["*.md"], &["README.md", "docs/a.md"], false)]
    #[case::anchored(&["/docs"], &["web/docs/a.md"], true)]
    #[case::one_counts(&["docs/"], &["docs/a.md", "src/main.rs"], true)]
    #[case::taken_back(&["*.md", "!important.md"], &["important.md"], true)]
    #[case::any_depth(&["**/testdata/**"], &["a/testdata/x/y"], false)]
    #[case::comments(&["# docs", ""], &["docs"], true)]
    #[case::no_changes(&["*"], &[], true)]
    #[case::unreadable(&["a[", "*.md"], &["x.md"], false)]
    fn ignored_files_start_nothing(
        #[case] patterns: &[&str],
        #[case] changed: &[&str],
        #[case] starts: bool,
    ) {
        let config = config(|it| {
            it.ignored_files = patterns.iter().map(|&one| one.to_owned()).collect();
        });
        let changed: Vec<String> = changed.iter().map(|&one| one.to_owned()).collect();
        assert_eq!(of_changes(&config, Some(&changed)).is_ok(), starts);
    }

    #[test]
    fn changes_that_are_not_known_close_nothing() {
        let config = config(|it| it.ignored_files = vec!["*".into()]);
        assert_eq!(of_changes(&config, None), Ok(()));
    }

    #[test]
    fn only_where_it_comes_from_decides_about_approval() {
        let fork = pull_request(|it| {
            it.details = PullRequestDetails {
                fork: Some("mallory/web".into()),
                author: "root".into(),
                ..PullRequestDetails::default()
            };
        });
        assert!(needs_approval(&fork));
        assert!(!needs_approval(&pull_request(
            |it| it.details.author = "mallory".into()
        )));
    }
}
