//! What `actions/checkout` is to bring, from its inputs and the run.
//!
//! actions/checkout v4: `input-helper.ts`, `ref-helper.ts`.

use std::path::{Component, Path, PathBuf};

use super::action_inputs::{ActionInputs, Known};

/// The inputs of the action.
pub const INPUTS: &[Known<'static>] = &[
    known("repository", ""),
    known("ref", ""),
    known("token", ""),
    known("ssh-key", ""),
    known("ssh-known-hosts", ""),
    known("ssh-strict", "true"),
    known("ssh-user", "git"),
    known("persist-credentials", "true"),
    known("path", ""),
    known("clean", "true"),
    known("filter", ""),
    known("sparse-checkout", ""),
    known("sparse-checkout-cone-mode", "true"),
    known("fetch-depth", "1"),
    known("fetch-tags", "false"),
    known("show-progress", "true"),
    known("lfs", "false"),
    known("submodules", "false"),
    known("set-safe-directory", "true"),
    known("github-server-url", ""),
];

const fn known(name: &'static str, default: &'static str) -> Known<'static> {
    Known { name, default }
}

/// What the run itself is about.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// `acme/web`.
    pub repository: &'a str,
    /// A whole ref, or empty.
    pub git_ref: &'a str,
    /// The commit.
    pub sha: &'a str,
    /// Address of the server.
    pub server_url: &'a str,
    /// Whole path of the workspace.
    pub workspace: &'a str,
}

/// Which commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// This one, as the tip of this whole ref if there is one.
    Commit {
        /// 40 or 64 digits.
        sha: String,
        /// `refs/heads/main`.
        git_ref: Option<String>,
    },
    /// Whatever this name, or whole ref, means now.
    Named(String),
}

/// The folder of the input `path`, which may be written from the root of the file
/// system, as in `${{ github.workspace }}/x`.
fn below_workspace(path: &str, workspace: &str) -> Result<String, String> {
    let outside = || format!("Repository path '{path}' is not under the workspace");
    let path = Path::new(path);
    let below = match path.is_absolute() {
        true => path.strip_prefix(workspace).map_err(|_| outside())?,
        false => path,
    };
    let mut folder = PathBuf::new();
    for part in below.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => folder.push(name),
            _ => return Err(outside()),
        }
    }
    Ok(folder.to_string_lossy().into_owned())
}

impl Target {
    /// The output `ref`: a name as it was asked for, the whole ref of the run, or
    /// nothing for a commit. (actions/checkout: `input-helper.ts`, `main.ts`.)
    #[must_use]
    pub fn asked(&self) -> &str {
        match self {
            Self::Commit { git_ref, .. } => git_ref.as_deref().unwrap_or_default(),
            Self::Named(name) => name,
        }
    }
}

/// Which submodules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Submodules {
    /// None.
    No,
    /// Those of the repository.
    Own,
    /// Theirs too.
    Recursive,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkout {
    /// Which commit.
    pub target: Target,
    /// Folder below the workspace; empty: the workspace.
    pub path: String,
    /// Remove what is in the folder.
    pub clean: bool,
    /// 0: the whole history of all branches and tags.
    pub depth: u32,
    /// Bring tags too.
    pub tags: bool,
    /// Which submodules.
    pub submodules: Submodules,
}

