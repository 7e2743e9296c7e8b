//! `tappet cancel`, `retry`, `play` and `approve`.

use clap::Args;
use serde_json::Value;

use crate::connection::Connection;
use crate::exit::{self, Usage};
use crate::id::{Id, Place};

/// What they act on.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// A run (7 or r7), a job (j12) or an attempt (a15)
    id: Id,
    /// The job of the run with this name
    job: Option<String>,
}

/// What `approve` acts on.
#[derive(Args)]
pub struct RunArguments {
    #[command(flatten)]
    connection: Connection,
    /// A run (7 or r7)
    run: Id,
}

/// Cancels a run or a job.
pub async fn cancel(arguments: Arguments) -> anyhow::Result<u8> {
    act(arguments, "cancel", "Canceling").await
}

/// Repeats what failed or was canceled, or one job.
pub async fn retry(arguments: Arguments) -> anyhow::Result<u8> {
    act(arguments, "retry", "Repeating").await
}

/// Starts a manual or delayed job.
pub async fn play(arguments: Arguments) -> anyhow::Result<u8> {
    if matches!(arguments.id, Id::Run(_)) && arguments.job.is_none() {
        let text = "a run cannot be played, only a job of it: \
                    name the job behind the run, or write its id (j12)";
        return Err(Usage(text.to_owned()).into());
    }
    act(arguments, "play", "Starting").await
}

/// Lets a run go that waits for somebody's approval.
pub async fn approve(arguments: RunArguments) -> anyhow::Result<u8> {
    let Id::Run(id) = arguments.run else {
        return Err(Usage("only a run can be approved: write 7 or r7".to_owned()).into());
    };
    let (api, output) = arguments.connection.open()?;
    let answer = api
        .ci_post(&format!("/runs/{id}/approve"), &Value::Null)
        .await?;
    let status = answer["status"].as_str().unwrap_or("gone");
    output.done(
        &answer,
        format_args!("Approved run {id}: it is {status} now."),
    )?;
    Ok(exit::SUCCESS)
}

async fn act(arguments: Arguments, verb: &str, doing: &str) -> anyhow::Result<u8> {
    let (api, output) = arguments.connection.open()?;
    let place = Place::find(&api, arguments.id, arguments.job.as_deref()).await?;
    let (path, what) = match place.attempt {
        Some(attempt) => (place.attempt_path(attempt, &format!("/{verb}")), "job"),
        None => (place.run_path(&format!("/{verb}")), "run"),
    };
    let answer = api.post(&path, &Value::Null).await?;
    let name = match answer["name"].as_str() {
        Some(name) if what == "job" => {
            format!("job `{name}` (a{}) of run {}", answer["id"], place.run)
        }
        _ => format!("run {}", place.run),
    };
    let status = answer["status"].as_str().unwrap_or("gone");
    output.done(&answer, format_args!("{doing} {name}: it is {status} now."))?;
    Ok(exit::SUCCESS)
}
