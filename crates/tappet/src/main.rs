//! The `tappet` program: every command is a file of this crate.

mod api;
mod audit;
mod backup;
mod ci_config;
mod cli;
mod completions;
mod connection;
mod demo;
mod doctor;
mod eval;
mod exit;
mod explain;
mod follow;
mod gc;
mod hook;
mod id;
mod idempotency_key;
mod logs;
mod man;
mod member;
mod output;
mod progress;
mod project;
mod protect;
mod restore;
mod role;
mod runner;
mod schedule;
mod secret_key;
mod serve;
mod settings;
mod status;
mod steer;
mod token;
mod trigger;
mod user;
mod variable;
mod wait;
mod workflow;

use std::future::Future;

use anyhow::Context;
use clap::Parser;
use clap::error::ErrorKind;
use cli::{Cli, Command, RunnerCommand};
use output::paint;

fn main() {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => std::process::exit(explain_usage(&error).into()),
    };
    start_logging();
    let code = match run(command) {
        Ok(code) => code,
        Err(error) if exit::is_broken_pipe(&error) => exit::SUCCESS,
        Err(error) => {
            let (bad, plain) = (paint::BAD, anstyle::Reset);
            anstream::eprintln!("{bad}error:{plain} {}", in_words(&error));
            exit::of_error(&error)
        }
    };
    std::process::exit(code.into());
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Serve(flags) => serve::run(flags),
        Command::Demo(flags) => demo::run(&flags),
        Command::SecretKey(arguments) => arguments.run(),
        Command::Backup(arguments) => arguments.run(),
        Command::Restore(arguments) => arguments.run(),
        Command::Runner {
            command: RunnerCommand::Embedded(flags),
        } => runner::run(flags),
        Command::Eval(arguments) => arguments.run(),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
        Command::Project(arguments) => client(arguments.run()),
        Command::Trigger(arguments) => client(arguments.run()),
        Command::CiConfig(arguments) => client(arguments.run()),
        Command::Workflow(arguments) => client(arguments.run()),
        Command::Schedule(arguments) => client(arguments.run()),
        Command::Variable(arguments) => client(arguments.run()),
        Command::Status(arguments) => client(arguments.run()),
        Command::Logs(arguments) => client(arguments.run()),
        Command::Explain(arguments) => client(arguments.run()),
        Command::Cancel(arguments) => client(steer::cancel(arguments)),
        Command::Retry(arguments) => client(steer::retry(arguments)),
        Command::Play(arguments) => client(steer::play(arguments)),
        Command::Approve(arguments) => client(steer::approve(arguments)),
        Command::Token(arguments) => client(arguments.run()),
        Command::User(arguments) => client(arguments.run()),
        Command::Member(arguments) => client(arguments.run()),
        Command::Protect(arguments) => client(arguments.run()),
        Command::Hook(arguments) => client(arguments.run()),
        Command::Audit(arguments) => client(arguments.run()),
        Command::Gc(arguments) => client(arguments.run()),
        Command::Doctor(arguments) => client(arguments.run()),
    }
}

/// Runs a client verb: one thread is enough to wait for a server.
fn client(verb: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(verb)
}

/// The error and its causes, without those that its text tells already.
fn in_words(error: &anyhow::Error) -> String {
    let causes = error.chain().map(ToString::to_string);
    causes
        .reduce(|told, cause| match told.contains(&cause) {
            true => told,
            false => format!("{told}: {cause}"),
        })
        .unwrap_or_default()
}

/// Help and version are answers; anything else is wrong use.
fn explain_usage(error: &clap::Error) -> u8 {
    // Nowhere to complain when this cannot be written.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => exit::SUCCESS,
        _ => exit::USAGE,
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
