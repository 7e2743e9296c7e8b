//! What a step without `name` is called.
//!
//! GitHub runner: `ActionRunner.GenerateDisplayName`.

use tappet_model::workflow_job::{StepAction, UsedAction};

/// `Run ` and what the step does, expressions as written.
#[must_use]
pub fn of(action: &StepAction) -> String {
    match action {
        StepAction::Run { script, .. } => of_script(script),
        StepAction::Uses { action, .. } => format!("Run {}", reference(action)),
        StepAction::ApplyPatch { .. } => "Apply local patch from Depot Cache".to_owned(),
    }
}

/// `Run ` and the first line that is not blank.
#[must_use]
pub fn of_script(script: &str) -> String {
    let first = script.trim_start().lines().next().unwrap_or_default();
    format!("Run {first}")
}

/// As after `uses`, without the version.
#[must_use]
pub fn reference(action: &UsedAction) -> &str {
    match action {
        UsedAction::Checkout => "actions/checkout",
        UsedAction::UploadArtifact => "actions/upload-artifact",
        UsedAction::DownloadArtifact => "actions/download-artifact",
        UsedAction::Local(path) => path,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("npm test", "Run npm test")]
    #[case("\n\n  make all\nmake install\n", "Run make all")]
    #[case("echo ${{ matrix.os }}", "Run echo ${{ matrix.os }}")]
    #[case("", "Run ")]
    fn a_script_is_named_after_its_first_line(#[case] script: &str, #[case] name: &str) {
        assert_eq!(of_script(script), name);
    }
}
