//! The stage `get_sources`.

use std::path::Path;

use super::{Attempt, Stop};
use crate::io::AttemptIo;
use crate::launcher::Program;
use crate::section::{self, Section};
use crate::sources::dot_git::DotGit;
use crate::sources::{self, Remote, Strategy, is_object_id, local, submodules};
use crate::supervise::{Keep, ToLog};

impl<I: AttemptIo> Attempt<'_, I> {
    /// Brings the project's files.
    pub async fn get_sources(&mut self) -> Result<(), Stop> {
        let configuration =
            |message| Stop::Failed(tappet_model::FailureReason::RunnerSystemFailure, message);
        let strategy = Strategy::of(&self.variables).map_err(configuration)?;
        let strategy_of_submodules =
            submodules::Strategy::of(&self.variables.get("GIT_SUBMODULE_STRATEGY"))
                .map_err(configuration)?;
        let mut heading = String::new();
        self.start(Section::GET_SOURCES, &mut heading);
        if strategy == Strategy::Nothing {
            heading.push_str(&section::success("Skipping Git repository setup"));
            heading.push_str(&section::success("Skipping Git checkout"));
            heading.push_str(&section::success("Skipping Git submodules setup"));
            self.end(Section::GET_SOURCES, &mut heading);
            self.io.note(heading).await;
            return Ok(());
        }
        self.io.note(heading).await;
        self.repository().await?;
        if self.variables.flag("GIT_CHECKOUT", true) {
            let info = &self.payload.git_info;
            let short = info.sha.get(..8).unwrap_or(&info.sha);
            let text = format!(
                "Checking out {short} as detached HEAD (ref is {})...",
                info.ref_name
            );
            self.io.note(section::success(text)).await;
            let program = sources::check_out(&self.executor.settings.git, &self.workspace.project);
            self.run_helper(program, "git checkout", ToLog(self.io))
                .await?;
        } else {
            self.io
                .note(section::success("Skipping Git checkout"))
                .await;
        }
        let project = self.workspace.project.clone();
        if strategy_of_submodules == submodules::Strategy::Nothing {
            self.io
                .note(section::success("Skipping Git submodules setup"))
                .await;
        } else {
            self.submodules(&project, strategy_of_submodules).await?;
        }
        self.close(Section::GET_SOURCES).await;
        Ok(())
    }

    /// A repository in the project directory whose HEAD is the commit of the job.
    async fn repository(&mut self) -> Result<(), Stop> {
        let info = &self.payload.git_info;
        if !is_object_id(&info.sha) {
            return Err(Stop::system(format!(
                "{:?} is not a whole commit id",
                info.sha
            )));
        }
        let remote = Remote::of(info).map_err(Stop::system)?;
        self.io
            .note(section::success(match info.depth {
                0 => "Fetching changes...".to_owned(),
                depth => format!("Fetching changes with git depth set to {depth}..."),
            }))
            .await;
        let borrowed = local::borrow(info);
        let mut dot_git = DotGit {
            origin: &remote.address,
            head: &info.sha,
            ..DotGit::default()
        };
        if let Some(borrowed) = &borrowed {
            dot_git.alternate = Some(&borrowed.objects);
            dot_git.refs = borrowed.refs.clone();
            dot_git.shallow = borrowed.shallow.clone();
        }
        dot_git
            .write(&self.workspace.project)
            .map_err(|error| Stop::system(format!("cannot write the repository: {error}")))?;
        if borrowed.is_some() {
            return Ok(());
        }
        let fetch = sources::fetch(
            &self.executor.settings.git,
            &remote,
            info,
            &self.workspace.project,
        );
        self.run_helper(fetch, "git fetch", ToLog(self.io)).await
    }

    /// Brings the submodules of the repository in `project`.
    pub async fn submodules(
        &mut self,
        project: &Path,
        strategy: submodules::Strategy,
    ) -> Result<(), Stop> {
        let local = self.payload.git_info.repo_url.starts_with("file://");
        let protocols: &[&str] = if local {
            &["https", "http", "ssh", "file"]
        } else {
            &["https", "http", "ssh"]
        };
        let git = self.executor.settings.git.with_protocols(protocols);
        let mut folders = vec![(project.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let listing = folder.join(".gitmodules");
            match std::fs::symlink_metadata(&listing) {
                Ok(metadata) if metadata.is_file() => {}
                Ok(_) => {
                    return Err(Stop::system(
                        "submodules are refused: .gitmodules is not a file",
                    ));
                }
                Err(_) => continue,
            }
            let mut listed = Vec::new();
            let args = [
                "config",
                "--no-includes",
                "--file",
                ".gitmodules",
                "-z",
                "--list",
            ];
            let program = sources::command(&git, &[], &folder, &args);
            self.run_helper(program, "reading .gitmodules", Keep(&mut listed))
                .await?;
            let paths = submodules::check(&listed).map_err(Stop::system)?;
            self.io
                .note(section::success("Updating/initializing submodules..."))
                .await;
            let program: Program = sources::command(
                &git,
                &[],
                &folder,
                &["submodule", "update", "--init", "--checkout"],
            );
            self.run_helper(program, "git submodule update", ToLog(self.io))
                .await?;
            if strategy == submodules::Strategy::Recursive {
                if depth >= submodules::MAX_DEPTH {
                    return Err(Stop::system("submodules are nested too deep"));
                }
                folders.extend(paths.iter().map(|path| (folder.join(path), depth + 1)));
            }
        }
        Ok(())
    }
}
