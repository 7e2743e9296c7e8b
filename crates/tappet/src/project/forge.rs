//! `tappet project forge`: where the pull requests of a project are discussed.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::api::{Api, ProjectName, read_value};
use crate::connection::ListFlags;
use crate::output::{Column, Kind, Output};

/// What to do about the forge of a project.
#[derive(Subcommand)]
pub enum ForgeVerb {
    /// The forge of a project
    Show {
        /// Number or full path
        project: ProjectName,
    },
    /// Bind a project to its forge, or change how
    Set(Binding),
    /// Forget the forge: its webhooks are refused, and nothing is told there any more
    Remove {
        /// Number or full path
        project: ProjectName,
    },
    /// Webhook calls that came from there, newest first
    Deliveries {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        list: ListFlags,
    },
}

/// Flags of `project forge set`.
#[derive(Args)]
pub struct Binding {
    /// Number or full path
    project: ProjectName,
    /// Which API it speaks; gitea for Forgejo, too
    #[arg(long, value_parser = ["github", "gitlab", "gitea", "bitbucket"])]
    kind: String,
    /// What it calls the repository, e.g. acme/web
    #[arg(long, value_name = "NAME")]
    repository: String,
    /// Address of its API [default: that of github.com, gitlab.com or bitbucket.org]
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// Read the token with which it is called from a file; `-` is standard input
    /// [default: the token it has]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Read the secret of its webhook from a file [default: the one it has, or a new one]
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
}

const FIELDS: &[Column] = &[
    Column::text("kind", "/kind"),
    Column::text("repository", "/repository"),
    Column::text("api", "/api_url"),
    Column::text("webhook", "/webhook_url"),
    Column::text("last error", "/last_error"),
    Column::new("changed", "/updated_at", Kind::Time),
];

const DELIVERIES: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("event", "/event"),
    Column::text("outcome", "/outcome"),
    Column::new("runs", "/runs", Kind::List),
    Column::new("received", "/received_at", Kind::Ago),
];

/// Does it.
pub async fn run(api: &Api, output: Output, verb: ForgeVerb) -> anyhow::Result<()> {
    match verb {
        ForgeVerb::Show { project } => {
            output.record(&api.get(&project.path("/forge")).await?, FIELDS)?;
        }
        ForgeVerb::Set(binding) => set(api, output, binding).await?,
        ForgeVerb::Remove { project } => {
            let answer = api.delete(&project.path("/forge")).await?;
            output.done(&answer, format_args!("{project} has no forge any more."))?;
        }
        ForgeVerb::Deliveries { project, list } => {
            let path = project.path("/forge/deliveries");
            let none = format!(
                "Nothing came from the forge yet: enter the webhook there that \
                 `tappet project forge show {project}` tells."
            );
            output.list(&api.list(&path, list.limit).await?, DELIVERIES, &none)?;
        }
    }
    Ok(())
}

async fn set(api: &Api, output: Output, binding: Binding) -> anyhow::Result<()> {
    let mut body = json!({ "kind": binding.kind, "repository": binding.repository });
    if let Some(url) = binding.api_url {
        body["api_url"] = url.into();
    }
    if let Some(file) = binding.token_file {
        body["token"] = read_value(None, Some(&file))?.into();
    }
    if let Some(file) = binding.webhook_secret_file {
        body["webhook_secret"] = read_value(None, Some(&file))?.into();
    }
    let answer = api.put(&binding.project.path("/forge"), &body).await?;
    let mut text = format!(
        "{} is bound to {} at {}. Enter this webhook there, for pushes and pull requests, \
         as application/json:\n\n  {}\n",
        binding.project,
        binding.repository,
        answer["api_url"].as_str().unwrap_or_default(),
        answer["webhook_url"].as_str().unwrap_or_default(),
    );
    if let Some(secret) = answer["webhook_secret"].as_str() {
        text.push_str(&format!(
            "\nwith this secret, which is not shown again:\n\n  {secret}\n"
        ));
    }
    output.done(&answer, text.trim_end())?;
    Ok(())
}
