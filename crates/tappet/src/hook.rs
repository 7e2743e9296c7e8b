//! `tappet hook`: webhooks that a project sends.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::api::{ProjectName, read_value};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};

/// `tappet hook …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Webhooks of a project
    List {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        list: ListFlags,
    },
    /// Add a webhook
    Create {
        /// Number or full path
        project: ProjectName,
        /// Where to send it
        url: String,
        /// What to tell
        #[arg(long = "event", value_enum, default_value = "pipeline")]
        events: Vec<Event>,
        /// Read the secret that receivers check from a file; `-` is standard input
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// Accept any certificate of the receiver
        #[arg(long)]
        insecure: bool,
    },
    /// Remove a webhook
    Delete(One),
    /// Send it once, with the newest run
    Test {
        #[command(flatten)]
        one: One,
        /// As which event
        #[arg(long, value_enum, default_value = "pipeline")]
        event: Event,
    },
}

#[derive(Args)]
struct One {
    /// Number or full path of the project
    project: ProjectName,
    /// Number of the webhook, as `tappet hook list` shows it
    #[arg(value_name = "HOOK")]
    id: i64,
}

impl One {
    fn path(&self, rest: &str) -> String {
        self.project.path(&format!("/hooks/{}{rest}", self.id))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Event {
    /// A run has a new status.
    Pipeline,
    /// A job has a new status.
    Job,
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("url", "/url"),
    Column::new("pipeline", "/pipeline_events", Kind::Flag),
    Column::new("job", "/job_events", Kind::Flag),
    Column::text("state", "/alert_status"),
    Column::new("created", "/created_at", Kind::Ago),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List { project, list } => {
                let page = api.list(&project.path("/hooks"), list.limit).await?;
                output.list(&page, COLUMNS, &format!("{project} has no webhooks."))?;
            }
            Verb::Create {
                project,
                url,
                events,
                secret_file,
                insecure,
            } => {
                let mut body = json!({
                    "url": url,
                    "push_events": false,
                    "pipeline_events": events.contains(&Event::Pipeline),
                    "job_events": events.contains(&Event::Job),
                    "enable_ssl_verification": !insecure,
                });
                if let Some(file) = secret_file {
                    body["token"] = read_value(None, Some(&file))?.into();
                }
                let hook = api.post(&project.path("/hooks"), &body).await?;
                let text = format!(
                    "Added webhook {}. Try it: tappet hook test {project} {}",
                    hook["id"], hook["id"]
                );
                output.done(&hook, text)?;
            }
            Verb::Delete(one) => {
                let answer = api.delete(&one.path("")).await?;
                output.done(&answer, format_args!("Removed webhook {}.", one.id))?;
            }
            Verb::Test { one, event } => {
                let event = match event {
                    Event::Pipeline => "pipeline_events",
                    Event::Job => "job_events",
                };
                let path = one.path(&format!("/test/{event}"));
                let answer = api.post(&path, &Value::Null).await?;
                output.done(&answer, format_args!("Sent webhook {}.", one.id))?;
            }
        }
        Ok(exit::SUCCESS)
    }
}
