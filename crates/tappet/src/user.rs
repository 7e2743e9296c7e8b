//! `tappet user`: people.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::api::{Api, given, query, read_value};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};

/// `tappet user …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// People with an account
    List {
        /// Only those with this in their names
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        list: ListFlags,
    },
    /// One person
    Show {
        /// Name or number [default: yourself]
        user: Option<String>,
    },
    /// Make an account
    Create {
        #[command(flatten)]
        settings: NewUser,
        /// Read the password from a file; `-` is standard input [default: no password]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Lock somebody out: tokens, triggers and schedules of theirs stop, too
    Block {
        /// Name or number
        user: String,
    },
    /// Let somebody in again
    Unblock {
        /// Name or number
        user: String,
    },
}

#[derive(Args, Serialize)]
struct NewUser {
    /// The name to sign in with
    username: String,
    /// The name of the person [default: the same]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Address for mail
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// Make them an administrator
    #[arg(long)]
    admin: bool,
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("username", "/username"),
    Column::text("name", "/name"),
    Column::new("state", "/state", Kind::Status),
];

const FIELDS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("username", "/username"),
    Column::text("name", "/name"),
    Column::text("mail", "/email"),
    Column::new("state", "/state", Kind::Status),
    Column::new("administrator", "/is_admin", Kind::Flag),
    Column::new("created", "/created_at", Kind::Time),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List { search, list } => {
                let path = format!("/users{}", query(&[("search", search.as_deref())]));
                let page = api.list(&path, list.limit).await?;
                output.list(&page, COLUMNS, "Nobody is called that.")?;
            }
            Verb::Show { user: None } => output.record(&api.get("/user").await?, FIELDS)?,
            Verb::Show { user: Some(user) } => {
                let id = id_of(&api, &user).await?;
                output.record(&api.get(&format!("/users/{id}")).await?, FIELDS)?;
            }
            Verb::Create {
                mut settings,
                password_file,
            } => {
                settings.name.get_or_insert(settings.username.clone());
                let mut body = given(&settings);
                match password_file {
                    Some(file) => body["password"] = read_value(None, Some(&file))?.into(),
                    None => body["force_random_password"] = true.into(),
                }
                let user = api.post("/users", &body).await?;
                output.done(&user, created(&user))?;
            }
            Verb::Block { user } => {
                let id = id_of(&api, &user).await?;
                let answer = api
                    .post(&format!("/users/{id}/block"), &Value::Null)
                    .await?;
                output.done(&answer, format_args!("Blocked {user}."))?;
            }
            Verb::Unblock { user } => {
                let id = id_of(&api, &user).await?;
                let path = format!("/users/{id}/unblock");
                let answer = api.post(&path, &Value::Null).await?;
                output.done(&answer, format_args!("{user} is no longer blocked."))?;
            }
        }
        Ok(exit::SUCCESS)
    }
}

fn created(user: &Value) -> String {
    let name = user["username"].as_str().unwrap_or_default();
    format!(
        "Made account {} ({name}). Give it an access token:\n\n  \
         tappet token create --user {name} --name TEXT",
        user["id"]
    )
}

/// The number of a person who is named by number or username.
pub async fn id_of(api: &Api, user: &str) -> anyhow::Result<i64> {
    if let Ok(id) = user.parse() {
        return Ok(id);
    }
    let path = format!("/users{}", query(&[("username", Some(user))]));
    let found = api.get(&path).await?;
    found[0]["id"].as_i64().with_context(|| {
        format!("nobody is called `{user}`: `tappet user list` shows who there is")
    })
}

/// The number of the caller.
pub async fn own_id(api: &Api) -> anyhow::Result<i64> {
    let user = api.get("/user").await?;
    user["id"].as_i64().context("the answer names nobody")
}
