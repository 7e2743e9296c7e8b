//! A forge for tests: it speaks as much of the APIs of GitHub, GitLab, Gitea and
//! Bitbucket as Tappet uses, on a free port of this machine. What it is asked has to be
//! as the forge publishes it, down to unknown fields and lengths; statuses and comments
//! are kept as the forge would keep them, and it fails when it is told to.
//!
//! Never part of a release.

mod call;
mod comments;
mod delivery;
mod paging;
mod route;
mod shape;
mod state;
mod statuses;
mod trouble;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tappet_model::ForgeKind;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use call::RecordedCall;
pub use delivery::Delivery;
pub use state::{Comment, CommitStatus};
pub use trouble::Trouble;

use state::State;

/// The token that the forge accepts.
pub const TOKEN: &str = "fake-forge-token";

/// How long [`FakeForge::until`] waits; only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running forge with one repository. When it is dropped, it fails the test if
/// anything was asked that the real forge does not publish.
pub struct FakeForge {
    kind: ForgeKind,
    url: String,
    state: Arc<Mutex<State>>,
    changes: watch::Receiver<u64>,
}

impl FakeForge {
    /// Starts one, for as long as the runtime of the test runs.
    pub async fn start(kind: ForgeKind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port can be had");
        let address = listener.local_addr().expect("it has an address");
        let url = format!("http://{address}{}", base_path(kind));
        let (changed, changes) = watch::channel(0);
        let state = Arc::new(Mutex::new(State::new(kind, url.clone())));
        let shared = call::Shared {
            state: state.clone(),
            changed: Arc::new(changed),
        };
        let router = axum::Router::new()
            .fallback(call::receive)
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            kind,
            url,
            state,
            changes,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ForgeKind {
        self.kind
    }

    /// The base address of its API, with the path that such a forge has.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The full name of its repository.
    pub fn repository(&self) -> &'static str {
        repository(self.kind)
    }

    /// What goes wrong with the next calls, one after the other.
    pub fn trouble(&self, next: impl IntoIterator<Item = Trouble>) {
        self.state().trouble.extend(next);
    }

    /// From now on it does not know this commit.
    pub fn forget_commit(&self, sha: &str) {
        self.state().unknown_commits.insert(sha.to_owned());
    }

    /// From now on another token is the right one.
    pub fn revoke_token(&self) {
        self.state().token = "another-token".to_owned();
    }

    /// What stands beside a commit: the newest status of each name, oldest name first.
    pub fn statuses(&self, sha: &str) -> Vec<CommitStatus> {
        self.state().newest_statuses(sha)
    }

    /// All words that a status of a commit went through.
    pub fn words(&self, sha: &str, name: &str) -> Vec<String> {
        self.state().words(sha, name)
    }

    /// The comments on a pull request, oldest first.
    pub fn comments(&self, number: &str) -> Vec<Comment> {
        self.state().comments_of(number)
    }

    /// Somebody else writes a comment; its id.
    pub fn write_comment(&self, number: &str, text: &str) -> u64 {
        self.state().add_comment(number, text)
    }

    /// Somebody deletes a comment.
    pub fn delete_comment(&self, id: u64) {
        self.state().delete_comment(id);
    }

    /// All that was asked, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.state().calls.clone()
    }

    /// What was asked in a way that the forge does not publish; forgotten with this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state().violations)
    }

    /// Waits until `done` holds; looks again after every call.
    pub async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.clone();
        let wait = async {
            while !done(self) {
                changes.changed().await.expect("the forge lives");
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!(
                "waited in vain for {what}; it was asked: {:#?}",
                self.calls()
            );
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no call panicked")
    }
}

impl Drop for FakeForge {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.take_violations();
            assert!(
                violations.is_empty(),
                "{} would not take this: {violations:#?}",
                self.kind
            );
        }
    }
}

/// What comes before the paths of the API.
fn base_path(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::Github => "/api/v3",
        ForgeKind::Gitlab => "/api/v4",
        ForgeKind::Gitea => "/api/v1",
        ForgeKind::Bitbucket => "/2.0",
    }
}

/// The repository that each forge has; it is the one in the recorded payloads, too.
fn repository(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::Gitlab => "acme/shop/web",
        ForgeKind::Github | ForgeKind::Gitea | ForgeKind::Bitbucket => "acme/web",
    }
}
