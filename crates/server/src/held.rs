//! Attempts that runners hold, as the runner protocol needs them at hand:
//! who may write, who has to stop, who has fallen silent.
//!
//! All of it is rebuilt from the store when the server starts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tappet_model::{AttemptId, ProjectId, RunnerId, Status};
use tappet_store::HeldAttempt;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};

/// Silence after which an attempt counts as lost. Our own runner calls every
/// 10 s, gitlab-runner every 30 s.
pub const LOST_AFTER: Duration = Duration::from_secs(60);

/// A runner past the job's own time limit gets this long to say so itself.
pub const TIMEOUT_GRACE: Duration = Duration::from_secs(60);

/// Attempts between hand-out and end.
#[derive(Default)]
pub struct Held {
    attempts: Mutex<HashMap<AttemptId, Holding>>,
    changed: Notify,
    released: Notify,
}

struct Holding {
    runner_id: RunnerId,
    system_id: String,
    project_id: Option<ProjectId>,
    status: watch::Sender<Status>,
    seen: Instant,
    deadline: Instant,
    /// Handed out by an earlier server process; nobody has spoken for it yet.
    unconfirmed: bool,
}

/// What happened to an attempt whose time is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overdue {
    /// Its runner has been silent for [`LOST_AFTER`].
    Lost,
    /// Its time limit and the grace have passed.
    TimedOut,
}

impl Held {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AttemptId, Holding>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the attempts that an earlier process handed out.
    pub fn restore(&self, attempts: Vec<HeldAttempt>, now: Instant, wall: tappet_model::Timestamp) {
        let mut held = self.lock();
        for attempt in attempts {
            let elapsed = wall.since(attempt.started_at);
            let limit = Duration::from_secs(attempt.timeout_s) + TIMEOUT_GRACE;
            held.insert(
                attempt.id,
                Holding {
                    runner_id: attempt.runner_id,
                    system_id: attempt.system_id,
                    project_id: None,
                    status: watch::Sender::new(attempt.status),
                    seen: now,
                    deadline: now + limit.saturating_sub(elapsed),
                    unconfirmed: true,
                },
            );
        }
        drop(held);
        self.changed.notify_one();
    }

    /// An attempt was handed out just now.
    pub fn hand_out(
        &self,
        id: AttemptId,
        runner_id: RunnerId,
        system_id: &str,
        project_id: ProjectId,
        timeout: Duration,
    ) {
        let now = Instant::now();
        self.lock().insert(
            id,
            Holding {
                runner_id,
                system_id: system_id.to_owned(),
                project_id: Some(project_id),
                status: watch::Sender::new(Status::Running),
                seen: now,
                deadline: now + timeout + TIMEOUT_GRACE,
                unconfirmed: false,
            },
        );
        self.changed.notify_one();
    }

    /// Its runner spoke. Gives the status that the runner must know, or `None`
    /// when the attempt is no longer held.
    pub fn seen(&self, id: AttemptId) -> Option<Status> {
        let mut held = self.lock();
        let holding = held.get_mut(&id)?;
        holding.seen = Instant::now();
        holding.unconfirmed = false;
        Some(*holding.status.borrow())
    }

    /// The status of a held attempt, as a value that changes.
    pub fn watch(&self, id: AttemptId) -> Option<watch::Receiver<Status>> {
        self.lock()
            .get(&id)
            .map(|holding| holding.status.subscribe())
    }

    /// Its runner has to stop it.
    pub fn canceling(&self, id: AttemptId) {
        if let Some(holding) = self.lock().get(&id) {
            holding.status.send_replace(Status::Canceling);
        }
    }

    /// It ended; `false` when it was not held.
    pub fn release(&self, id: AttemptId, status: Status) -> bool {
        match self.lock().remove(&id) {
            Some(holding) => {
                holding.status.send_replace(status);
                self.released.notify_waiters();
                true
            }
            None => false,
        }
    }

