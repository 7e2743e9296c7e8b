//! `tappet token`: access tokens of people.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::api::{given, query};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};
use crate::user;

/// `tappet token …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Your access tokens; administrators see those of others, too
    List {
        /// Of this user (name or number)
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        #[command(flatten)]
        list: ListFlags,
    },
    /// Make an access token; it is shown once
    Create {
        /// For this user (name or number) [default: yourself]
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        #[command(flatten)]
        settings: NewToken,
    },
    /// End a token for good
    Revoke {
        /// Its number
        #[arg(value_name = "TOKEN_ID")]
        id: i64,
    },
    /// End a token and make another one in its place; it is shown once
    Rotate {
        /// Its number
        #[arg(value_name = "TOKEN_ID")]
        id: i64,
        #[command(flatten)]
        settings: Rotation,
    },
}

#[derive(Args, Serialize)]
struct NewToken {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What it may do: api, read_api …
    #[arg(long = "scope", value_name = "SCOPE", default_value = "api")]
    scopes: Vec<String>,
    /// Its last day, e.g. 2027-01-31
    #[arg(long = "expires", value_name = "DAY")]
    expires_at: Option<String>,
}

#[derive(Args, Serialize)]
struct Rotation {
    /// Last day of the new one, e.g. 2027-01-31
    #[arg(long = "expires", value_name = "DAY")]
    expires_at: Option<String>,
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::text("user", "/user_id"),
    Column::new("scopes", "/scopes", Kind::List),
    Column::new("active", "/active", Kind::Flag),
    Column::new("last used", "/last_used_at", Kind::Ago),
    Column::text("expires", "/expires_at"),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List { user, list } => {
                let id = match &user {
                    Some(user) => Some(user::id_of(&api, user).await?.to_string()),
                    None => None,
                };
                let filter = query(&[("user_id", id.as_deref())]);
                let path = format!("/personal_access_tokens{filter}");
                let page = api.list(&path, list.limit).await?;
                output.list(&page, COLUMNS, "There are no access tokens.")?;
            }
            Verb::Create { user, settings } => {
                let id = match &user {
                    Some(user) => user::id_of(&api, user).await?,
                    None => user::own_id(&api).await?,
                };
                let path = format!("/users/{id}/personal_access_tokens");
                let token = api.post(&path, &given(&settings)).await?;
                output.done(&token, shown_once(&token))?;
            }
            Verb::Revoke { id } => {
                let answer = api.delete(&format!("/personal_access_tokens/{id}")).await?;
                output.done(&answer, format_args!("Revoked token {id}."))?;
            }
            Verb::Rotate { id, settings } => {
                let path = format!("/personal_access_tokens/{id}/rotate");
                let token = api.post(&path, &given(&settings)).await?;
                output.done(&token, shown_once(&token))?;
            }
        }
        Ok(exit::SUCCESS)
    }
}

fn shown_once(token: &Value) -> String {
    format!(
        "Made token {}. It is shown only now:\n\n  {}",
        token["id"],
        token["token"].as_str().unwrap_or_default()
    )
}
