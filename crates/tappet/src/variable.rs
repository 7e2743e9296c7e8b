//! `tappet variable`: variables that jobs get from a project, from a group (a
//! prefix of project paths) or from the whole server.

mod scope;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::api::{given, query, segment};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};
use crate::schedule::ValueFlags;
use scope::Scope;

/// `tappet variable …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// All of them
    List {
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        list: ListFlags,
    },
    /// One variable with its value
    Show {
        #[command(flatten)]
        scope: Scope,
        /// Its name
        key: String,
        /// The one for this environment
        #[arg(long, value_name = "SCOPE")]
        environment: Option<String>,
    },
    /// Add a variable, or change it
    Set {
        #[command(flatten)]
        scope: Scope,
        /// Its name
        key: String,
        #[command(flatten)]
        value: ValueFlags,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove a variable
    Delete {
        #[command(flatten)]
        scope: Scope,
        /// Its name
        key: String,
        /// The one for this environment
        #[arg(long, value_name = "SCOPE")]
        environment: Option<String>,
    },
}

/// `--flag` sets, `--flag false` takes back, without it nothing changes.
#[derive(Args, Serialize)]
struct Settings {
    /// Hide the value in logs
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    masked: Option<bool>,
    /// Hide the value in logs, and never show it again anywhere (only for a new variable)
    #[arg(long = "hidden", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    masked_and_hidden: Option<bool>,
    /// Give it only to runs of protected branches and tags
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    protected: Option<bool>,
    /// Take `$` in the value as it is
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    raw: Option<bool>,
    /// Jobs get the path of a file with the value
    #[arg(long)]
    #[serde(skip)]
    file: bool,
    /// Only for jobs of this environment, e.g. production or review/*
    #[arg(long = "environment", value_name = "SCOPE")]
    environment_scope: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

const COLUMNS: &[Column] = &[
    Column::text("key", "/key"),
    Column::text("environment", "/environment_scope"),
    Column::text("type", "/variable_type"),
    Column::new("protected", "/protected", Kind::Flag),
    Column::new("masked", "/masked", Kind::Flag),
    Column::new("hidden", "/hidden", Kind::Flag),
];

const FIELDS: &[Column] = &[
    Column::text("key", "/key"),
    Column::text("value", "/value"),
    Column::text("environment", "/environment_scope"),
    Column::text("type", "/variable_type"),
    Column::new("protected", "/protected", Kind::Flag),
    Column::new("masked", "/masked", Kind::Flag),
    Column::new("hidden", "/hidden", Kind::Flag),
    Column::new("raw", "/raw", Kind::Flag),
    Column::text("description", "/description"),
];

fn one(scope: &Scope, key: &str, environment: Option<&str>) -> String {
    let path = scope.path(&format!("/{}", segment(key)));
    let filter = query(&[("filter[environment_scope]", environment)]);
    format!("{path}{filter}")
}

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List { scope, list } => {
                let page = api.list(&scope.path(""), list.limit).await?;
                output.list(&page, COLUMNS, &format!("{scope} has no variables."))?;
            }
            Verb::Show {
                scope,
                key,
                environment,
            } => {
                let path = one(&scope, &key, environment.as_deref());
                output.record(&api.get(&path).await?, FIELDS)?;
            }
            Verb::Set {
                scope,
                key,
                value,
                settings,
            } => {
                let mut body = given(&settings);
                body["value"] = value.read()?.into();
                if settings.file {
                    body["variable_type"] = "file".into();
                }
                let path = one(&scope, &key, settings.environment_scope.as_deref());
                let answer = match api.put(&path, &body).await {
                    Err(error) if error.status() == Some(404) => {
                        body["key"] = key.as_str().into();
                        api.post(&scope.path(""), &body).await?
                    }
                    answer => answer?,
                };
                output.done(&answer, format_args!("Set {key} of {scope}."))?;
            }
            Verb::Delete {
                scope,
                key,
                environment,
            } => {
                let answer: Value = api
                    .delete(&one(&scope, &key, environment.as_deref()))
                    .await?;
                output.done(&answer, format_args!("Removed {key} from {scope}."))?;
            }
        }
        Ok(exit::SUCCESS)
    }
}
