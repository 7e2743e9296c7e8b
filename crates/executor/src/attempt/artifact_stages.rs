//! The stages `download_artifacts` and `upload_artifacts`.

use std::path::Path;
use std::sync::Arc;

use tappet_model::FailureReason;
use tappet_model::runner_protocol::{ArtifactUpload, Dependency};

use super::{Attempt, Stop};
use crate::artifacts::collect::{self, Collected, Selection};
use crate::artifacts::{gzip, restore};
use crate::control::Control;
use crate::io::AttemptIo;
use crate::section::{self, Section};
use crate::sources;
use crate::supervise::{Keep, wish};

/// How an upload is packed.
#[derive(Clone, Copy)]
enum Packing {
    Zip,
    Gzip,
}

impl Packing {
    /// By the name of the format; `None` for those of other kinds of runners.
    fn of(format: &str) -> Option<Self> {
        match format {
            "" | "zip" => Some(Packing::Zip),
            "gzip" => Some(Packing::Gzip),
            _ => None,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Packing::Zip => "zip",
            Packing::Gzip => "gz",
        }
    }

    /// Packs into the new file `to`; whether there was nothing to pack. Blocks.
    fn pack(self, project: &Path, collected: &Collected, to: &Path) -> std::io::Result<bool> {
        if collected.is_empty() {
            return Ok(true);
        }
        match self {
            Packing::Zip => collect::archive(project, collected, to).map(|()| false),
            Packing::Gzip => gzip::pack(project, collected, to).map(|count| count == 0),
        }
    }
}

