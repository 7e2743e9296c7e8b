//! `tappet protect`: branches and tags on which not everybody may start runs.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::api::{Api, ProjectName, segment};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Output};
use crate::role::Role;

/// `tappet protect …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Protected branches and tags of a project
    List {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        kind: RefKind,
        #[command(flatten)]
        list: ListFlags,
    },
    /// Protect a branch or tag
    Add {
        #[command(flatten)]
        one: One,
        /// Who may push to it, and so start runs on it
        #[arg(long, default_value = "maintainer")]
        role: Role,
    },
    /// Let everybody who may start runs start them on it, too
    Remove(One),
}

#[derive(Args)]
struct RefKind {
    /// Tags instead of branches
    #[arg(long)]
    tag: bool,
}

impl RefKind {
    fn path(&self, project: &ProjectName, rest: &str) -> String {
        let kind = if self.tag { "tags" } else { "branches" };
        project.path(&format!("/protected_{kind}{rest}"))
    }
}

#[derive(Args)]
struct One {
    /// Number or full path of the project
    project: ProjectName,
    /// Name, or a pattern such as release/*
    name: String,
    #[command(flatten)]
    kind: RefKind,
}

const BRANCHES: &[Column] = &[
    Column::text("branch", "/name"),
    Column::text("push", "/push_access_levels/0/access_level_description"),
    Column::text("merge", "/merge_access_levels/0/access_level_description"),
];

const TAGS: &[Column] = &[
    Column::text("tag", "/name"),
    Column::text("create", "/create_access_levels/0/access_level_description"),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List {
                project,
                kind,
                list,
            } => {
                let page = api.list(&kind.path(&project, ""), list.limit).await?;
                let (columns, none) = match kind.tag {
                    true => (TAGS, "No tag is protected."),
                    false => (BRANCHES, "No branch is protected."),
                };
                output.list(&page, columns, none)?;
            }
            Verb::Add { one, role } => add(&api, output, &one, role).await?,
            Verb::Remove(one) => {
                let path = one
                    .kind
                    .path(&one.project, &format!("/{}", segment(&one.name)));
                let answer = api.delete(&path).await?;
                output.done(
                    &answer,
                    format_args!("{} is no longer protected.", one.name),
                )?;
            }
        }
        Ok(exit::SUCCESS)
    }
}

async fn add(api: &Api, output: Output, one: &One, role: Role) -> anyhow::Result<()> {
    let level = role.level();
    let body = match one.kind.tag {
        true => json!({ "name": one.name, "create_access_level": level }),
        false => json!({
            "name": one.name, "push_access_level": level, "merge_access_level": level,
        }),
    };
    let answer = api.post(&one.kind.path(&one.project, ""), &body).await?;
    output.done(&answer, format_args!("{} is protected.", one.name))?;
    Ok(())
}
