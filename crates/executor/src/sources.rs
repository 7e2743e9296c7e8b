//! The checkout: a fresh work tree at the commit of the job.
//!
//! A whole history on this machine is borrowed, not copied ([`local`]);
//! everything else is fetched. Either way the `.git` directory is written by
//! us, so nothing of the source's configuration or hooks is ever read.

use std::ffi::OsString;
use std::path::Path;

use tappet_git::Git;
use tappet_model::runner_protocol::GitInfo;

use crate::environment::Variables;
use crate::launcher::Program;

pub(crate) mod dot_git;
pub(crate) mod local;
pub(crate) mod submodules;

/// What `GIT_STRATEGY` asks for. A workspace is always fresh, so `clone` and `fetch` are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategy {
    /// Check out.
    Checkout,
    /// An empty directory.
    Nothing,
}

impl Strategy {
    pub fn of(variables: &Variables) -> Result<Self, String> {
        match variables.get("GIT_STRATEGY").as_ref() {
            "" | "clone" | "fetch" => Ok(Self::Checkout),
            "none" | "empty" => Ok(Self::Nothing),
            other => Err(format!(
                "GIT_STRATEGY is {other:?}; use one of \"clone\", \"fetch\", \"none\", \"empty\""
            )),
        }
    }
}

/// A repository address split into what may be stored and what may not.
#[derive(Debug)]
pub(crate) struct Remote {
    /// Without user and password.
    pub address: String,
    /// With them, when there are any.
    pub with_credentials: Option<String>,
}

impl Remote {
    pub fn of(info: &GitInfo) -> Result<Self, String> {
        let url = info.repo_url.as_str();
        if url.is_empty() || url.starts_with('-') || url.chars().any(char::is_control) {
            return Err("the job names no usable repository address".to_owned());
        }
        if let Some((scheme, rest)) = url.split_once("://")
            && matches!(scheme, "http" | "https")
        {
            let end = rest.find('/').unwrap_or(rest.len());
            if let Some(at) = rest[..end].rfind('@') {
                return Ok(Self {
                    address: format!("{scheme}://{}", &rest[at + 1..]),
                    with_credentials: Some(url.to_owned()),
                });
            }
        }
        Ok(Self {
            address: url.to_owned(),
            with_credentials: None,
        })
    }
}

/// Is `sha` a whole object id?
pub(crate) fn is_object_id(sha: &str) -> bool {
    matches!(sha.len(), 40 | 64) && sha.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A git command for the checkout in `project`.
pub(crate) fn command(git: &Git, extra: &[(&str, &str)], project: &Path, args: &[&str]) -> Program {
    let command = git.command_with_config(extra);
    let command = command.as_std();
    let env = command
        .get_envs()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
        .collect();
    Program {
        path: git.executable().to_owned(),
        args: args.iter().map(OsString::from).collect(),
        env,
        dir: project.to_owned(),
    }
}

/// Brings the refs of `info` into the empty repository in `project`.
pub(crate) fn fetch(git: &Git, remote: &Remote, info: &GitInfo, project: &Path) -> Program {
    let depth = format!("--depth={}", info.depth);
    let mut args = vec!["fetch", "--quiet", "--no-recurse-submodules", "--no-tags"];
    if info.depth > 0 {
        args.push(&depth);
    }
    args.extend(["--end-of-options", "origin"]);
    if info.refspecs.is_empty() {
        args.push(&info.sha);
    }
    args.extend(info.refspecs.iter().map(String::as_str));
    match &remote.with_credentials {
        Some(url) => {
            let key = format!("url.{url}.insteadOf");
            command(git, &[(&key, &remote.address)], project, &args)
        }
        None => command(git, &[], project, &args),
    }
}

/// Asks the repository for the commits of whole refs, of tags also what they point to.
pub(crate) fn list_remote(git: &Git, remote: &Remote, refs: &[String], project: &Path) -> Program {
    let peeled: Vec<String> = refs.iter().map(|name| format!("{name}^{{}}")).collect();
    let mut args = vec!["ls-remote", "--quiet", "--end-of-options"];
    args.push(remote.with_credentials.as_ref().unwrap_or(&remote.address));
    args.extend(refs.iter().chain(&peeled).map(String::as_str));
    command(git, &[], project, &args)
}

/// Fills index and work tree from HEAD.
pub(crate) fn check_out(git: &Git, project: &Path) -> Program {
    command(git, &[], project, &["read-tree", "--reset", "-u", "HEAD"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://ci:glcbt-x@host/a.git", "https://host/a.git", true)]
    #[case("https://host/a@b.git", "https://host/a@b.git", false)]
    #[case("file:///srv/a@b.git", "file:///srv/a@b.git", false)]
    #[case("ssh://git@host/a.git", "ssh://git@host/a.git", false)]
    fn credentials_do_not_stay_in_the_address(
        #[case] url: &str,
        #[case] address: &str,
        #[case] credentials: bool,
    ) {
        let remote = Remote::of(&GitInfo {
            repo_url: url.into(),
            ..GitInfo::default()
        })
        .unwrap();
        assert_eq!(remote.address, address);
        assert_eq!(remote.with_credentials.is_some(), credentials);
    }

    #[rstest]
    #[case("--upload-pack=x")]
    #[case("")]
    #[case("https://host/\nx")]
    fn an_address_that_could_be_an_option_is_refused(#[case] url: &str) {
        assert!(
            Remote::of(&GitInfo {
                repo_url: url.into(),
                ..GitInfo::default()
            })
            .is_err()
        );
    }
}