impl<I: AttemptIo> Attempt<'_, I> {
    /// Unpacks the archives of earlier jobs, in order; later ones replace files of earlier ones.
    pub async fn download_artifacts(&mut self) -> Result<(), Stop> {
        let payload = self.payload;
        let wanted: Vec<&Dependency> = payload
            .dependencies
            .iter()
            .filter(|dependency| dependency.artifacts_file.is_some())
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        self.open(Section::DOWNLOAD_ARTIFACTS).await;
        for dependency in wanted {
            let title = format!(
                "Downloading artifacts for {} ({})...",
                dependency.name, dependency.id
            );
            self.io.note(section::success(title)).await;
            let file = self
                .workspace
                .private_path(&format!("download-{}.zip", dependency.id));
            let io = self.io;
            self.within(io.fetch(dependency, &file))
                .await?
                .map_err(|error| {
                    Stop::system(format!(
                        "cannot download artifacts of {}: {error}",
                        dependency.name
                    ))
                })?;
            let project = self.workspace.project.clone();
            let limits = self.executor.settings.restore_limits;
            let restored = tokio::task::spawn_blocking(move || {
                let restored = restore::restore(&file, &project, &limits);
                // The workspace goes soon; a leftover archive only takes room until then.
                let _ = std::fs::remove_file(&file);
                restored
            });
            let (files, skipped) = restored.await.map_err(Stop::system)?.map_err(|error| {
                Stop::system(format!(
                    "cannot restore artifacts of {}: {error}",
                    dependency.name
                ))
            })?;
            let mut text: String = skipped.iter().map(section::warning).collect();
            text.push_str(&format!("{}: restored {files} files\n", dependency.name));
            self.io.note(text).await;
        }
        self.close(Section::DOWNLOAD_ARTIFACTS).await;
        Ok(())
    }

    /// Packs and uploads what the job asks for in its present state.
    pub async fn upload_artifacts(&mut self, success: bool) -> Result<(), Stop> {
        let payload = self.payload;
        let wanted: Vec<&ArtifactUpload> = payload
            .artifacts
            .iter()
            .filter(|artifact| match artifact.when.as_str() {
                "always" => true,
                "on_failure" => !success,
                _ => success,
            })
            .filter(|artifact| artifact.untracked || !artifact.paths.is_empty())
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let section = if success {
            Section::UPLOAD_ON_SUCCESS
        } else {
            Section::UPLOAD_ON_FAILURE
        };
        self.open(section).await;
        for (index, artifact) in wanted.into_iter().enumerate() {
            self.upload_one(index, artifact).await?;
        }
        self.close(section).await;
        Ok(())
    }

    async fn upload_one(&mut self, index: usize, artifact: &ArtifactUpload) -> Result<(), Stop> {
        self.io
            .note(section::success("Uploading artifacts..."))
            .await;
        let Some(packing) = Packing::of(&artifact.artifact_format) else {
            let text = format!(
                "artifact of type {:?} is left out: format {:?} is not supported by this runner",
                artifact.artifact_type, artifact.artifact_format
            );
            self.io.note(section::warning(text)).await;
            return Ok(());
        };
        let expand = |list: &[String]| -> Vec<String> {
            list.iter()
                .map(|text| self.variables.expand(text).into_owned())
                .collect()
        };
        let mut selection = Selection {
            paths: expand(&artifact.paths),
            exclude: expand(&artifact.exclude),
            untracked: vec![],
        };
        if artifact.untracked {
            selection.untracked = self.untracked().await?;
        }
        let to = self.workspace.private_path(&format!("upload-{index}"));
        let packed = {
            let (project, to): (_, Arc<Path>) = (self.workspace.project.clone(), to.clone().into());
            tokio::task::spawn_blocking(move || {
                let collected = collect::collect(&project, &selection)?;
                let is_empty = packing.pack(&project, &collected, &to)?;
                std::io::Result::Ok((collected, is_empty))
            })
        };
        let (collected, is_empty) = packed
            .await
            .map_err(Stop::system)?
            .map_err(|error| Stop::system(format!("cannot pack artifacts: {error}")))?;
        let mut text: String = collected
            .notes
            .iter()
            .map(|note| format!("{note}\n"))
            .collect();
        text.extend(collected.warnings.iter().map(section::warning));
        if is_empty {
            text.push_str(&section::error("No files to upload"));
            self.io.note(text).await;
            return Ok(());
        }
        self.io.note(text).await;
        let name = format!("{}.{}", self.archive_name(artifact), packing.extension());
        let io = self.io;
        let uploaded = self.within(io.upload(artifact, &name, &to)).await?;
        match uploaded {
            Ok(()) => {
                let kind = if artifact.artifact_type.is_empty() {
                    "archive"
                } else {
                    &artifact.artifact_type
                };
                self.io
                    .note(format!(
                        "Uploading artifacts as \"{kind}\" to coordinator... ok\n"
                    ))
                    .await;
                Ok(())
            }
            // GitLab Runner: a failed upload fails the job as its script would.
            Err(error) => Err(Stop::Failed(
                FailureReason::ScriptFailure,
                format!("cannot upload artifacts: {error}"),
            )),
        }
    }

    /// The name without extension, safe as a file name.
    fn archive_name(&self, artifact: &ArtifactUpload) -> String {
        let name = self
            .variables
            .expand(artifact.name.as_deref().unwrap_or_default())
            .into_owned();
        let name: String = name
            .chars()
            .map(|c| if c == '/' || c.is_control() { '_' } else { c })
            .take(200)
            .collect();
        if name.is_empty() {
            "artifacts".to_owned()
        } else {
            name
        }
    }

    async fn untracked(&mut self) -> Result<Vec<String>, Stop> {
        let git = self.executor.settings.git.with_protocols(&[]);
        let program = sources::command(
            &git,
            &[],
            &self.workspace.project,
            &["ls-files", "-o", "-z"],
        );
        let mut listed = Vec::new();
        self.run_helper(program, "git ls-files", Keep(&mut listed))
            .await?;
        Ok(listed
            .split(|byte| *byte == 0)
            .filter_map(|name| std::str::from_utf8(name).ok())
            .filter(|name| !name.is_empty() && !name.ends_with('/'))
            .map(str::to_owned)
            .collect())
    }

    /// A transfer, given up when the job must stop.
    async fn within<T>(&mut self, transfer: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            result = transfer => Ok(result),
            wish = wish(&mut self.control, Control::Abort) => Err(Stop::Wished(wish)),
            () = tokio::time::sleep_until(self.deadline) => Err(Stop::TimedOut),
        }
    }
}