    /// How many attempts are held.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// No attempt is held.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// All held attempts.
    pub fn ids(&self) -> Vec<AttemptId> {
        let mut ids: Vec<_> = self.lock().keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Attempts of a runner that another process of it (other `system_id`) held.
    pub fn of_other_processes(&self, runner: RunnerId, system_id: &str) -> Vec<AttemptId> {
        self.select(|holding| holding.runner_id == runner && holding.system_id != system_id)
    }

    /// Attempts of one runner.
    pub fn of_runner(&self, runner: RunnerId) -> Vec<AttemptId> {
        self.select(|holding| holding.runner_id == runner)
    }

    /// An attempt that an earlier server process committed to this runner
    /// process but that never arrived: it is not among those that it holds.
    /// It counts as delivered from now on.
    pub fn undelivered(
        &self,
        runner: RunnerId,
        system_id: &str,
        holding_now: &[AttemptId],
    ) -> Option<AttemptId> {
        let mut held = self.lock();
        for id in holding_now {
            if let Some(holding) = held.get_mut(id) {
                holding.unconfirmed = false;
            }
        }
        let (id, holding) = held.iter_mut().find(|(_, holding)| {
            holding.unconfirmed && holding.runner_id == runner && holding.system_id == system_id
        })?;
        holding.unconfirmed = false;
        holding.seen = Instant::now();
        Some(*id)
    }

    fn select(&self, wanted: impl Fn(&Holding) -> bool) -> Vec<AttemptId> {
        let mut ids: Vec<_> = self
            .lock()
            .iter()
            .filter(|(_, holding)| wanted(holding))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// The project of an attempt handed out by this process.
    pub fn project(&self, id: AttemptId) -> Option<ProjectId> {
        self.lock().get(&id)?.project_id
    }

    /// Attempts whose time is over at `now`, and when to look again.
    pub fn overdue(&self, now: Instant) -> (Vec<(AttemptId, Overdue)>, Option<Instant>) {
        let mut over = Vec::new();
        let mut next: Option<Instant> = None;
        for (id, holding) in self.lock().iter() {
            let lost_at = holding.seen + LOST_AFTER;
            if holding.deadline <= now {
                over.push((*id, Overdue::TimedOut));
            } else if lost_at <= now {
                over.push((*id, Overdue::Lost));
            } else {
                let due = lost_at.min(holding.deadline);
                next = Some(next.map_or(due, |earlier| earlier.min(due)));
            }
        }
        (over, next)
    }

    /// Wakes at the next end of an attempt after this call.
    pub fn next_release(&self) -> Notified<'_> {
        self.released.notified()
    }

    /// Wakes when an attempt was handed out.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand_out(held: &Held, id: i64, runner: i64, system: &str) {
        held.hand_out(
            AttemptId(id),
            RunnerId(runner),
            system,
            ProjectId(1),
            LOST_AFTER * 10,
        );
    }

    #[test]
    fn a_silent_attempt_is_lost_and_a_speaking_one_is_not() {
        let held = Held::default();
        hand_out(&held, 1, 1, "a");
        let (over, next) = held.overdue(Instant::now());
        assert!(over.is_empty() && next.is_some());
        let later = Instant::now() + LOST_AFTER;
        assert_eq!(held.overdue(later).0, [(AttemptId(1), Overdue::Lost)]);
    }

    #[test]
    fn the_time_limit_ends_an_attempt_that_still_speaks() {
        let held = Held::default();
        held.hand_out(AttemptId(1), RunnerId(1), "a", ProjectId(1), Duration::ZERO);
        let later = Instant::now() + TIMEOUT_GRACE;
        assert_eq!(held.overdue(later).0, [(AttemptId(1), Overdue::TimedOut)]);
    }

    #[test]
    fn a_new_runner_process_does_not_own_what_the_old_one_held() {
        let held = Held::default();
        hand_out(&held, 1, 1, "old");
        hand_out(&held, 2, 1, "new");
        hand_out(&held, 3, 2, "other runner");
        assert_eq!(held.of_other_processes(RunnerId(1), "new"), [AttemptId(1)]);
    }

    #[test]
    fn only_what_never_arrived_is_offered_again() {
        let held = Held::default();
        let wall = tappet_model::Timestamp(0);
        let attempt = |id| HeldAttempt {
            id: AttemptId(id),
            run_id: tappet_model::RunId(1),
            status: Status::Running,
            runner_id: RunnerId(1),
            system_id: "r_1".into(),
            timeout_s: 3600,
            started_at: wall,
            seen_at: wall,
        };
        held.restore(vec![attempt(1), attempt(2)], Instant::now(), wall);
        hand_out(&held, 3, 1, "r_1");
        assert_eq!(
            held.undelivered(RunnerId(1), "r_1", &[AttemptId(1)]),
            Some(AttemptId(2))
        );
        assert_eq!(held.undelivered(RunnerId(1), "r_1", &[]), None);
    }

    #[test]
    fn a_cancel_reaches_whoever_watches() {
        let held = Held::default();
        hand_out(&held, 1, 1, "a");
        let watch = held.watch(AttemptId(1)).unwrap();
        held.canceling(AttemptId(1));
        assert_eq!(*watch.borrow(), Status::Canceling);
        assert!(held.release(AttemptId(1), Status::Canceled));
        assert_eq!(held.seen(AttemptId(1)), None);
    }
}