impl Checkout {
    /// Reads the inputs.
    ///
    /// # Errors
    /// One asks for what cannot be done here; it is named.
    pub fn of(inputs: &ActionInputs, own: Own<'_>) -> Result<Self, String> {
        let repository = inputs.get("repository");
        if !repository.is_empty() && !repository.eq_ignore_ascii_case(own.repository) {
            return Err(format!(
                "The input 'repository' is '{repository}': only the run's own repository '{}' can be checked out",
                own.repository
            ));
        }
        for name in ["ssh-key", "filter", "sparse-checkout"] {
            if !inputs.get(name).is_empty() {
                return Err(format!(
                    "The input '{name}' of actions/checkout is not supported; remove it"
                ));
            }
        }
        if is_true(inputs, "lfs") {
            return Err(
                "The input 'lfs' of actions/checkout is not supported; run git lfs in a step of your own"
                    .to_owned(),
            );
        }
        let server = inputs.get("github-server-url");
        if !server.is_empty()
            && server.trim_end_matches('/') != own.server_url.trim_end_matches('/')
        {
            return Err(format!(
                "The input 'github-server-url' is '{server}': only the run's own server can be asked"
            ));
        }
        let path = below_workspace(inputs.get("path"), own.workspace)?;
        let submodules = match inputs.get("submodules").to_ascii_lowercase().as_str() {
            "recursive" => Submodules::Recursive,
            "true" => Submodules::Own,
            _ => Submodules::No,
        };
        Ok(Self {
            target: target(inputs.get("ref"), own),
            path,
            clean: is_true(inputs, "clean"),
            // The action takes what is no number as 0.
            depth: inputs.get("fetch-depth").parse().unwrap_or(0),
            tags: is_true(inputs, "fetch-tags"),
            submodules,
        })
    }
}

/// The action looks at these inputs without minding case or other words.
fn is_true(inputs: &ActionInputs, name: &str) -> bool {
    inputs.get(name).eq_ignore_ascii_case("true")
}

fn target(wanted: &str, own: Own<'_>) -> Target {
    let is_commit =
        |text: &str| matches!(text.len(), 40 | 64) && text.bytes().all(|c| c.is_ascii_hexdigit());
    if wanted.is_empty() && is_commit(own.sha) {
        let git_ref = match own.git_ref {
            "" => None,
            whole if whole.starts_with("refs/") => Some(whole.to_owned()),
            // Some events name a branch alone.
            short => Some(format!("refs/heads/{short}")),
        };
        return Target::Commit {
            sha: own.sha.to_owned(),
            git_ref,
        };
    }
    if is_commit(wanted) {
        return Target::Commit {
            sha: wanted.to_ascii_lowercase(),
            git_ref: None,
        };
    }
    let name = if wanted.is_empty() {
        own.git_ref
    } else {
        wanted
    };
    Target::Named(name.to_owned())
}

/// The whole ref and commit that `name` means in the answer of
/// `git ls-remote <url> <the patterns of [`candidates`]>`.
#[must_use]
pub fn resolve(name: &str, listing: &str) -> Option<(String, String)> {
    let lines: Vec<(&str, &str)> = listing
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(sha, name)| (name.trim(), sha.trim()))
        .collect();
    let sha_of = |wanted: &str| {
        lines
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, sha)| (*sha).to_owned())
    };
    candidates(name).into_iter().find_map(|candidate| {
        let peeled = sha_of(&format!("{candidate}^{{}}"));
        let sha = peeled.or_else(|| sha_of(&candidate))?;
        Some((candidate, sha))
    })
}

