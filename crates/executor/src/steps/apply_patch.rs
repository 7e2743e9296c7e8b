//! The caller's local changes on top of what was checked out.

use super::job::JobRun;
use super::native::{Acted, Fault};
use super::step::Running;
use crate::io::AttemptIo;
use crate::sources;

impl<I: AttemptIo> JobRun<'_, I> {
    /// Does what the Depot CLI's step does with curl: fetches the patch and
    /// calls `git apply --allow-empty`.
    pub async fn apply_patch(&mut self, running: &Running<'_>, cache_key: &str) -> Acted {
        let file = self.private_file("patch");
        let io = self.log;
        self.within(running, io.fetch_patch(cache_key, &file))
            .await?
            .map_err(|error| {
                Fault::of(format!(
                    "cannot fetch the local changes {cache_key}: {error}; start the run again to upload them anew"
                ))
            })?;
        let folder = self.attempt.workspace.project.clone();
        let path = file.to_string_lossy().into_owned();
        let args = ["apply", "--allow-empty", "--whitespace=nowarn", &path];
        let git = &self.attempt.executor.settings.git;
        let program = sources::command(git, &[], &folder, &args);
        match self.helper(running, program, "git apply").await {
            Err(Fault::Failed(reason)) => {
                return Err(Fault::Failed(format!(
                    "The local changes do not apply to the commit that was checked out: {reason}"
                )));
            }
            other => other?,
        };
        // It goes with the workspace at the latest.
        let _ = std::fs::remove_file(&file);
        self.log
            .say(&format!("Applied the local changes {cache_key}"))
            .await;
        Ok(Vec::new())
    }
}
