//! What every handler shares.

use std::net::IpAddr;
use std::sync::Arc;

use tappet_model::TriggerId;
use tappet_store::{Run, Store, StoreResult, User};
use tokio_util::sync::CancellationToken;

use crate::artifact_files::ArtifactFiles;
use crate::cache::CacheFiles;
use crate::changes::Changes;
use crate::config::Config;
use crate::dbt_files::DbtFiles;
use crate::device_logins::DeviceLogins;
use crate::dispatch::Dispatch;
use crate::due_task::Wake;
use crate::expiry::Expiry;
use crate::forge::Forge;
use crate::held::Held;
use crate::intake::Intake;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::passwords::Passwords;
use crate::push_hook::PushHooks;
use crate::rate::{Caller, Rate};
use crate::repositories::ProjectRepositories;
use crate::runner_process::RunnerProcess;
use crate::schedules::Schedules;
use crate::secrets::Secrets;
use crate::webhooks::Webhooks;
use crate::workflows::decisions::Decisions;

/// One running server.
pub struct App {
    /// What it was told.
    pub config: Config,
    /// What it remembers.
    pub store: Arc<dyn Store>,
    /// Keys and tokens.
    pub secrets: Secrets,
    /// Passwords of people.
    pub passwords: Passwords,
    /// Logs of attempts.
    pub logs: Logs,
    /// Uploaded files.
    pub artifact_files: ArtifactFiles,
    /// Files that clients keep here.
    pub cache_files: CacheFiles,
    /// Archives of dbt that clients upload.
    pub dbt_files: DbtFiles,
    /// Where commits are read.
    pub repositories: ProjectRepositories,
    /// Runners that wait for work.
    pub dispatch: Dispatch,
    /// Attempts that runners hold.
    pub held: Held,
    /// Who follows which run.
    pub changes: Changes,
    /// What starting a run needs between runs: parsed files, requests in flight.
    pub intake: Intake,
    /// Programs in terminals that want to be let in.
    pub device_logins: DeviceLogins,
    /// What stands in where a project takes no pushes.
    pub push_hooks: PushHooks,
    /// What webhooks have to tell.
    pub webhooks: Webhooks,
    /// What forges tell and are told.
    pub forge: Forge,
    /// When artifacts go.
    pub expiry: Expiry,
    /// When delayed jobs start.
    pub delays: Wake,
    /// When runs have waited for too long.
    pub holds: Wake,
    /// Jobs whose start is decided by how others ended.
    pub decisions: Decisions,
    /// When schedules are due.
    pub schedules: Schedules,
    /// Calls of each caller in this minute.
    pub calls: Rate<Caller>,
    /// Failures of each address to sign in to the pages in this minute.
    pub failed_sign_ins: Rate<Option<IpAddr>>,
    /// Uses of ended trigger tokens in this minute, for the audit log.
    pub refused_triggers: Rate<TriggerId>,
    /// Figures for Prometheus.
    pub metrics: Metrics,
    /// The embedded runner.
    pub runner_process: RunnerProcess,
    /// Ends every stream when the server stops.
    pub shutdown: CancellationToken,
}

impl App {
    /// Whom a run impersonates; nobody when a legacy trigger started it.
    pub async fn user_of(&self, run: &Run) -> StoreResult<Option<User>> {
        match run.user_id {
            Some(id) => self.store.user(id).await,
            None => Ok(None),
        }
    }
}

/// The state of the routers.
pub type SharedApp = Arc<App>;
