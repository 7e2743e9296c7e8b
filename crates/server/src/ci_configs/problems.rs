//! What may be set on a CI config.

use tappet_model::RefName;
use tappet_store::CiConfigSettings;

use crate::intake::WORKFLOW_FOLDERS;

/// The longest text of a setting, in characters.
const MAX_TEXT: usize = 255;

/// The most entries of a list.
const MAX_ENTRIES: usize = 50;

/// A setting that cannot be as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {message}")]
pub struct BadSetting {
    /// Its name in the API.
    pub field: &'static str,
    /// Why, and what would do.
    pub message: String,
}

/// What is wrong with settings, in the order of the fields; nothing when they will do.
pub fn problems(settings: &CiConfigSettings) -> Vec<BadSetting> {
    let named = [
        ("name", Some(&settings.name)),
        ("base_branch", settings.base_branch.as_ref()),
        ("label", settings.label.as_ref()),
        ("status_name", Some(&settings.status_name)),
    ];
    let texts = named.into_iter().filter_map(|(field, text)| {
        let message = bad_text(text?)?;
        Some(BadSetting { field, message })
    });
    let lists = [
        ("pipeline_files", &settings.pipeline_files),
        ("ignored_files", &settings.ignored_files),
    ];
    let entries = lists.into_iter().filter_map(|(field, list)| {
        let message = bad_list(list)?;
        Some(BadSetting { field, message })
    });
    let files = bad_files(&settings.pipeline_files).map(|message| BadSetting {
        field: "pipeline_files",
        message,
    });
    let branch = settings.base_branch.as_deref().and_then(bad_branch);
    texts.chain(entries).chain(files).chain(branch).collect()
}

/// Whether a path is one of a workflow in GitHub Actions syntax.
pub fn is_workflow(path: &str) -> bool {
    WORKFLOW_FOLDERS.iter().any(|folder| {
        let rest = path.strip_prefix(folder);
        rest.is_some_and(|rest| rest.starts_with('/'))
    })
}

fn bad_text(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        Some("must not be blank".to_owned())
    } else if text.chars().count() > MAX_TEXT {
        Some(format!("must have at most {MAX_TEXT} characters"))
    } else if text.chars().any(char::is_control) {
        Some("must not hold control characters".to_owned())
    } else {
        None
    }
}

fn bad_list(list: &[String]) -> Option<String> {
    if list.len() > MAX_ENTRIES {
        return Some(format!("must have at most {MAX_ENTRIES} entries"));
    }
    list.iter()
        .find_map(|entry| Some(format!("`{entry}` {}", bad_text(entry)?)))
}

fn bad_files(files: &[String]) -> Option<String> {
    let is_bad = |path: &&String| {
        path.starts_with('/') || path.split('/').any(|part| matches!(part, "" | "." | ".."))
    };
    if let Some(path) = files.iter().find(is_bad) {
        return Some(format!(
            "`{path}` is no path from the root of the repository: write for example .gitlab-ci.yml"
        ));
    }
    let pipelines = files.iter().filter(|path| !is_workflow(path)).count();
    match (pipelines, files.len() - pipelines) {
        (0, _) | (1, 0) => None,
        (1, _) => Some(
            "a pipeline file and workflows make separate runs: add a CI config for each".to_owned(),
        ),
        _ => Some(
            "a run has one pipeline file: add a CI config for each, or use `include` in one"
                .to_owned(),
        ),
    }
}

fn bad_branch(branch: &str) -> Option<BadSetting> {
    let problem = RefName::new(branch).err()?;
    // A blank one is told already.
    (!branch.trim().is_empty()).then(|| BadSetting {
        field: "base_branch",
        message: problem.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn with(change: impl FnOnce(&mut CiConfigSettings)) -> Vec<&'static str> {
        let mut settings = CiConfigSettings::default();
        change(&mut settings);
        let problems = problems(&settings);
        problems.iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn the_defaults_will_do() {
        assert!(with(|_| ()).is_empty());
    }

    #[rstest]
    #[case(" ")]
    #[case("a\nb")]
    #[case(&"x".repeat(256))]
    fn texts_are_short_and_say_something(#[case] text: &str) {
        assert_eq!(with(|one| one.name = text.into()), ["name"]);
        assert_eq!(with(|one| one.status_name = text.into()), ["status_name"]);
        assert_eq!(with(|one| one.label = Some(text.into())), ["label"]);
        assert_eq!(
            with(|one| one.ignored_files = vec!["*.md".into(), text.into()]),
            ["ignored_files"]
        );
    }

    #[test]
    fn lists_are_short() {
        let entries = |count: usize| vec!["*.md".to_owned(); count];
        assert!(with(|one| one.ignored_files = entries(50)).is_empty());
        assert_eq!(
            with(|one| one.ignored_files = entries(51)),
            ["ignored_files"]
        );
    }

    #[rstest]
    #[case(&["ci/main.yml"], true)]
    #[case(&[".github/workflows/a.yml", ".depot/workflows/b.yml"], true)]
    #[case(&["a.yml", "b.yml"], false)]
    #[case(&[".gitlab-ci.yml", ".github/workflows/a.yml"], false)]
    #[case(&["/etc/passwd"], false)]
    #[case(&["../other/ci.yml"], false)]
    #[case(&["a//b.yml"], false)]
    fn a_run_has_one_pipeline_file_or_workflows(#[case] files: &[&str], #[case] fits: bool) {
        let files = files.iter().map(|&path| path.to_owned()).collect();
        assert_eq!(with(|one| one.pipeline_files = files).is_empty(), fits);
    }

    #[rstest]
    #[case("main", true)]
    #[case("release/1.0", true)]
    #[case("a..b", false)]
    #[case("a b", false)]
    fn a_base_branch_is_a_name_that_git_takes(#[case] branch: &str, #[case] fits: bool) {
        let problems = with(|one| one.base_branch = Some(branch.into()));
        assert_eq!(problems.is_empty(), fits);
    }

    #[rstest]
    #[case(".github/workflows/ci.yml", true)]
    #[case(".depot/workflows/ci.yml", true)]
    #[case(".github/workflows.yml", false)]
    #[case("docs/.github/workflows/ci.yml", false)]
    fn workflows_are_known_by_their_folder(#[case] path: &str, #[case] expected: bool) {
        assert_eq!(is_workflow(path), expected);
    }
}
