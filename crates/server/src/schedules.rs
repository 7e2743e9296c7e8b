//! Schedules: runs that start by the clock.
//!
//! Each active schedule has one due time in the store. A single task sleeps until
//! the earliest of them, or until a schedule changes; nothing is looked at in
//! between. What is due then is decided by [`decision`], a pure function, and
//! started through intake with the present rights of the schedule's owner.
//!
//! A due time is given away once: the store moves it on in the transaction that
//! creates the run, so that a crash at any moment neither loses nor doubles a run.
//! Due times that passed while the server was down or the clock was put forward
//! become one late run, or none where the instance says so. A clock that is put
//! back waits for due times that have not been dealt with yet.
//!
//! A repository that cannot be reached leaves its schedule due; it is tried again.
//! What cannot get better by itself, like a ref that is gone, is noted on the
//! schedule and in the audit log, and an owner who may start nothing any more ends
//! the schedule.

mod decision;
mod firing;
mod timetable;
mod variables;

use std::collections::HashMap;

use futures_util::StreamExt;
use tappet_model::{ScheduleId, Timestamp};
use tappet_store::StoreResult;
use tokio::sync::Mutex;

use crate::app::{App, SharedApp};
use crate::due_task::{self, Tick, Wake};

pub use decision::MissedSlots;
pub use firing::play;
pub use timetable::{Timetable, TimetableError};
pub use variables::{SEAL_CONTEXT, reveal, seal};

/// Runs that are started side by side; each may wait for a repository.
const AT_ONCE: usize = 8;

/// What the task remembers between due times; all of it can be lost.
#[derive(Default)]
pub struct Schedules {
    wake: Wake,
    /// Schedules that are due and could not start, with the time to try again.
    again: Mutex<HashMap<ScheduleId, Timestamp>>,
}

impl Schedules {
    /// A schedule may be due sooner than it was.
    pub fn changed(&self) {
        self.wake.changed();
    }
}

/// Runs as long as the server.
pub async fn watch(app: SharedApp) {
    let tick: Tick = |app| Box::pin(tick(app));
    due_task::watch(app, |app| &app.schedules.wake, tick, "due schedules").await;
}

/// Deals with everything that is due and says when to look again. Calls wait for
/// each other.
pub async fn tick(app: &App) -> StoreResult<Option<Timestamp>> {
    let mut again = app.schedules.again.lock().await;
    let now = app.config.clock.now();
    let mut due = app.store.due_schedules(now).await?;
    again.retain(|id, at| *at > now && due.iter().any(|schedule| schedule.id == *id));
    due.retain(|schedule| !again.contains_key(&schedule.id));
    let fired = futures_util::stream::iter(due)
        .map(async |schedule| (schedule.id, firing::fire(app, schedule, now).await))
        .buffer_unordered(AT_ONCE);
    let later: Vec<_> = fired
        .filter_map(async |(id, later)| Some((id, later?)))
        .collect()
        .await;
    again.extend(later);
    let next = app.store.next_schedule_time(now).await?;
    Ok(next.into_iter().chain(again.values().copied()).min())
}
