//! `tappet schedule`: runs at fixed times.

mod variable;

pub use variable::ValueFlags;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::api::{ProjectName, given, query};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};

/// `tappet schedule …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Schedules of a project
    List {
        /// Number or full path
        project: ProjectName,
        /// Only these
        #[arg(long, value_parser = ["active", "inactive"])]
        scope: Option<String>,
        #[command(flatten)]
        list: ListFlags,
    },
    /// One schedule
    Show(One),
    /// Make a schedule; its runs have your rights
    Create {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        new: NewSchedule,
    },
    /// Change your schedule
    Update {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove a schedule
    Delete(One),
    /// Start its run now
    Play(One),
    /// Become its owner: its runs have your rights from then on
    TakeOwnership(One),
    /// Variables of its runs
    #[command(subcommand)]
    Variable(variable::Verb),
}

#[derive(Args)]
struct One {
    /// Number or full path of the project
    project: ProjectName,
    /// Number of the schedule, as `tappet schedule list` shows it
    #[arg(value_name = "SCHEDULE")]
    id: i64,
}

impl One {
    fn path(&self, rest: &str) -> String {
        self.project
            .path(&format!("/pipeline_schedules/{}{rest}", self.id))
    }
}

#[derive(Args, Serialize)]
struct NewSchedule {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// Branch or tag
    #[arg(long = "ref", value_name = "REF")]
    #[serde(rename = "ref")]
    ref_name: String,
    /// When, e.g. "0 4 * * *" for every day at four
    #[arg(long, value_name = "CRON")]
    cron: String,
    /// Time zone of the cron line, e.g. Europe/Berlin [default: UTC]
    #[arg(long = "time-zone", value_name = "ZONE")]
    cron_timezone: Option<String>,
    /// Whether it fires [default: true]
    #[arg(long, value_name = "BOOL")]
    active: Option<bool>,
}

#[derive(Args, Serialize)]
struct Settings {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Branch or tag
    #[arg(long = "ref", value_name = "REF")]
    #[serde(rename = "ref")]
    ref_name: Option<String>,
    /// When, e.g. "0 4 * * *" for every day at four
    #[arg(long, value_name = "CRON")]
    cron: Option<String>,
    /// Time zone of the cron line, e.g. Europe/Berlin
    #[arg(long = "time-zone", value_name = "ZONE")]
    cron_timezone: Option<String>,
    /// Whether it fires
    #[arg(long, value_name = "BOOL")]
    active: Option<bool>,
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("description", "/description"),
    Column::text("ref", "/ref"),
    Column::text("cron", "/cron"),
    Column::text("zone", "/cron_timezone"),
    Column::new("active", "/active", Kind::Flag),
    Column::new("next run", "/next_run_at", Kind::Ago),
    Column::text("owner", "/owner/username"),
];

const FIELDS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("description", "/description"),
    Column::text("ref", "/ref"),
    Column::text("cron", "/cron"),
    Column::text("time zone", "/cron_timezone"),
    Column::new("active", "/active", Kind::Flag),
    Column::new("next run", "/next_run_at", Kind::Time),
    Column::text("last run", "/last_pipeline/id"),
    Column::new("its status", "/last_pipeline/status", Kind::Status),
    Column::text("owner", "/owner/username"),
    Column::new("created", "/created_at", Kind::Time),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List {
                project,
                scope,
                list,
            } => {
                let path = project.path("/pipeline_schedules");
                let path = format!("{path}{}", query(&[("scope", scope.as_deref())]));
                let page = api.list(&path, list.limit).await?;
                let none = format!("{project} has no such schedules.");
                output.list(&page, COLUMNS, &none)?;
            }
            Verb::Show(one) => output.record(&api.get(&one.path("")).await?, FIELDS)?,
            Verb::Create { project, new } => {
                let path = project.path("/pipeline_schedules");
                let made = api.post(&path, &given(&new)).await?;
                let text = format!("Made schedule {}. {}", made["id"], next_run(&made));
                output.done(&made, text)?;
            }
            Verb::Update { one, settings } => {
                let answer = api.put(&one.path(""), &given(&settings)).await?;
                let text = format!("Updated schedule {}. {}", one.id, next_run(&answer));
                output.done(&answer, text)?;
            }
            Verb::Delete(one) => {
                let answer = api.delete(&one.path("")).await?;
                output.done(&answer, format_args!("Removed schedule {}.", one.id))?;
            }
            Verb::Play(one) => {
                let answer = api.post(&one.path("/play"), &Value::Null).await?;
                let text = format!(
                    "Starting the run of schedule {}: `tappet schedule show {} {}` shows it.",
                    one.id, one.project, one.id
                );
                output.done(&answer, text)?;
            }
            Verb::TakeOwnership(one) => {
                let path = one.path("/take_ownership");
                let answer = api.post(&path, &Value::Null).await?;
                output.done(&answer, format_args!("Schedule {} is yours.", one.id))?;
            }
            Verb::Variable(verb) => verb.run(&api, output).await?,
        }
        Ok(exit::SUCCESS)
    }
}

fn next_run(schedule: &Value) -> String {
    match schedule["next_run_at"].as_str() {
        Some(next) if schedule["active"] == true => format!("Its next run: {next}."),
        _ => "It is switched off.".to_owned(),
    }
}
