//! `tappet trigger pr`: starts the run of a pull request, once, whatever the network
//! does, and waits for it if asked to.

use anyhow::Context;
use clap::Args;
use serde_json::json;

use crate::api::{Api, ProjectName};
use crate::exit::{self, Usage};
use crate::id::Place;
use crate::output::{self, Output};
use crate::{ci_config, idempotency_key, wait};

/// Branches that are looked through for the one with the commit.
const MAX_BRANCHES: usize = 10_000;

/// Flags of `trigger pr`.
#[derive(Args)]
pub struct PullRequestFlags {
    /// Number or full path
    project: ProjectName,
    /// Number of the pull request
    #[arg(long = "pr", value_name = "NUMBER")]
    number: i64,
    /// Its newest commit, 40 digits
    #[arg(long, value_name = "SHA")]
    sha: String,
    /// The commit to compare with, 40 digits: the head of the branch that it goes to, or
    /// where the branches parted
    #[arg(long, value_name = "SHA")]
    base_sha: String,
    /// The branch that it comes from [default: the one whose newest commit this is]
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// The branch that it goes to [default: the default branch of the project]
    #[arg(long, value_name = "BRANCH")]
    base_branch: Option<String>,
    /// Number of the CI config [default: the project's oldest]
    #[arg(long, value_name = "CONFIG")]
    config: Option<i64>,
    /// Wait for the end; the exit code is the run's (0 success, 1 failed, 2 invalid file,
    /// 4 waits at a manual job, 130 canceled)
    #[arg(long)]
    wait: bool,
    /// Wait, and show the logs of all jobs as they grow
    #[arg(long)]
    follow: bool,
    /// The same key within a day gives the same run instead of another one [default: a new key]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Starts the run and prints it, or its end.
pub async fn run(api: &Api, output: Output, flags: PullRequestFlags) -> anyhow::Result<u8> {
    let project = &flags.project;
    let config = match flags.config {
        Some(id) => id,
        None => oldest_config(api, project).await?,
    };
    let base_branch = match &flags.base_branch {
        Some(branch) => branch.clone(),
        None => default_branch(api, project).await?,
    };
    let head_branch = match &flags.branch {
        Some(branch) => branch.clone(),
        None => branch_at(api, project, &flags.sha).await?,
    };
    let body = json!({
        "pr_number": flags.number,
        "pr_branch": head_branch,
        "pr_sha": flags.sha,
        "base_branch": base_branch,
        "base_sha": flags.base_sha,
    });
    let key = idempotency_key::given_or_new(flags.idempotency_key.as_deref())?;
    let started = api
        .ci_post_once(&format!("/{config}/trigger"), &body, &key)
        .await?;
    let id = started["ci_run_id"]
        .as_i64()
        .context("the answer names no run")?;
    let line = format!(
        "Started run {id} of {project} for pull request {}",
        flags.number
    );
    if !(flags.wait || flags.follow) {
        output.done(&started, line)?;
        return Ok(exit::SUCCESS);
    }
    output::note(line)?;
    let place = Place {
        project: project.path(""),
        run: id,
        attempt: None,
    };
    let invalid = async || {
        let run = api.get(&place.run_path("")).await?;
        Ok((!run["yaml_errors"].is_null()).then_some(exit::CONFIGURATION))
    };
    wait::until_over(api, output, &place, flags.follow, invalid).await
}

async fn oldest_config(api: &Api, project: &ProjectName) -> anyhow::Result<i64> {
    let configs = ci_config::of_project(api, project).await?.items;
    let first = configs.first().and_then(|config| config["id"].as_i64());
    first.with_context(|| format!("{project} has no CI config"))
}

async fn default_branch(api: &Api, project: &ProjectName) -> anyhow::Result<String> {
    let answer = api.get(&project.path("")).await?;
    let branch = answer["default_branch"].as_str().map(str::to_owned);
    branch.ok_or_else(|| {
        Usage(format!(
            "nothing was started: {project} has no default branch\n\
             Name the branch that the pull request goes to with --base-branch."
        ))
        .into()
    })
}

/// The branch whose newest commit this is.
async fn branch_at(api: &Api, project: &ProjectName, sha: &str) -> anyhow::Result<String> {
    let branches = project.path("/repository/branches");
    let branches = api.list(&branches, MAX_BRANCHES).await?.items;
    let found = branches.iter().find(|branch| branch["commit"]["id"] == sha);
    let name = found.and_then(|branch| branch["name"].as_str());
    name.map(str::to_owned).ok_or_else(|| {
        Usage(format!(
            "nothing was started: no branch of {project} stands at {sha}\n\
             Push it, or name the branch that the pull request comes from with --branch."
        ))
        .into()
    })
}
