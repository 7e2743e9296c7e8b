//! From a [`Config`] to a server that answers, and back to nothing.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use tappet_engine::JobEvent;
use tappet_git::Git;
use tappet_model::Timestamp;
use tappet_store::{Action, SqliteOptions, SqliteStore, Store, Target};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::util::MapRequest;

use crate::app::{App, SharedApp};
use crate::artifact_files::ArtifactFiles;
use crate::cache::CacheFiles;
use crate::config::Config;
use crate::data_dir::{self, DataDir, DataDirError, Owner};
use crate::dbt_files::DbtFiles;
use crate::dispatch::Wish;
use crate::logs::Logs;
use crate::repositories::ProjectRepositories;
use crate::secrets::{self, Secrets, hash};
use crate::workflows::decisions::{self, Decisions};
use crate::{
    api, clock, delays, expiry, header_limit, instance, key_rotation, overdue, retention,
    runner_process, schedules, socket, ui,
};

/// After the drain, canceled jobs get this long to clean up.
const CANCEL_GRACE: Duration = Duration::from_secs(15);

/// A one-time sign-in link is good for this long.
const SIGN_IN_LIFE: Duration = Duration::from_secs(15 * 60);

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The address is taken, or is none of this machine's.
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A file in it.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The database.
    #[error("cannot open the database: {0}")]
    Store(#[from] tappet_store::StoreError),
    /// A rotation of keys that was begun and cannot go on.
    #[error("cannot move tokens to the new key: {0}")]
    Rotation(#[from] key_rotation::RotationError),
    /// Git.
    #[error(transparent)]
    Git(#[from] tappet_git::GitError),
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StartError {
    move |source| StartError::Io {
        what: what.into(),
        source,
    }
}

/// A server that answers.
pub struct Server {
    app: SharedApp,
    address: SocketAddr,
    root_token: String,
    new_root_token: bool,
    tasks: Vec<JoinHandle<()>>,
    supervisor: Option<JoinHandle<()>>,
    data_dir: DataDir,
}

impl Server {
    /// Opens everything and answers from then on. Runs that were under way go on.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        let mut data_dir = DataDir::open(&config.data_dir)?;
        let dir = data_dir.path().to_owned();
        config.data_dir.clone_from(&dir);

        let listener =
            TcpListener::bind(config.listen)
                .await
                .map_err(|source| StartError::Listen {
                    address: config.listen,
                    source,
                })?;
        let address = listener
            .local_addr()
            .map_err(io("read the listening address"))?;
        config.listen = address;
        data_dir.describe(&Owner::of_this_process(config.local_url()))?;

        let Opened { store, git, keys } = Opened::open(&config, &dir)?;
        let Keys {
            secrets,
            root_token,
            new_root_token,
            runner_token,
        } = keys;
        let now = clock::now();
        key_rotation::move_tokens(store.as_ref(), &secrets).await?;
        // Together, so that both share one sync of the database.
        tokio::try_join!(
            store.ensure_root(hash(&root_token), now),
            store.ensure_embedded_runner(hash(&runner_token), now),
        )?;
        let app = Arc::new(App {
            repositories: ProjectRepositories::new(git, &dir, config.allow_local_repositories),
            logs: Logs::new(&dir, config.log_limit_bytes),
            artifact_files: ArtifactFiles::new(&dir, config.artifact_limit_bytes),
            cache_files: CacheFiles::new(&dir, config.limits.cache_entry_bytes),
            dbt_files: DbtFiles::new(&dir, config.limits.dbt_archive_bytes),
            secrets,
            store,
            passwords: crate::passwords::Passwords::default(),
            dispatch: crate::dispatch::Dispatch::default(),
            held: crate::held::Held::default(),
            changes: crate::changes::Changes::default(),
            intake: crate::intake::Intake::default(),
            device_logins: crate::device_logins::DeviceLogins::default(),
            push_hooks: crate::push_hook::PushHooks::default(),
            webhooks: crate::webhooks::Webhooks::default(),
            forge: crate::forge::Forge::default(),
            expiry: expiry::Expiry::default(),
            delays: crate::due_task::Wake::default(),
            holds: crate::due_task::Wake::default(),
            decisions: Decisions::default(),
            schedules: schedules::Schedules::default(),
            calls: crate::rate::Rate::default(),
            failed_sign_ins: crate::rate::Rate::default(),
            refused_triggers: crate::rate::Rate::default(),
            metrics: crate::metrics::Metrics::default(),
            runner_process: runner_process::RunnerProcess::default(),
            shutdown: CancellationToken::new(),
            config,
        });
        restore(&app, now).await?;

        let socket = socket::listen(&dir).map_err(io("listen on runner.sock"))?;
        let tasks = vec![
            tokio::spawn(serve_tcp(app.clone(), listener)),
            tokio::spawn(serve_socket(app.clone(), socket)),
            tokio::spawn(overdue::watch(app.clone())),
            tokio::spawn(expiry::watch(app.clone())),
            tokio::spawn(crate::project_removal::purge(app.clone())),
            tokio::spawn(key_rotation::watch(app.clone())),
            tokio::spawn(delays::watch(app.clone())),
            tokio::spawn(crate::holds::watch(app.clone())),
            tokio::spawn(decisions::watch(app.clone())),
            tokio::spawn(schedules::watch(app.clone())),
            tokio::spawn(crate::webhooks::watch(app.clone())),
            tokio::spawn(crate::forge::watch(app.clone())),
            tokio::spawn(retention::watch(app.clone())),
        ];
        check_git(app.clone());
        let supervisor = start_runner(&app, dir)?;
        Ok(Self {
            app,
            address,
            root_token,
            new_root_token,
            tasks,
            supervisor,
            data_dir,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The state of the handlers.
    pub fn app(&self) -> &SharedApp {
        &self.app
    }

    /// Root's access token, and whether it was made just now.
    pub fn root_token(&self) -> (&str, bool) {
        (&self.root_token, self.new_root_token)
    }

    /// A link that signs root in once, within 15 minutes.
    pub async fn sign_in_link(&self) -> Result<String, tappet_store::StoreError> {
        let app = &self.app;
        let now = clock::now();
        let root = app.store.ensure_root(hash(&self.root_token), now).await?;
        let token = secrets::new_token("tpsi-");
        app.store
            .create_sign_in(hash(&token), root.id, now.plus(SIGN_IN_LIFE))
            .await?;
        Ok(app.config.url(&format!("/-/sign_in/{token}")))
    }

    /// Stops: hands out nothing more, lets running jobs go on for the drain,
    /// then cancels them; `hurry` cancels at once.
    pub async fn stop(self, hurry: CancellationToken) {
        let app = &self.app;
        app.dispatch.drain();
        let drained = wait_until_idle(app, Instant::now() + app.config.drain);
        tokio::select! {
            () = drained => {}
            () = hurry.cancelled() => {}
        }
        cancel_running(app).await;
        app.shutdown.cancel();
        if let Some(supervisor) = self.supervisor {
            let _ = supervisor.await;
        }
        for task in self.tasks {
            if tokio::time::timeout(Duration::from_secs(5), task)
                .await
                .is_err()
            {
                tracing::warn!("a connection did not end in time");
            }
        }
        if let Err(error) = app.store.close().await {
            tracing::error!(%error, "cannot close the database cleanly");
        }
        drop(self.data_dir);
    }
}

#[cfg(feature = "testing")]
impl Server {
    /// Ends as a killed process would: nothing is drained, canceled or told.
    pub async fn kill(self) {
        if let Some(supervisor) = self.supervisor {
            supervisor.abort();
        }
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        // Connections that are open go on, but reach nothing any more.
        let _ = self.app.store.close().await;
    }
}

/// What a start opens.
struct Opened {
    store: Arc<dyn Store>,
    git: Git,
    keys: Keys,
}

impl Opened {
    /// Opens keys and database side by side. Git is only located: starting it
    /// would take longer than all the rest.
    fn open(config: &Config, dir: &std::path::Path) -> Result<Self, StartError> {
        std::thread::scope(|scope| {
            let keys = scope.spawn(|| Keys::open(config, dir));
            let store = SqliteStore::open(&dir.join("tappet.db"), SqliteOptions::default());
            Ok(Self {
                git: Git::locate(&dir.join("git-home"))?,
                keys: keys.join().expect("reading keys does not panic")?,
                store: Arc::new(store?),
            })
        })
    }
}

/// The secret files of the data directory.
struct Keys {
    secrets: Secrets,
    root_token: String,
    new_root_token: bool,
    runner_token: String,
}

impl Keys {
    /// Reads them; the first start makes them.
    fn open(config: &Config, dir: &std::path::Path) -> Result<Self, StartError> {
        let secrets = Secrets::open(dir).map_err(io("open secret.key"))?;
        let (root_token, new_root_token) = root_token(config, dir)?;
        let path = dir.join("runner-token");
        let (runner_token, _) = data_dir::read_or_create(&path, || secrets::new_token("glrt-"))
            .map_err(io("write runner-token"))?;
        Ok(Self {
            secrets,
            root_token,
            new_root_token,
            runner_token,
        })
    }
}

fn root_token(config: &Config, dir: &std::path::Path) -> Result<(String, bool), StartError> {
    match &config.root_token {
        Some(token) => Ok((token.clone(), false)),
        None => data_dir::read_or_create(&dir.join("root-token"), || secrets::new_token("glpat-"))
            .map_err(io("write root-token")),
    }
}

/// What an earlier process left: attempts with runners, attempts in the queue.
async fn restore(app: &App, now: Timestamp) -> Result<(), StartError> {
    let held = app.store.executing_attempts().await?;
    app.held.restore(held, Instant::now(), now);
    for attempt in app.store.pending_attempts().await? {
        let wish = Wish {
            tags: &attempt.tags,
            has_steps: attempt.has_steps,
        };
        app.dispatch.enqueued(attempt.id, wish);
    }
    let artifacts = app.artifact_files.remove_leftovers().await;
    let cache = app.cache_files.remove_leftovers().await;
    let dbt = app.dbt_files.remove_leftovers().await;
    if let Err(error) = artifacts.and(cache).and(dbt) {
        tracing::warn!(%error, "cannot remove unfinished uploads");
    }
    if let Err(error) = app.sweep_dbt_files().await {
        tracing::warn!(%error, "cannot remove archives of dbt that nobody has");
    }
    Ok(())
}

/// Looks whether git is new enough; if not, the server is not ready.
fn check_git(app: SharedApp) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = app.repositories.git().check_version() {
            tracing::error!(%error, "runs cannot start");
            app.repositories.give_up(error.to_string());
        }
    });
}

fn start_runner(app: &SharedApp, dir: PathBuf) -> Result<Option<JoinHandle<()>>, StartError> {
    if app.config.slots == 0 {
        return Ok(None);
    }
    let program = match &app.config.runner_program {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(io("find the tappet program"))?,
    };
    Ok(Some(tokio::spawn(runner_process::supervise(
        app.clone(),
        dir,
        program,
    ))))
}

/// All routes of the HTTP port.
pub fn router(app: SharedApp) -> Router {
    let prefix = app.config.path_prefix().to_owned();
    let routes = Router::new()
        .merge(instance::routes().into_router())
        .merge(api::runner::router())
        .merge(api::depot::router(&app))
        .merge(api::gitlab::router(&app))
        .merge(api::datafold::router())
        .merge(ui::router());
    let routes = routes.layer(axum::middleware::from_fn_with_state(
        app.clone(),
        crate::metrics::count,
    ));
    let routes = if prefix.is_empty() {
        routes
    } else {
        // `nest` does not take the prefix with a slash behind it.
        let home = Redirect::permanent(&prefix);
        Router::new()
            .route(&format!("{prefix}/"), get(async move || home))
            .nest(&prefix, routes)
    };
    let routes = routes.layer(axum::middleware::from_fn(header_limit::limit));
    // Layers of a router come after its choice of a route.
    let tidied = MapRequest::new(routes.with_state(app), move |request| {
        api::tidy_path::tidy(request, &prefix)
    });
    Router::new().fallback_service(tidied)
}

async fn serve_tcp(app: SharedApp, listener: TcpListener) {
    use axum::serve::ListenerExt;

    // Small answers must not wait for the client's acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let stop = app.shutdown.clone().cancelled_owned();
    let routes = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, routes).with_graceful_shutdown(stop);
    if let Err(error) = server.into_future().await {
        tracing::error!(%error, "the HTTP port failed");
    }
}

async fn serve_socket(app: SharedApp, listener: UnixListener) {
    let stop = app.shutdown.clone().cancelled_owned();
    let routes = api::runner::router().with_state(app);
    let server = axum::serve(listener, routes).with_graceful_shutdown(stop);
    if let Err(error) = server.into_future().await {
        tracing::error!(%error, "the runner socket failed");
    }
}

async fn wait_until_idle(app: &App, until: Instant) {
    loop {
        let idle = app.held.next_release();
        if app.held.is_empty() {
            return;
        }
        tokio::select! {
            () = idle => {}
            () = tokio::time::sleep_until(until.into()) => return,
        }
    }
}

/// Cancels the runs whose jobs still run, and gives the jobs time to end.
async fn cancel_running(app: &App) {
    if app.held.is_empty() {
        return;
    }
    for id in app.held.ids() {
        let cancel = Action::Job(JobEvent::Cancel);
        if let Err(error) = app.act(Target::Attempt(id), cancel).await {
            tracing::warn!(attempt = %id, %error, "cannot cancel a job");
        }
    }
    wait_until_idle(app, Instant::now() + CANCEL_GRACE).await;
}
