//! Names of variables from before GitLab 9.0, for scripts of that time.

use tappet_model::Variable;

/// The name of today, and that of GitLab 7.14 to 8.17
/// (GitLab 9.0: `doc/ci/variables/README.md`, "9.0 Renaming").
const NAMES: [(&str, &str); 12] = [
    ("CI_JOB_ID", "CI_BUILD_ID"),
    ("CI_JOB_NAME", "CI_BUILD_NAME"),
    ("CI_JOB_STAGE", "CI_BUILD_STAGE"),
    ("CI_JOB_MANUAL", "CI_BUILD_MANUAL"),
    ("CI_JOB_TOKEN", "CI_BUILD_TOKEN"),
    ("CI_COMMIT_SHA", "CI_BUILD_REF"),
    ("CI_COMMIT_BEFORE_SHA", "CI_BUILD_BEFORE_SHA"),
    ("CI_COMMIT_REF_NAME", "CI_BUILD_REF_NAME"),
    ("CI_COMMIT_REF_SLUG", "CI_BUILD_REF_SLUG"),
    ("CI_COMMIT_TAG", "CI_BUILD_TAG"),
    ("CI_PIPELINE_TRIGGERED", "CI_BUILD_TRIGGERED"),
    ("CI_REPOSITORY_URL", "CI_BUILD_REPO"),
];

/// Gives every predefined variable that had another name that name too.
pub fn add(predefined: &mut Vec<Variable>) {
    let old: Vec<Variable> = NAMES
        .iter()
        .filter_map(|(today, before)| {
            let variable = predefined.iter().find(|variable| variable.key == *today)?;
            Some(Variable {
                key: (*before).to_owned(),
                ..variable.clone()
            })
        })
        .collect();
    predefined.extend(old);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_have_the_values_of_todays_and_keep_their_secrets() {
        let mut predefined = vec![
            Variable::new("CI_COMMIT_SHA", "abc"),
            Variable::secret("CI_JOB_TOKEN", "glcbt-1"),
            Variable::new("CI_PROJECT_ID", "7"),
        ];
        add(&mut predefined);
        let added: Vec<_> = predefined[3..]
            .iter()
            .map(|variable| {
                (
                    variable.key.as_str(),
                    variable.value.as_str(),
                    variable.masked,
                )
            })
            .collect();
        assert_eq!(
            added,
            [
                ("CI_BUILD_TOKEN", "glcbt-1", true),
                ("CI_BUILD_REF", "abc", false)
            ]
        );
    }
}
