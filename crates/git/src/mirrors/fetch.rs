//! The git commands that talk to a remote.
//!
//! The address reaches git as the setting `remote.tappet.url` and a password as an
//! environment variable that a credential helper prints, for that host alone; so
//! neither is in a process list or in a file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tappet_model::{RefKind, RefName};

use super::{FetchError, Mirrors, Wanted, local_failure};
use crate::address::RemoteUrl;
use crate::command::{self, Finished, RunError};

/// What the remote is called in our settings.
const REMOTE: &str = "tappet";
/// Prints the login when git asks for one; the values come from the environment.
const HELPER: &str = r#"!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$TAPPET_GIT_USER" "$TAPPET_GIT_PASSWORD"; }; f"#;
/// Everything that is mirrored.
const ALL: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
/// Where forges keep pull requests: GitHub, Gitea and Forgejo; GitLab; Bitbucket. As
/// patterns, those that a forge does not have are no error.
const PULL_REQUESTS: [&str; 3] = ["pull", "merge-requests", "pull-requests"];

impl Mirrors {
    /// Makes the mirror at `path`: complete, or not at all.
    pub(super) async fn copy(
        &self,
        key: &str,
        url: &RemoteUrl,
        path: &Path,
    ) -> Result<(), FetchError> {
        let limits = self.inner.limits;
        let fresh = path.with_extension("new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        fs::create_dir_all(&self.inner.dir)?;
        let mut init = self.inner.git.command();
        init.args(["init", "--quiet", "--bare", "--template=", "--"]);
        init.arg(&fresh);
        let made = command::run(init, limits.fetch)
            .await
            .map_err(local_failure)?;
        if !made.status.success() {
            return Err(local_failure(made.complaint()));
        }
        let branch = self.remote_head(url, &fresh).await?;
        self.fetch_into(&fresh, url, &ALL.map(str::to_owned), limits.first)
            .await?;
        if let Some(branch) = branch {
            fs::write(fresh.join("HEAD"), format!("ref: {branch}\n"))?;
        }
        fs::rename(&fresh, path)?;
        tracing::info!(key, %url, "mirrored");
        Ok(())
    }

    /// Brings what is wanted up to date. Refs that share their prefix come along, which
    /// lets one fetch take a ref that may be branch, tag or deleted.
    pub(super) async fn fetch(
        &self,
        key: &str,
        url: &RemoteUrl,
        wanted: &[Wanted],
    ) -> Result<(), FetchError> {
        let path = self.path(key)?;
        let limit = self.inner.limits.fetch;
        let mut refspecs: Vec<String> = wanted.iter().flat_map(refspecs).collect();
        refspecs.sort();
        refspecs.dedup();
        match self.fetch_into(&path, url, &refspecs, limit).await {
            // An old ref `a` that the remote deleted stands in the way of a new `a/b`.
            Err(FetchError::Unreachable { detail, .. }) if detail.contains("cannot lock ref") => {
                let all = ALL.map(str::to_owned);
                self.fetch_into(&path, url, &all, limit).await
            }
            outcome => outcome,
        }
    }

    async fn fetch_into(
        &self,
        git_dir: &Path,
        url: &RemoteUrl,
        refspecs: &[String],
        limit: Duration,
    ) -> Result<(), FetchError> {
        let mut arguments = vec!["fetch", "--quiet", "--prune", "--force", "--no-tags"];
        arguments.extend(["--no-write-fetch-head", "--no-auto-maintenance"]);
        arguments.extend(["--no-recurse-submodules", "--end-of-options", REMOTE]);
        arguments.extend(refspecs.iter().map(String::as_str));
        self.ask_remote(git_dir, url, &arguments, limit).await?;
        Ok(())
    }

    /// The full name of the branch that the remote's `HEAD` names.
    async fn remote_head(
        &self,
        url: &RemoteUrl,
        git_dir: &Path,
    ) -> Result<Option<String>, FetchError> {
        let arguments = ["ls-remote", "--symref", "--end-of-options", REMOTE, "HEAD"];
        let limit = self.inner.limits.fetch;
        let answer = self.ask_remote(git_dir, url, &arguments, limit).await?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let named = text.lines().find_map(|line| {
            let target = line.strip_prefix("ref: ")?.strip_suffix("\tHEAD")?;
            let name = RefName::new(target).ok()?;
            (name.split().0 == Some(RefKind::Branch)).then_some(name)
        });
        Ok(named.map(String::from))
    }

    async fn ask_remote(
        &self,
        git_dir: &Path,
        url: &RemoteUrl,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<Finished, FetchError> {
        let helper = url
            .login()
            .map(|login| format!("credential.{}.helper", login.origin));
        let mut settings = vec![("remote.tappet.url", url.as_str())];
        settings.extend(helper.as_deref().map(|key| (key, HELPER)));
        let mut command = self.inner.git.command_with_config(&settings);
        command.env("GIT_DIR", git_dir).args(arguments);
        if let Some(login) = url.login() {
            command.env("TAPPET_GIT_USER", &login.user);
            command.env("TAPPET_GIT_PASSWORD", &login.password);
        }
        let finished = command::run(command, limit)
            .await
            .map_err(|error| match error {
                RunError::Timeout(limit) => FetchError::Timeout {
                    url: url.clone(),
                    limit,
                },
                RunError::Io(error) => local_failure(error),
            })?;
        if finished.status.success() {
            return Ok(finished);
        }
        Err(FetchError::Unreachable {
            url: url.clone(),
            detail: without_password(finished.complaint(), url),
        })
    }
}

/// Git has no password to show, but a server may echo the one it was sent.
fn without_password(text: String, url: &RemoteUrl) -> String {
    match url.login() {
        Some(login) if login.password.len() >= 4 => text.replace(&login.password, "[hidden]"),
        _ => text,
    }
}

fn refspecs(wanted: &Wanted) -> Vec<String> {
    let name = match wanted {
        Wanted::Ref(name) => name,
        Wanted::Everything => return ALL.map(str::to_owned).to_vec(),
        Wanted::PullRequest(number) => {
            let of_request = PULL_REQUESTS
                .iter()
                .map(|folder| format!("+refs/{folder}/{number}/*:refs/tappet/{folder}/{number}/*"));
            return ALL
                .iter()
                .map(|spec| (*spec).to_owned())
                .chain(of_request)
                .collect();
        }
    };
    let (kind, short) = name.split();
    let folders = match kind {
        Some(RefKind::Branch) => &["heads"][..],
        Some(RefKind::Tag) => &["tags"],
        Some(RefKind::Commit | RefKind::PullRequest) => &[],
        None => &["heads", "tags"],
    };
    folders
        .iter()
        .map(|folder| format!("+refs/{folder}/{short}*:refs/{folder}/{short}*"))
        .collect()
}
