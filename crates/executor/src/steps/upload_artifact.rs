//! `actions/upload-artifact` v4.

use std::path::{Path, PathBuf};

use tappet_actions::step::action_inputs::Known;
use tappet_actions::step::artifact_paths::{check_name, least_common_ancestor};
use tappet_actions::step::glob::Patterns;
use tappet_model::workflow_job::UsedAction;

use super::environment::Env;
use super::job::JobRun;
use super::native::{Acted, Fault};
use super::step::Running;
use super::{artifact_zip, search};
use crate::io::{AttemptIo, NamedUpload};

const INPUTS: &[Known<'static>] = &[
    known("name", "artifact"),
    known("path", ""),
    known("if-no-files-found", "warn"),
    known("retention-days", "0"),
    known("compression-level", "6"),
    known("overwrite", "false"),
    known("include-hidden-files", "false"),
];

const fn known(name: &'static str, default: &'static str) -> Known<'static> {
    Known { name, default }
}

/// The files of an artifact and the folder that their names begin below.
struct Found {
    root: PathBuf,
    files: Vec<PathBuf>,
    search_paths: usize,
}

impl<I: AttemptIo> JobRun<'_, I> {
    /// Packs what `path` names and uploads it.
    pub async fn upload_artifact(&mut self, running: &Running<'_>, given: &Env) -> Acted {
        let inputs = self
            .inputs(running, &UsedAction::UploadArtifact, given, INPUTS)
            .await;
        let name = match inputs.get("name") {
            "" => "artifact",
            name => name,
        };
        check_name(name).map_err(Fault::Failed)?;
        if inputs.get("path").is_empty() {
            return Err(Fault::of("Input required and not supplied: path"));
        }
        let on_nothing = inputs.get("if-no-files-found");
        if !matches!(on_nothing, "warn" | "error" | "ignore") {
            return Err(Fault::of(format!(
                "Unrecognized if-no-files-found input. Provided: {on_nothing}. Available options: warn,error,ignore"
            )));
        }
        let number = |input: &str, most: u32| match inputs.get(input).parse() {
            Ok(number) if number <= most => Ok(number),
            _ => Err(Fault::of(format!(
                "Invalid {input}: use a whole number from 0 to {most}"
            ))),
        };
        let level = number("compression-level", 9)?;
        let days = number("retention-days", 36_500)?;
        let artifact = NamedUpload {
            name: name.to_owned(),
            retention_days: (days > 0).then_some(days),
            overwrite: inputs.flag("overwrite").map_err(Fault::Failed)?,
        };
        let hidden = inputs.flag("include-hidden-files").map_err(Fault::Failed)?;
        let root = self
            .attempt
            .workspace
            .project
            .to_string_lossy()
            .into_owned();
        let patterns = Patterns::parse(inputs.get("path"), &root).map_err(Fault::Failed)?;
        let found = tokio::task::spawn_blocking(move || find(&patterns, hidden))
            .await
            .map_err(Fault::of)?
            .map_err(|error| Fault::of(format!("cannot look for files: {error}")))?;
        if found.files.is_empty() {
            let text = format!(
                "No files were found with the provided path: {}. No artifacts will be uploaded.",
                inputs.get("path")
            );
            match on_nothing {
                "error" => return Err(Fault::Failed(text)),
                "warn" => self.log.say(&format!("##[warning]{text}")).await,
                _ => self.log.say(&text).await,
            }
            return Ok(Vec::new());
        }
        self.tell_found(&found).await;
        let file = self.private_file("artifact");
        let packed = {
            let (found, file) = (found, file.clone());
            tokio::task::spawn_blocking(move || {
                let level = u8::try_from(level).unwrap_or(9);
                artifact_zip::pack(&found.root, &found.files, level, &file)
            })
        };
        let packed = packed
            .await
            .map_err(Fault::of)?
            .map_err(|error| Fault::of(format!("cannot pack the artifact: {error}")))?;
        let io = self.log;
        let stored = self
            .within(running, io.upload_named(&artifact, &file))
            .await?
            .map_err(|error| Fault::of(format!("Failed to upload the artifact {name}: {error}")))?;
        // It goes with the workspace at the latest.
        let _ = std::fs::remove_file(&file);
        let url = format!(
            "{}/{}/-/pipelines/{}#artifact-{}",
            self.github_text(running, "server_url"),
            self.github_text(running, "repository"),
            self.github_text(running, "run_id"),
            stored.id
        );
        let text = format!(
            "Artifact {name} has been successfully uploaded! Final size is {} bytes ({} files). Artifact ID is {}\nArtifact download URL: {url}",
            packed.size, packed.files, stored.id
        );
        self.log.say(&text).await;
        Ok(vec![
            ("artifact-id".to_owned(), stored.id.to_string()),
            ("artifact-url".to_owned(), url),
            ("artifact-digest".to_owned(), packed.digest),
        ])
    }

    async fn tell_found(&self, found: &Found) {
        let mut text = String::new();
        if found.search_paths > 1 {
            text.push_str(&format!(
                "Multiple search paths detected. Calculating the least common ancestor of all paths\nThe least common ancestor is {}. This will be the root directory of the artifact\n",
                found.root.display()
            ));
        }
        let count = found.files.len();
        let plural = if count == 1 { "" } else { "s" };
        text.push_str(&format!(
            "With the provided path, there will be {count} file{plural} uploaded"
        ));
        self.log.say(&text).await;
    }
}

/// Blocks.
fn find(patterns: &Patterns, hidden: bool) -> std::io::Result<Found> {
    let options = search::Options {
        follow_links: true,
        hidden,
    };
    let files = search::files(patterns, options)?;
    let paths = patterns.search_paths();
    let root = match (paths.as_slice(), files.as_slice()) {
        // One file that is named itself lies at the top.
        ([path], [file]) if file == Path::new(path) => {
            file.parent().unwrap_or(Path::new("/")).to_owned()
        }
        ([path], _) => PathBuf::from(path),
        (paths, _) => PathBuf::from(least_common_ancestor(paths)),
    };
    Ok(Found {
        root,
        files,
        search_paths: paths.len(),
    })
}