/// The whole refs that a name may mean, the likeliest first.
#[must_use]
pub fn candidates(name: &str) -> Vec<String> {
    if name.starts_with("refs/") {
        vec![name.to_owned()]
    } else {
        vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")]
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SHA: &str = "1111111111111111111111111111111111111111";
    const OTHER: &str = "2222222222222222222222222222222222222222";

    fn checkout(given: &[(&str, &str)], git_ref: &str) -> Result<Checkout, String> {
        let inputs = ActionInputs::new(given.iter().copied(), INPUTS);
        let own = Own {
            repository: "acme/web",
            git_ref,
            sha: SHA,
            server_url: "https://ci.example",
            workspace: "/builds/web",
        };
        Checkout::of(&inputs, own)
    }

    fn commit(sha: &str, git_ref: Option<&str>) -> Target {
        Target::Commit {
            sha: sha.to_owned(),
            git_ref: git_ref.map(str::to_owned),
        }
    }

    #[rstest]
    #[case("", "refs/heads/main", commit(SHA, Some("refs/heads/main")))]
    #[case("", "main", commit(SHA, Some("refs/heads/main")))]
    #[case("", "refs/tags/v1", commit(SHA, Some("refs/tags/v1")))]
    #[case("", "", commit(SHA, None))]
    #[case(OTHER, "refs/heads/main", commit(OTHER, None))]
    #[case("dev", "refs/heads/main", Target::Named("dev".into()))]
    #[case("refs/heads/dev", "", Target::Named("refs/heads/dev".into()))]
    fn the_commit_is_that_of_the_run_or_of_the_wanted_ref(
        #[case] wanted: &str,
        #[case] git_ref: &str,
        #[case] expected: Target,
    ) {
        assert_eq!(
            checkout(&[("ref", wanted)], git_ref).unwrap().target,
            expected
        );
    }

    #[test]
    fn the_defaults_are_those_of_the_action() {
        let checkout = checkout(&[], "").unwrap();
        assert_eq!(
            (checkout.depth, checkout.clean, checkout.tags),
            (1, true, false)
        );
        assert_eq!(checkout.submodules, Submodules::No);
        assert_eq!(checkout.path, "");
    }

    #[rstest]
    #[case("x/y", "x/y")]
    #[case("./x/", "x")]
    #[case(".", "")]
    #[case("/builds/web", "")]
    #[case("/builds/web/x", "x")]
    fn a_folder_may_be_named_from_the_root(#[case] path: &str, #[case] below: &str) {
        assert_eq!(checkout(&[("path", path)], "").unwrap().path, below);
    }

    #[rstest]
    #[case("v1", "refs/heads/main", "v1")]
    #[case("", "refs/heads/main", "refs/heads/main")]
    #[case(OTHER, "refs/heads/main", "")]
    fn the_output_is_the_ref_as_it_was_asked_for(
        #[case] wanted: &str,
        #[case] git_ref: &str,
        #[case] asked: &str,
    ) {
        let checkout = checkout(&[("ref", wanted)], git_ref).unwrap();
        assert_eq!(checkout.target.asked(), asked);
    }

    #[rstest]
    #[case("repository", "acme/other", "only the run's own repository 'acme/web'")]
    #[case("ssh-key", "key", "'ssh-key'")]
    #[case("filter", "blob:none", "'filter'")]
    #[case("sparse-checkout", "docs", "'sparse-checkout'")]
    #[case("lfs", "true", "'lfs'")]
    #[case("github-server-url", "https://github.com", "'github-server-url'")]
    #[case("path", "../x", "is not under the workspace")]
    #[case("path", "/x", "is not under the workspace")]
    #[case("path", "/builds/website", "is not under the workspace")]
    #[case("path", "/builds/web/../x", "is not under the workspace")]
    fn what_cannot_be_done_is_refused_by_name(
        #[case] name: &str,
        #[case] value: &str,
        #[case] text: &str,
    ) {
        let error = checkout(&[(name, value)], "").unwrap_err();
        assert!(error.contains(text), "{error}");
    }

    #[rstest]
    #[case("repository", "Acme/Web")]
    #[case("lfs", "false")]
    #[case("token", "x")]
    #[case("github-server-url", "https://ci.example/")]
    fn what_changes_nothing_is_taken(#[case] name: &str, #[case] value: &str) {
        assert!(checkout(&[(name, value)], "").is_ok());
    }

    #[rstest]
    #[case("dev", Some(("refs/heads/dev", SHA)))]
    #[case("v1", Some(("refs/tags/v1", OTHER)))]
    #[case("refs/tags/v1", Some(("refs/tags/v1", OTHER)))]
    #[case("none", None)]
    fn a_name_means_a_branch_before_a_tag(
        #[case] name: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        let listing = format!(
            "{SHA}\trefs/heads/dev\n{OTHER}\trefs/tags/dev\n{SHA}\trefs/tags/v1\n{OTHER}\trefs/tags/v1^{{}}\n"
        );
        let expected = expected.map(|(name, sha)| (name.to_owned(), sha.to_owned()));
        assert_eq!(resolve(name, &listing), expected);
    }
}
