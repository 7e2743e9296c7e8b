//! What developers and CI run: `cargo xtask <command>`.

mod bench;
mod ci;
mod clients;
mod command;
mod rpc;
mod setup;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What developers and CI run")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything CI does: format, lints, tests, docs, real clients
    Ci,
    /// Install what the tests need (Debian packages, Python packages)
    Setup,
    /// Tests of one crate, e.g. `cargo xtask test engine`; without a name, of all
    Test {
        /// Folder name below crates/
        name: Option<String>,
        /// Passed on to the test program
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Real clients against the real binary
    Clients,
    /// Write the code of crates/rpc from its protobuf files
    Rpc {
        /// Write nothing; fail if what is checked in is out of date
        #[arg(long)]
        check: bool,
    },
    /// Measure, beside the peers that are installed; writes bench/results/
    Bench(bench::Flags),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Ci => ci::run(),
        Command::Setup => setup::run(),
        Command::Test { name, arguments } => ci::test(name.as_deref(), &arguments),
        Command::Clients => clients::run(),
        Command::Rpc { check } => rpc::run(check),
        Command::Bench(flags) => bench::run(&flags),
    }
}
