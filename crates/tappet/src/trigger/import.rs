//! `tappet trigger import`: brings a token over from an old server, so that
//! scripts need not change.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Api, ProjectName, read_value};
use crate::output::Output;

/// Flags of `trigger import`.
#[derive(Args)]
pub struct ImportFlags {
    /// Number or full path
    project: ProjectName,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "imported")]
    description: String,
    /// Read the token from a file [default: standard input]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Nobody owns it: it starts runs of unprotected branches and tags only
    /// [default: you become its owner]
    #[arg(long)]
    legacy: bool,
}

/// Imports one token.
pub async fn run(api: &Api, output: Output, flags: ImportFlags) -> anyhow::Result<()> {
    let body = json!({
        "token": read_value(None, flags.token_file.as_deref())?.trim(),
        "description": flags.description,
    });
    let path = flags.project.path("/triggers/import");
    let mut trigger = api.post(&path, &body).await?;
    if !flags.legacy {
        let path = format!("/triggers/{}/take_ownership", trigger["id"]);
        trigger = api.post(&flags.project.path(&path), &Value::Null).await?;
    }
    let whose = if flags.legacy {
        "It has no owner"
    } else {
        "You own it"
    };
    output.done(
        &trigger,
        format_args!(
            "Imported trigger {} of {}. {whose}; scripts go on with the same token.",
            trigger["id"], flags.project
        ),
    )?;
    Ok(())
}
