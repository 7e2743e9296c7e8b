//! `cargo xtask bench`: figures of the release binary, beside the peers that are
//! installed, in one run. Ratios of one run mean something; single digits of
//! different runs do not.

mod accepted;
mod buildbot;
mod crash;
mod disk;
mod expressions;
mod first_line;
mod http;
mod lists;
mod log;
mod memory;
mod noop_jobs;
mod pull_requests;
mod report;
mod start;
mod statistics;
mod tappet;

use anyhow::Context;
use clap::Args;

use crate::command::run as command;
use report::{Report, Row};

/// What to measure.
#[derive(Args)]
pub struct Flags {
    /// Rows to measure: start, memory, first-line, accepted, workflows,
    /// pull-requests, expressions, noop, log, lists, crash, disk; all when none is named
    rows: Vec<String>,
    /// Repetitions of rows that are a median
    #[arg(long, default_value_t = 15)]
    samples: usize,
    /// Install Buildbot (from PyPI, into target/peers) to measure beside it
    #[arg(long)]
    install_peers: bool,
    /// Use the release binary as it is
    #[arg(long)]
    no_build: bool,
}

impl Flags {
    fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row)
    }
}

/// Measures, prints the table and writes `bench/results/`.
pub fn run(flags: &Flags) -> anyhow::Result<()> {
    if !flags.no_build {
        command(
            "cargo",
            &["build", "--release", "--locked", "--package", "tappet"],
        )?;
    }
    let buildbot = buildbot::find(flags.install_peers)?;
    if buildbot.is_none() {
        eprintln!(
            "Buildbot is not installed: measuring without a peer (--install-peers installs it)"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let report = runtime.block_on(measure(flags, buildbot.as_ref()))?;
    report.write()
}

async fn measure(flags: &Flags, peer: Option<&buildbot::Buildbot>) -> anyhow::Result<Report> {
    let mut rows: Vec<Row> = Vec::new();
    if flags.wants("start") {
        rows.push(start::measure(flags.samples, peer).await?);
    }
    if flags.wants("memory") {
        rows.push(memory::measure(peer).await?);
    }
    if flags.wants("first-line") {
        rows.extend(first_line::measure(flags.samples * 4, peer).await?);
    }
    if flags.wants("accepted") {
        rows.push(accepted::measure(peer).await?);
    }
    if flags.wants("workflows") {
        rows.push(accepted::measure_workflows().await?);
    }
    if flags.wants("pull-requests") {
        rows.push(pull_requests::measure(flags.samples * 20).await?);
    }
    if flags.wants("expressions") {
        rows.push(expressions::measure(flags.samples)?);
    }
    if flags.wants("noop") {
        rows.push(noop_jobs::measure(peer).await?);
    }
    if flags.wants("log") {
        rows.extend(log::measure(peer).await?);
    }
    if flags.wants("lists") {
        rows.extend(lists::measure(peer).await?);
    }
    if flags.wants("crash") {
        rows.push(crash::measure().await?);
    }
    if flags.wants("disk") {
        rows.push(disk::measure(peer).await?);
    }
    Ok(Report { rows })
}
