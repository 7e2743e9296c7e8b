//! `tappet workflow run` and `dispatch`: starts a run, once, whatever the network
//! does, and waits for it if asked to.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::api::{Api, ProjectName};
use crate::connection::Connection;
use crate::id::Place;
use crate::output::{self, Output, paint};
use crate::{exit, idempotency_key, wait};

/// Flags of `workflow run`.
#[derive(Args)]
pub struct RunFlags {
    /// Full path
    project: ProjectName,
    /// One workflow of the repository, such as .depot/workflows/ci.yml
    #[arg(long, value_name = "PATH", conflicts_with = "files")]
    path: Option<String>,
    /// A workflow on this machine, which need not be committed; repeatable
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The commit, 40 digits [default: the newest of the default branch]
    #[arg(long, value_name = "SHA")]
    sha: Option<String>,
    /// Only this job, without those that it needs
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

/// Flags of `workflow dispatch`.
#[derive(Args)]
pub struct DispatchFlags {
    /// Full path
    project: ProjectName,
    /// Base name of the file, such as deploy.yml
    workflow: String,
    /// Branch or tag
    #[arg(long = "ref", value_name = "REF")]
    ref_name: String,
    /// An input of the workflow
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = input)]
    inputs: Vec<(String, String)>,
    #[command(flatten)]
    waiting: Waiting,
}

/// What both can do after the start.
#[derive(Args)]
struct Waiting {
    /// Wait for the end; the exit code is the run's (0 success, 1 failed, 2 invalid file,
    /// 130 canceled)
    #[arg(long)]
    wait: bool,
    /// Wait, and show the logs of all jobs as they grow
    #[arg(long)]
    follow: bool,
    /// The same key within a day gives the same run instead of another one [default: a new key]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

fn input(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// Starts workflows and prints their run, or its end.
pub async fn run(connection: &Connection, flags: RunFlags) -> anyhow::Result<u8> {
    let mut message = json!({ "repo": flags.project.to_string() });
    if !flags.files.is_empty() {
        let texts = flags.files.iter().map(|file| {
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
        });
        message["workflowContent"] = texts.collect::<Result<Vec<_>, _>>()?.into();
    }
    for (key, value) in [
        ("workflow", flags.path),
        ("sha", flags.sha),
        ("job", flags.job),
    ] {
        if let Some(value) = value {
            message[key] = value.into();
        }
    }
    start(connection, &flags.project, "Run", &message, &flags.waiting).await
}

/// Starts one workflow with inputs and prints its run, or its end.
pub async fn dispatch(connection: &Connection, flags: DispatchFlags) -> anyhow::Result<u8> {
    let inputs = flags.inputs.into_iter();
    let inputs: Map<String, Value> = inputs.map(|(name, value)| (name, value.into())).collect();
    let message = json!({
        "repo": flags.project.to_string(),
        "workflow": flags.workflow,
        "ref": flags.ref_name,
        "inputs": inputs,
    });
    let method = "DispatchWorkflow";
    start(connection, &flags.project, method, &message, &flags.waiting).await
}

async fn start(
    connection: &Connection,
    project: &ProjectName,
    method: &str,
    message: &Value,
    waiting: &Waiting,
) -> anyhow::Result<u8> {
    let (api, output) = connection.open()?;
    let key = idempotency_key::given_or_new(waiting.idempotency_key.as_deref())?;
    let started = api.ci_service_once(method, message, &key).await?;
    let run = started["runId"]
        .as_str()
        .context("the answer names no run")?;
    let line = format!("Started run {run} of {project}");
    if !(waiting.wait || waiting.follow) {
        output.done(&started, line)?;
        return Ok(exit::SUCCESS);
    }
    output::note(line)?;
    let id = run.strip_prefix('r').and_then(|id| id.parse().ok());
    let place = Place {
        project: project.path(""),
        run: id.with_context(|| format!("`{run}` is no id of a run"))?,
        attempt: None,
    };
    let invalid = || invalid_workflows(&api, run, output);
    wait::until_over(&api, output, &place, waiting.follow, invalid).await
}

/// A run with a workflow that could not be read has a code of its own, and says what
/// is wrong.
async fn invalid_workflows(api: &Api, run: &str, output: Output) -> anyhow::Result<Option<u8>> {
    let message = json!({ "runId": run });
    let status = api.ci_service("GetRunStatus", &message).await?;
    let workflows = status["workflows"].as_array();
    let errors: Vec<&str> = workflows
        .into_iter()
        .flatten()
        .filter_map(|workflow| workflow["errorMessage"].as_str())
        .filter(|error| !error.is_empty())
        .collect();
    if errors.is_empty() {
        return Ok(None);
    }
    if output == Output::Text {
        let (bad, plain) = (paint::BAD, anstyle::Reset);
        for error in errors {
            output::note(format_args!("{bad}error:{plain} {error}"))?;
        }
    }
    Ok(Some(exit::CONFIGURATION))
}
