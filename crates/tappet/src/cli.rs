//! Commands and flags.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    audit, backup, ci_config, completions, doctor, eval, explain, gc, hook, logs, man, member,
    project, protect, restore, schedule, secret_key, status, steer, token, trigger, user, variable,
    workflow,
};

/// A self-hosted CI server whose runs are started by an API call.
#[derive(Parser)]
#[command(
    name = "tappet",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run the server with its embedded runner
    Serve(ServeFlags),
    /// Show a pipeline, started by an API call, run on a sample repository
    Demo(DemoFlags),
    /// Projects: git repositories with settings
    Project(project::Arguments),
    /// Trigger tokens, and runs started with them
    Trigger(trigger::Arguments),
    /// What projects do about pull requests
    CiConfig(ci_config::Arguments),
    /// Runs of workflows in GitHub Actions syntax
    Workflow(workflow::Arguments),
    /// Runs at fixed times
    Schedule(schedule::Arguments),
    /// Variables of a project, a group or the whole server
    Variable(variable::Arguments),
    /// Where a run, a job or an attempt stands
    Status(status::Arguments),
    /// Logs of a run, a job or an attempt
    Logs(logs::Arguments),
    /// Why a job waits, failed or was left out
    Explain(explain::Arguments),
    /// Cancel a run or a job
    Cancel(steer::Arguments),
    /// Repeat what failed or was canceled in a run, or one job
    Retry(steer::Arguments),
    /// Start a manual or delayed job now
    Play(steer::Arguments),
    /// Let the run of a pull request from a fork go, once you have read what it changes
    Approve(steer::RunArguments),
    /// Access tokens
    Token(token::Arguments),
    /// People
    User(user::Arguments),
    /// Roles of people in a project
    Member(member::Arguments),
    /// Protected branches and tags
    Protect(protect::Arguments),
    /// Webhooks that a project sends
    Hook(hook::Arguments),
    /// What was used and changed, and by whom
    Audit(audit::Arguments),
    /// Look for what could keep Tappet from working here
    Doctor(doctor::Arguments),
    /// What expressions are worth, read as JSON from standard input
    Eval(eval::Arguments),
    /// Print the completions of a shell
    Completions(completions::Arguments),
    /// Print the manual page of a command
    Man(man::Arguments),
    /// The key that everything secret in a data directory is encrypted with
    SecretKey(secret_key::Arguments),
    /// Remove what is too old to stay, or show what would go
    Gc(gc::Arguments),
    /// Write everything that a server keeps into one file, while it runs
    Backup(backup::Arguments),
    /// Make a data directory out of a backup
    Restore(restore::Arguments),
    /// Runner processes
    #[command(hide = true)]
    Runner {
        #[command(subcommand)]
        command: RunnerCommand,
    },
}

/// Kinds of runner processes.
#[derive(Subcommand)]
pub enum RunnerCommand {
    /// The runner that `serve` starts as its child
    Embedded(EmbeddedFlags),
}

/// Flags of `serve`. Each is also read from the environment and from
/// `tappet.toml` in the data directory; flags win, then the environment.
#[derive(Args, Clone, Default)]
pub struct ServeFlags {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "TAPPET_LISTEN", value_name = "ADDRESS", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// Directory for everything that lasts [default: ~/.local/share/tappet]
    #[arg(long, env = "TAPPET_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Database to use instead of SQLite in the data directory
    #[arg(long, env = "TAPPET_DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,
    /// Address that people and clients use, when it is not the listening one
    #[arg(long, env = "TAPPET_EXTERNAL_URL", value_name = "URL")]
    pub external_url: Option<String>,
    /// Jobs that the embedded runner runs at once; 0 for no runner [default: number of processors]
    #[arg(long, env = "TAPPET_SLOTS", value_name = "N")]
    pub slots: Option<u32>,
    /// How long running jobs may go on after SIGTERM, e.g. 30s or 5m [default: 30s]
    #[arg(long, env = "TAPPET_DRAIN", value_name = "TIME")]
    pub drain: Option<String>,
    /// Let webhooks reach this machine and private networks [default: only when listening on loopback]
    #[arg(long, env = "TAPPET_ALLOW_LOCAL_REQUESTS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_local_requests: Option<bool>,
    /// What becomes of schedules that were due while the server was down: one late
    /// `run`, or `skip` [default: run]
    #[arg(long, env = "TAPPET_MISSED_SCHEDULES", value_name = "WORD")]
    pub missed_schedules: Option<String>,
    /// What workflows started through Depot's API see: `filled` with their branch and the
    /// defaults of their inputs, or `bare` of both, as at Depot [default: filled]
    #[arg(long, env = "TAPPET_API_RUNS", value_name = "WORD")]
    pub api_runs: Option<String>,
    /// How long runs that ended stay, e.g. 90d, 12w or 2y [default: forever]
    #[arg(long, env = "TAPPET_KEEP_RUNS", value_name = "TIME")]
    pub keep_runs: Option<String>,
    /// How long logs of jobs stay [default: as long as their run]
    #[arg(long, env = "TAPPET_KEEP_LOGS", value_name = "TIME")]
    pub keep_logs: Option<String>,
    /// How long entries of the audit log stay [default: forever]
    #[arg(long, env = "TAPPET_KEEP_AUDIT", value_name = "TIME")]
    pub keep_audit: Option<String>,
    /// How long cached files stay that nobody uses [default: 14d]
    #[arg(long, env = "TAPPET_KEEP_CACHE", value_name = "TIME")]
    pub keep_cache: Option<String>,
    /// How long the events of runs that ended can be read again [default: 1d]
    #[arg(long, env = "TAPPET_KEEP_EVENTS", value_name = "TIME")]
    pub keep_events: Option<String>,
}

/// Flags of `demo`.
#[derive(Args)]
pub struct DemoFlags {
    /// End with the run's exit code instead of staying up
    #[arg(long)]
    pub once: bool,
    /// Port of the demo server; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub port: u16,
}

/// Flags of `runner embedded`.
#[derive(Args)]
pub struct EmbeddedFlags {
    /// The server's data directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Jobs at once
    #[arg(long, value_name = "N")]
    pub slots: u32,
}

/// Where to listen. Names are not looked up: they can mean several addresses.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "write an IP address and a port, as in 127.0.0.1:8080")
}
