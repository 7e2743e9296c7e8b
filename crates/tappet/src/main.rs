//! The `tappet` program: every command is a file of this crate.

mod cli;
mod client;
mod demo;
mod exit;
mod runner;
mod serve;
mod settings;

use clap::Parser;
use cli::{Cli, Command, RunnerCommand};

fn main() {
    let cli = Cli::parse();
    start_logging();
    let outcome = match cli.command {
        Command::Serve(flags) => serve::run(flags),
        Command::Demo(flags) => demo::run(&flags),
        Command::Runner {
            command: RunnerCommand::Embedded(flags),
        } => runner::run(flags),
    };
    match outcome {
        Ok(code) => std::process::exit(code.into()),
        Err(error) => {
            anstream::eprintln!("{}error:{} {error:#}", exit::RED, exit::RESET);
            std::process::exit(exit::FAILED.into());
        }
    }
}

/// Warnings and errors go to standard error; `TAPPET_LOG` asks for more
/// (`TAPPET_LOG=debug`).
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TAPPET_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
