//! `tappet status`: where a run, a job or an attempt stands.

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Api, Page};
use crate::connection::Connection;
use crate::exit;
use crate::id::{Id, Place};
use crate::output::{self, Column, Kind, Output};

/// `tappet status …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// A run (7 or r7), a job (j12) or an attempt (a15)
    id: Id,
    /// The job of the run with this name
    job: Option<String>,
}

const RUN: &[Column] = &[
    Column::text("run", "/id"),
    Column::new("status", "/status", Kind::Status),
    Column::text("ref", "/ref"),
    Column::text("commit", "/sha"),
    Column::text("started by", "/user/username"),
    Column::text("source", "/source"),
    Column::new("created", "/created_at", Kind::Time),
    Column::new("duration", "/duration", Kind::Seconds),
    Column::text("page", "/web_url"),
];

/// Jobs as the table of a run shows them.
const JOBS: &[Column] = &[
    Column::text("id", "/shown_id"),
    Column::text("stage", "/stage"),
    Column::text("job", "/name"),
    Column::new("status", "/status", Kind::Status),
    Column::new("time", "/duration", Kind::Seconds),
];

const JOB: &[Column] = &[
    Column::text("attempt", "/id"),
    Column::text("job", "/name"),
    Column::text("stage", "/stage"),
    Column::new("status", "/status", Kind::Status),
    Column::text("run", "/pipeline/id"),
    Column::text("ref", "/ref"),
    Column::new("tags", "/tag_list", Kind::List),
    Column::text("runner", "/runner/description"),
    Column::new("created", "/created_at", Kind::Time),
    Column::new("waited", "/queued_duration", Kind::Seconds),
    Column::new("duration", "/duration", Kind::Seconds),
    Column::text("page", "/web_url"),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        let place = Place::find(&api, self.id, self.job.as_deref()).await?;
        match place.attempt {
            Some(attempt) => {
                let job = api.get(&place.attempt_path(attempt, "")).await?;
                output.record(&job, JOB)?;
            }
            None => print_run(&api, output, &place).await?,
        }
        Ok(exit::SUCCESS)
    }
}

/// Prints a run and its jobs; as JSON `{"pipeline":…,"jobs":[…]}`.
pub async fn print_run(api: &Api, output: Output, place: &Place) -> anyhow::Result<()> {
    let run = api.get(&place.run_path("")).await?;
    let jobs = place.jobs(api).await?;
    if output == Output::Json {
        output::print_json(&json!({ "pipeline": run, "jobs": jobs }))?;
        return Ok(());
    }
    output.record(&run, RUN)?;
    if let Some(errors) = run["yaml_errors"].as_str() {
        output.say(format_args!("\n{errors}"))?;
    }
    if jobs.is_empty() {
        return Ok(());
    }
    output.say("")?;
    print_jobs(jobs)?;
    Ok(())
}

/// Prints jobs for people.
pub fn print_jobs(mut jobs: Vec<Value>) -> std::io::Result<()> {
    for job in &mut jobs {
        job["shown_id"] = format!("a{}", job["id"]).into();
    }
    let page = Page {
        items: jobs,
        has_more: false,
    };
    Output::Text.list(&page, JOBS, "")
}
