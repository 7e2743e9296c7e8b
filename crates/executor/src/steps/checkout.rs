//! `actions/checkout`: the run's repository in the workspace, as a repository
//! that git can go on with.

use std::path::Path;

use tappet_actions::step::checkout::{self, Checkout, INPUTS, Own, Submodules, Target};
use tappet_model::runner_protocol::GitInfo;
use tappet_model::workflow_job::UsedAction;

use super::environment::Env;
use super::job::JobRun;
use super::native::{Acted, Fault};
use super::step::Running;
use crate::io::AttemptIo;
use crate::sources::dot_git::DotGit;
use crate::sources::{self, Remote, local, submodules};
use crate::workspace;

impl<I: AttemptIo> JobRun<'_, I> {
    /// Brings the files.
    pub async fn checkout(&mut self, running: &Running<'_>, given: &Env) -> Acted {
        let inputs = self
            .inputs(running, &UsedAction::Checkout, given, INPUTS)
            .await;
        let context = |name: &str| self.github_text(running, name);
        let (repository, git_ref) = (context("repository"), context("ref"));
        let (sha, server_url) = (context("sha"), context("server_url"));
        let workspace = self
            .attempt
            .workspace
            .project
            .to_string_lossy()
            .into_owned();
        let own = Own {
            repository: &repository,
            git_ref: &git_ref,
            sha: &sha,
            server_url: &server_url,
            workspace: &workspace,
        };
        let wanted = Checkout::of(&inputs, own).map_err(Fault::Failed)?;
        let folder = self.attempt.workspace.project.join(&wanted.path);
        let remote = Remote::of(&self.attempt.payload.git_info).map_err(Fault::Failed)?;
        let (sha, git_ref) = self.resolve(running, &remote, &wanted.target).await?;
        self.log
            .say(&format!("Syncing repository: {repository}"))
            .await;
        make_room(&folder, wanted.clean)
            .map_err(|error| Fault::of(format!("cannot clear '{}': {error}", folder.display())))?;
        self.bring(
            running,
            &folder,
            &remote,
            &wanted,
            (&sha, git_ref.as_deref()),
        )
        .await?;
        let program = sources::check_out(&self.attempt.executor.settings.git, &folder);
        self.helper(running, program, "git checkout").await?;
        let strategy = match wanted.submodules {
            Submodules::No => submodules::Strategy::Nothing,
            Submodules::Own => submodules::Strategy::Normal,
            Submodules::Recursive => submodules::Strategy::Recursive,
        };
        if strategy != submodules::Strategy::Nothing {
            self.attempt
                .submodules(&folder, strategy)
                .await
                .map_err(|stop| match stop {
                    crate::attempt::Stop::Failed(_, reason) => Fault::Failed(reason),
                    stop => Fault::Ends(stop),
                })?;
        }
        let name = git_ref.unwrap_or_default();
        let text = format!("HEAD is now at {sha} {name}");
        self.log.say(text.trim_end()).await;
        let asked = wanted.target.asked().to_owned();
        Ok(vec![("ref".to_owned(), asked), ("commit".to_owned(), sha)])
    }

    /// The commit, and the whole ref that it is checked out as.
    async fn resolve(
        &mut self,
        running: &Running<'_>,
        remote: &Remote,
        target: &Target,
    ) -> Result<(String, Option<String>), Fault> {
        let name = match target {
            Target::Commit { sha, git_ref } => return Ok((sha.clone(), git_ref.clone())),
            Target::Named(name) => name,
        };
        let refs = checkout::candidates(name);
        let project = self.attempt.workspace.project.clone();
        let git = &self.attempt.executor.settings.git;
        let program = sources::list_remote(git, remote, &refs, &project);
        let listing = self.helper(running, program, "git ls-remote").await?;
        let (git_ref, sha) = checkout::resolve(name, &String::from_utf8_lossy(&listing))
            .ok_or_else(|| {
                Fault::of(format!(
                    "A branch or tag with the name '{name}' could not be found"
                ))
            })?;
        Ok((sha, Some(git_ref)))
    }

    /// A repository in `folder` whose HEAD is the commit.
    async fn bring(
        &mut self,
        running: &Running<'_>,
        folder: &Path,
        remote: &Remote,
        wanted: &Checkout,
        (sha, git_ref): (&str, Option<&str>),
    ) -> Result<(), Fault> {
        let mut info = GitInfo {
            repo_url: self.attempt.payload.git_info.repo_url.clone(),
            sha: sha.to_owned(),
            depth: wanted.depth,
            ..GitInfo::default()
        };
        let kept = git_ref.map(kept_as);
        let target = kept.as_deref().unwrap_or("refs/remotes/origin/HEAD");
        info.refspecs.push(format!("+{sha}:{target}"));
        if wanted.depth == 0 {
            info.refspecs
                .push("+refs/heads/*:refs/remotes/origin/*".to_owned());
        }
        if wanted.depth == 0 || wanted.tags {
            info.refspecs.push("+refs/tags/*:refs/tags/*".to_owned());
        }
        // One commit of a repository on this machine is its history, cut off by a mark.
        let cut = wanted.depth == 1;
        let borrowed = local::borrow(&GitInfo {
            depth: if cut { 0 } else { wanted.depth },
            ..info.clone()
        });
        let branch = git_ref.and_then(|git_ref| git_ref.strip_prefix("refs/heads/"));
        let mut dot_git = DotGit {
            origin: &remote.address,
            head: sha,
            branch,
            ..DotGit::default()
        };
        if let Some(borrowed) = &borrowed {
            dot_git.alternate = Some(&borrowed.objects);
            dot_git.refs = borrowed.refs.clone();
            dot_git.shallow = match cut {
                true => Some(format!("{sha}\n").into_bytes()),
                false => borrowed.shallow.clone(),
            };
        }
        if git_ref.is_none() {
            // Only a name for git's own sake.
            dot_git.refs.retain(|(name, _)| name != target);
        }
        if let Some(branch) = branch {
            let name = format!("refs/heads/{branch}");
            dot_git.refs.push((name, sha.to_owned()));
        }
        dot_git
            .write(folder)
            .map_err(|error| Fault::of(format!("cannot write the repository: {error}")))?;
        if borrowed.is_none() {
            let git = &self.attempt.executor.settings.git;
            let program = sources::fetch(git, remote, &info, folder);
            self.helper(running, program, "git fetch").await?;
        }
        Ok(())
    }
}

/// Where the fetched ref stands in the new repository (actions/checkout: `ref-helper.ts`).
fn kept_as(git_ref: &str) -> String {
    if let Some(branch) = git_ref.strip_prefix("refs/heads/") {
        format!("refs/remotes/origin/{branch}")
    } else if let Some(pull) = git_ref.strip_prefix("refs/pull/") {
        format!("refs/remotes/pull/{pull}")
    } else {
        git_ref.to_owned()
    }
}

/// An empty folder, or one without a repository when its files shall stay. Blocks.
fn make_room(folder: &Path, clean: bool) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    if !clean {
        return workspace::remove(&folder.join(".git"));
    }
    for entry in std::fs::read_dir(folder)? {
        workspace::remove(&entry?.path())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("refs/heads/feature/x", "refs/remotes/origin/feature/x")]
    #[case("refs/pull/7/merge", "refs/remotes/pull/7/merge")]
    #[case("refs/tags/v1", "refs/tags/v1")]
    fn refs_stand_where_actions_checkout_puts_them(#[case] git_ref: &str, #[case] kept: &str) {
        assert_eq!(kept_as(git_ref), kept);
    }
}
