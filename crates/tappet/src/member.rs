//! `tappet member`: roles of people in a project.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{Api, ProjectName};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};
use crate::role::Role;
use crate::user;

/// `tappet member …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Members of a project
    List {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        list: ListFlags,
    },
    /// Give somebody a role
    Add {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        grant: Grant,
    },
    /// Change somebody's role
    Update {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        grant: Grant,
    },
    /// Take somebody's role away
    Remove(One),
}

#[derive(Args)]
struct One {
    /// Number or full path of the project
    project: ProjectName,
    /// Name or number of the person
    user: String,
}

impl One {
    async fn path(&self, api: &Api) -> anyhow::Result<String> {
        let id = user::id_of(api, &self.user).await?;
        Ok(self.project.path(&format!("/members/{id}")))
    }
}

#[derive(Args)]
struct Grant {
    /// What they may do: each role may do what those before it may
    #[arg(long)]
    role: Role,
    /// The last day of it, e.g. 2027-01-31
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
}

impl Grant {
    fn body(&self) -> Value {
        let mut body = json!({ "access_level": self.role.level() });
        if let Some(day) = &self.expires {
            body["expires_at"] = day.as_str().into();
        }
        body
    }
}

const COLUMNS: &[Column] = &[
    Column::text("user", "/id"),
    Column::text("username", "/username"),
    Column::text("name", "/name"),
    Column::new("role", "/access_level", Kind::Role),
    Column::text("expires", "/expires_at"),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List { project, list } => {
                let page = api.list(&project.path("/members"), list.limit).await?;
                output.list(&page, COLUMNS, &format!("{project} has no members."))?;
            }
            Verb::Add { one, grant } => {
                let mut body = grant.body();
                body["user_id"] = user::id_of(&api, &one.user).await?.into();
                let answer = api.post(&one.project.path("/members"), &body).await?;
                output.done(&answer, now(&one, grant.role))?;
            }
            Verb::Update { one, grant } => {
                let path = one.path(&api).await?;
                let answer = api.put(&path, &grant.body()).await?;
                output.done(&answer, now(&one, grant.role))?;
            }
            Verb::Remove(one) => {
                let answer = api.delete(&one.path(&api).await?).await?;
                let text = format!("{} is no longer a member of {}.", one.user, one.project);
                output.done(&answer, text)?;
            }
        }
        Ok(exit::SUCCESS)
    }
}

fn now(one: &One, role: Role) -> String {
    let role = Role::name(role.level()).unwrap_or_default();
    format!("{} is {role} of {} now.", one.user, one.project)
}
