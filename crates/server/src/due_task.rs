//! A task that sleeps until something is due, or until somebody says that this is
//! sooner than it was. Nothing is looked at in between.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tappet_model::Timestamp;
use tappet_store::StoreResult;
use tokio::sync::Notify;

use crate::app::{App, SharedApp};

/// After an error of the database the next look waits this long.
const AFTER_ERROR: Duration = Duration::from_secs(30);

/// Wakes such a task.
#[derive(Default)]
pub struct Wake(Notify);

impl Wake {
    /// Something may be due sooner than it was.
    pub fn changed(&self) {
        self.0.notify_one();
    }
}

/// Deals with everything that is due and says when to look again.
pub type Tick = for<'a> fn(&'a App) -> BoxFuture<'a, StoreResult<Option<Timestamp>>>;

/// Runs as long as the server. `what` is due, in words for the server's log.
pub async fn watch(app: SharedApp, wake: fn(&App) -> &Wake, tick: Tick, what: &'static str) {
    let clock = &app.config.clock;
    loop {
        let next = tick(&app).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for {what}");
            Some(clock.now().plus(AFTER_ERROR))
        });
        let due = async {
            match next {
                Some(at) => clock.approach(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = wake(&app).0.notified() => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}
