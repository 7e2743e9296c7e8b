//! `tappet trigger`: tokens that may start runs, and runs started with them.

mod import;
mod pull_request;
mod run;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::api::{ProjectName, given};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};

/// `tappet trigger …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start a run
    Run(run::RunFlags),
    /// Start the run of a pull request
    Pr(pull_request::PullRequestFlags),
    /// Trigger tokens of a project
    List {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        list: ListFlags,
    },
    /// One trigger token; whole only for its owner and administrators
    Show(One),
    /// Make a trigger token; you become its owner, and its runs have your rights
    Create {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        settings: NewTrigger,
    },
    /// Change the description of your trigger token
    Update {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        settings: ChangedTrigger,
    },
    /// End a trigger token for good
    Revoke(One),
    /// Become the owner of a trigger token: its runs have your rights from then on
    TakeOwnership(One),
    /// Bring a token over from an old server, so that scripts need not change
    Import(import::ImportFlags),
}

#[derive(Args)]
struct One {
    /// Number or full path of the project
    project: ProjectName,
    /// Number of the trigger, as `tappet trigger list` shows it
    #[arg(value_name = "TRIGGER")]
    id: i64,
}

impl One {
    fn path(&self, rest: &str) -> String {
        self.project.path(&format!("/triggers/{}{rest}", self.id))
    }
}

#[derive(Args, Serialize)]
struct NewTrigger {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// When it ends, e.g. 2027-01-31 or 2027-01-31T12:00:00Z
    #[arg(long = "expires", value_name = "TIME")]
    expires_at: Option<String>,
}

#[derive(Args, Serialize)]
struct ChangedTrigger {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: String,
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("description", "/description"),
    Column::new("token", "/token", Kind::Secret),
    Column::text("owner", "/owner/username"),
    Column::new("last used", "/last_used", Kind::Ago),
    Column::new("expires", "/expires_at", Kind::Ago),
];

const FIELDS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("description", "/description"),
    Column::text("token", "/token"),
    Column::text("owner", "/owner/username"),
    Column::new("created", "/created_at", Kind::Time),
    Column::new("last used", "/last_used", Kind::Time),
    Column::new("expires", "/expires_at", Kind::Time),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::Run(flags) => return run::run(&api, output, flags).await,
            Verb::Pr(flags) => return pull_request::run(&api, output, flags).await,
            Verb::List { project, list } => {
                let page = api.list(&project.path("/triggers"), list.limit).await?;
                let none = format!(
                    "{project} has no trigger tokens: make one with \
                     `tappet trigger create {project} --description TEXT`"
                );
                output.list(&page, COLUMNS, &none)?;
            }
            Verb::Show(one) => output.record(&api.get(&one.path("")).await?, FIELDS)?,
            Verb::Create { project, settings } => {
                let path = project.path("/triggers");
                let trigger = api.post(&path, &given(&settings)).await?;
                output.done(&trigger, created(&project, &trigger))?;
            }
            Verb::Update { one, settings } => {
                let trigger = api.put(&one.path(""), &given(&settings)).await?;
                output.done(&trigger, format_args!("Updated trigger {}.", one.id))?;
            }
            Verb::Revoke(one) => {
                let answer = api.delete(&one.path("")).await?;
                output.done(&answer, format_args!("Revoked trigger {}.", one.id))?;
            }
            Verb::TakeOwnership(one) => {
                let path = one.path("/take_ownership");
                let trigger = api.post(&path, &Value::Null).await?;
                let sentence = format!("Trigger {} is yours.", one.id);
                output.done(&trigger, sentence)?;
            }
            Verb::Import(flags) => import::run(&api, output, flags).await?,
        }
        Ok(exit::SUCCESS)
    }
}

fn created(project: &ProjectName, trigger: &Value) -> String {
    format!(
        "Made trigger {} of {project}. Its token:\n\n  {}\n\n\
         Start a run with it:\n\n  \
         TAPPET_TRIGGER_TOKEN={} tappet trigger run {project} --ref main",
        trigger["id"],
        trigger["token"].as_str().unwrap_or_default(),
        trigger["token"].as_str().unwrap_or_default(),
    )
}
