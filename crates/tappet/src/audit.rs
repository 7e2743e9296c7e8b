//! `tappet audit`: what was used and changed, and by whom.

use clap::{Args, Subcommand};

use crate::api::{ProjectName, query};
use crate::connection::{Connection, ListFlags};
use crate::exit;
use crate::output::{Column, Kind};

/// `tappet audit …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Entries, the newest first
    List {
        /// Only of this project [default: the whole server, for administrators]
        #[arg(long, value_name = "PROJECT")]
        project: Option<ProjectName>,
        /// Only from this time on, e.g. 2027-01-31 or 2027-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only before this time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        list: ListFlags,
    },
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::new("when", "/created_at", Kind::Ago),
    Column::text("who", "/details/author_name"),
    Column::text("what", "/event_name"),
    Column::text("project", "/details/entity_path"),
    Column::text("with", "/details/credential"),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        let Verb::List {
            project,
            since,
            until,
            list,
        } = self.verb;
        let path = project.map_or_else(
            || "/audit_events".to_owned(),
            |project| project.path("/audit_events"),
        );
        let filter = query(&[
            ("created_after", since.as_deref()),
            ("created_before", until.as_deref()),
        ]);
        let page = api.list(&format!("{path}{filter}"), list.limit).await?;
        output.list(&page, COLUMNS, "There are no such entries.")?;
        Ok(exit::SUCCESS)
    }
}
