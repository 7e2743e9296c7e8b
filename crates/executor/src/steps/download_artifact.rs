//! `actions/download-artifact` v4.

use std::path::{Path, PathBuf};

use tappet_actions::step::action_inputs::{ActionInputs, Known};
use tappet_actions::step::glob::name_matches;
use tappet_model::steps_payload::NamedArtifact;
use tappet_model::workflow_job::UsedAction;

use super::artifact_zip;
use super::environment::Env;
use super::job::JobRun;
use super::native::{Acted, Fault};
use super::step::Running;
use crate::artifacts::restore;
use crate::io::AttemptIo;

const INPUTS: &[Known<'static>] = &[
    known("name", ""),
    known("artifact-ids", ""),
    known("path", ""),
    known("pattern", ""),
    known("merge-multiple", "false"),
    known("github-token", ""),
    known("repository", ""),
    known("run-id", ""),
];

const fn known(name: &'static str, default: &'static str) -> Known<'static> {
    Known { name, default }
}

/// Which artifacts, and whether each gets a folder of its own.
#[derive(PartialEq, Eq, Debug)]
struct Selected {
    artifacts: Vec<NamedArtifact>,
    in_folders: bool,
}

impl<I: AttemptIo> JobRun<'_, I> {
    /// Fetches named artifacts of the run and unpacks them.
    pub async fn download_artifact(&mut self, running: &Running<'_>, given: &Env) -> Acted {
        let inputs = self
            .inputs(running, &UsedAction::DownloadArtifact, given, INPUTS)
            .await;
        self.refuse_other_runs(running, &inputs)?;
        let folder = self.folder(running, inputs.get("path"));
        let io = self.log;
        let all = self
            .within(running, io.list_named())
            .await?
            .map_err(|error| Fault::of(format!("Unable to download artifact(s): {error}")))?;
        let selected = select(all, &inputs).map_err(Fault::Failed)?;
        let count = selected.artifacts.len();
        let mut text = format!("Found {count} artifact(s)\n");
        for artifact in &selected.artifacts {
            text.push_str(&format!(
                "- {} (ID: {}, Size: {}, Expected Digest: sha256:{})\n",
                artifact.name, artifact.id, artifact.size, artifact.digest
            ));
        }
        self.log.say(&text).await;
        for artifact in &selected.artifacts {
            let to = match selected.in_folders {
                true => folder.join(&artifact.name),
                false => folder.clone(),
            };
            self.bring_artifact(running, artifact, to).await?;
        }
        self.log
            .say(&format!(
                "Total of {count} artifact(s) downloaded\nDownload artifact has finished successfully"
            ))
            .await;
        let folder = folder.to_string_lossy().into_owned();
        Ok(vec![("download-path".to_owned(), folder)])
    }

    fn refuse_other_runs(&self, running: &Running<'_>, inputs: &ActionInputs) -> Result<(), Fault> {
        for (input, own) in [("repository", "repository"), ("run-id", "run_id")] {
            let wanted = inputs.get(input);
            if !wanted.is_empty() && wanted != self.github_text(running, own) {
                return Err(Fault::of(format!(
                    "The input '{input}' is '{wanted}': only artifacts of the run itself can be downloaded"
                )));
            }
        }
        Ok(())
    }

    /// `path` as the action reads it: `~` is the home directory.
    fn folder(&self, running: &Running<'_>, path: &str) -> PathBuf {
        let workspace = &self.attempt.workspace;
        match path.strip_prefix('~') {
            Some(rest) => {
                let home = running.env.get("HOME").map(Path::new);
                home.unwrap_or(&workspace.home)
                    .join(rest.trim_start_matches('/'))
            }
            None => workspace.project.join(path),
        }
        .components()
        .collect()
    }

    async fn bring_artifact(
        &mut self,
        running: &Running<'_>,
        artifact: &NamedArtifact,
        to: PathBuf,
    ) -> Result<(), Fault> {
        let failed = |error: &dyn std::fmt::Display| {
            Fault::of(format!(
                "Unable to download artifact {}: {error}",
                artifact.name
            ))
        };
        let file = self.private_file("download");
        let io = self.log;
        self.within(running, io.fetch_named(artifact.id, &file))
            .await?
            .map_err(|error| failed(&error))?;
        let limits = self.attempt.executor.settings.restore_limits;
        let expected = artifact.digest.clone();
        let unpacked = tokio::task::spawn_blocking(move || {
            let (_, digest) = artifact_zip::digest(&file).map_err(|error| error.to_string())?;
            if digest != expected {
                return Err(format!(
                    "its digest is sha256:{digest}, expected sha256:{expected}"
                ));
            }
            std::fs::create_dir_all(&to)
                .map_err(|error| format!("cannot make {}: {error}", to.display()))?;
            let restored =
                restore::restore(&file, &to, &limits).map_err(|error| error.to_string())?;
            // The workspace goes soon; a leftover archive only takes room until then.
            let _ = std::fs::remove_file(&file);
            Ok(restored)
        });
        let (_, skipped) = unpacked
            .await
            .map_err(Fault::of)?
            .map_err(|error| failed(&error))?;
        for warning in skipped {
            self.log.say(&format!("##[warning]{warning}")).await;
        }
        Ok(())
    }
}

