//! `tappet schedule variable`: variables of the runs of a schedule.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::One;
use crate::api::{Api, Page, read_value, segment};
use crate::output::{Column, Output};

/// `tappet schedule variable …`.
#[derive(Subcommand)]
pub enum Verb {
    /// Variables of a schedule, for its owner and maintainers
    List(One),
    /// Add a variable, or change its value
    Set {
        #[command(flatten)]
        one: One,
        /// Its name
        key: String,
        #[command(flatten)]
        value: ValueFlags,
        /// Jobs get the path of a file with the value
        #[arg(long)]
        file: bool,
    },
    /// Remove a variable
    Delete {
        #[command(flatten)]
        one: One,
        /// Its name
        key: String,
    },
}

/// Where a value comes from.
#[derive(Args)]
pub struct ValueFlags {
    /// Its value; better for secrets: --value-file, or standard input
    value: Option<String>,
    /// Read the value from a file; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "value")]
    value_file: Option<PathBuf>,
}

impl ValueFlags {
    /// The value.
    pub fn read(self) -> anyhow::Result<String> {
        read_value(self.value, self.value_file.as_deref())
    }
}

const COLUMNS: &[Column] = &[
    Column::text("key", "/key"),
    Column::text("value", "/value"),
    Column::text("type", "/variable_type"),
];

impl Verb {
    /// Does it.
    pub async fn run(self, api: &Api, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List(one) => {
                let schedule = api.get(&one.path("")).await?;
                let items = schedule["variables"].as_array().cloned();
                let none = match items {
                    Some(_) => "It has no variables.",
                    None => "Only its owner and maintainers see its variables.",
                };
                let page = Page {
                    items: items.unwrap_or_default(),
                    has_more: false,
                };
                output.list(&page, COLUMNS, none)?;
            }
            Self::Set {
                one,
                key,
                value,
                file,
            } => {
                let kind = if file { "file" } else { "env_var" };
                let body = json!({ "value": value.read()?, "variable_type": kind });
                let path = one.path(&format!("/variables/{}", segment(&key)));
                let answer = match api.put(&path, &body).await {
                    Err(error) if error.status() == Some(404) => {
                        let mut body = body;
                        body["key"] = key.as_str().into();
                        api.post(&one.path("/variables"), &body).await?
                    }
                    answer => answer?,
                };
                output.done(&answer, format_args!("Set {key} of schedule {}.", one.id))?;
            }
            Self::Delete { one, key } => {
                let path = one.path(&format!("/variables/{}", segment(&key)));
                let answer = api.delete(&path).await?;
                output.done(
                    &answer,
                    format_args!("Removed {key} from schedule {}.", one.id),
                )?;
            }
        }
        Ok(())
    }
}
