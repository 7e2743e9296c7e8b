//! `tappet workflow`: runs of workflows in GitHub Actions syntax.

mod start;

use clap::{Args, Subcommand};

use crate::connection::Connection;

/// `tappet workflow …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run workflows of a project: all of a commit, one of them, or local files
    Run(start::RunFlags),
    /// Run one workflow as its `workflow_dispatch`, with inputs
    Dispatch(start::DispatchFlags),
}

impl Arguments {
    /// Does it; the exit code.
    pub async fn run(self) -> anyhow::Result<u8> {
        match self.verb {
            Verb::Run(flags) => start::run(&self.connection, flags).await,
            Verb::Dispatch(flags) => start::dispatch(&self.connection, flags).await,
        }
    }
}