fn select(all: Vec<NamedArtifact>, inputs: &ActionInputs) -> Result<Selected, String> {
    let (name, ids, pattern) = (
        inputs.get("name"),
        inputs.get("artifact-ids"),
        inputs.get("pattern"),
    );
    if !name.is_empty() && !ids.is_empty() {
        return Err(
            "Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one."
                .to_owned(),
        );
    }
    let merge = inputs.flag("merge-multiple")?;
    if !name.is_empty() {
        let artifact = all.into_iter().find(|artifact| artifact.name == name);
        let artifact = artifact.ok_or_else(|| {
            format!(
                "Unable to download artifact(s): Artifact not found for name: {name}\nPlease ensure that your artifact is not expired and the artifact was uploaded using a compatible version of toolkit/upload-artifact."
            )
        })?;
        return Ok(Selected {
            artifacts: vec![artifact],
            in_folders: false,
        });
    }
    let mut artifacts = all;
    if !ids.is_empty() {
        let wanted = ids.split(',').map(str::trim).map(|id| {
            id.parse::<i64>()
                .map_err(|_| format!("Invalid artifact ID: '{id}'. Must be a number."))
        });
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        artifacts.retain(|artifact| wanted.contains(&artifact.id));
        if artifacts.is_empty() {
            return Err(format!("No artifacts found with the IDs {ids}"));
        }
    } else if !pattern.is_empty() {
        artifacts.retain(|artifact| name_matches(pattern, &artifact.name));
    }
    Ok(Selected {
        artifacts,
        in_folders: !merge,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn selected(given: &[(&str, &str)]) -> Result<(Vec<i64>, bool), String> {
        let artifact = |(id, name): (i64, &str)| NamedArtifact {
            id,
            name: name.into(),
            size: 1,
            digest: String::new(),
        };
        let all = [(1, "logs-a"), (2, "logs-b"), (3, "dist")].map(artifact);
        let inputs = ActionInputs::new(given.iter().copied(), INPUTS);
        let selected = select(all.to_vec(), &inputs)?;
        let ids = selected.artifacts.iter().map(|artifact| artifact.id);
        Ok((ids.collect(), selected.in_folders))
    }

    #[rstest]
    #[case::all(&[], &[1, 2, 3], true)]
    #[case::one(&[("name", "dist")], &[3], false)]
    #[case::pattern(&[("pattern", "logs-*")], &[1, 2], true)]
    #[case::merged(&[("pattern", "logs-*"), ("merge-multiple", "true")], &[1, 2], false)]
    #[case::pattern_of_none(&[("pattern", "x*")], &[], true)]
    #[case::ids(&[("artifact-ids", "3, 1")], &[1, 3], true)]
    fn artifacts_are_selected(
        #[case] given: &[(&str, &str)],
        #[case] ids: &[i64],
        #[case] in_folders: bool,
    ) {
        assert_eq!(selected(given), Ok((ids.to_vec(), in_folders)));
    }

    #[rstest]
    #[case(&[("name", "none")], "Artifact not found for name: none")]
    #[case(&[("name", "a"), ("artifact-ids", "1")], "cannot be used together")]
    #[case(&[("artifact-ids", "x")], "Invalid artifact ID: 'x'")]
    #[case(&[("artifact-ids", "9")], "No artifacts found with the IDs 9")]
    #[case(&[("merge-multiple", "maybe")], "YAML 1.2")]
    fn what_cannot_be_selected_is_an_error(#[case] given: &[(&str, &str)], #[case] text: &str) {
        let error = selected(given).unwrap_err();
        assert!(error.contains(text), "{error}");
    }
}
