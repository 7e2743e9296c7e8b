//! Attempts that runners hold, as the runner protocol needs them at hand:
//! who may write, who has to stop, who has fallen silent.
//!
//! All of it is rebuilt from the store when the server starts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tappet_model::{AttemptId, RunnerId, Status};
use tappet_store::HeldAttempt;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};

/// Silence after which an attempt counts as lost. Our own runner calls every
/// 10 s, gitlab-runner every 30 s.
pub const LOST_AFTER: Duration = Duration::from_secs(60);

/// A runner past the job's own time limit gets this long to say so itself.
pub const TIMEOUT_GRACE: Duration = Duration::from_secs(60);

/// A canceled job may still run its `after_script` (5 minutes by default); then
/// its runner gets the same grace.
pub const CANCEL_LIMIT: Duration = Duration::from_secs(6 * 60);

/// Attempts between hand-out and end.
#[derive(Default)]
pub struct Held {
    state: Mutex<State>,
    changed: Notify,
    released: Notify,
}

#[derive(Default)]
struct State {
    attempts: HashMap<AttemptId, Holding>,
    /// Claims between their commit and [`Held::hand_out`].
    claims: usize,
    /// What happened meanwhile to attempts that are not held; one of them may
    /// be the claimed one.
    meanwhile: HashMap<AttemptId, Status>,
}

struct Holding {
    runner_id: RunnerId,
    system_id: String,
    status: watch::Sender<Status>,
    seen: Instant,
    deadline: Instant,
    delivery: Delivery,
}

/// Whether the runner knows of its attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// It was told, or has spoken.
    Done,
    /// An earlier server process handed it out; nobody has spoken for it yet.
    Unknown,
    /// The connection broke before the answer was made.
    Failed,
}

/// A claim under way. From its begin on nothing that happens to the claimed
/// attempt is missed, although it is not held yet.
pub struct ClaimTurn<'a>(&'a Held);

impl Drop for ClaimTurn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.claims -= 1;
        if state.claims == 0 {
            state.meanwhile.clear();
        }
    }
}

/// What happened to an attempt whose time is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overdue {
    /// Its runner has been silent for [`LOST_AFTER`].
    Lost,
    /// Its time limit and the grace have passed.
    TimedOut,
    /// It was canceled [`CANCEL_LIMIT`] ago.
    NotStopped,
}

impl Held {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the attempts that an earlier process handed out.
    pub fn restore(&self, attempts: Vec<HeldAttempt>, now: Instant, wall: tappet_model::Timestamp) {
        let mut state = self.lock();
        for attempt in attempts {
            let elapsed = wall.since(attempt.started_at);
            let limit = Duration::from_secs(attempt.timeout_s) + TIMEOUT_GRACE;
            let mut left = limit.saturating_sub(elapsed);
            if attempt.status == Status::Canceling {
                left = left.min(CANCEL_LIMIT);
            }
            state.attempts.insert(
                attempt.id,
                Holding {
                    runner_id: attempt.runner_id,
                    system_id: attempt.system_id,
                    status: watch::Sender::new(attempt.status),
                    seen: now,
                    deadline: now + left,
                    delivery: Delivery::Unknown,
                },
            );
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Begins before a claim is sent to the store and lasts until the claimed
    /// attempt is handed out.
    pub fn begin_claim(&self) -> ClaimTurn<'_> {
        self.lock().claims += 1;
        ClaimTurn(self)
    }

    /// An attempt was handed out just now; `false` when it has ended already.
    pub fn hand_out(
        &self,
        id: AttemptId,
        runner_id: RunnerId,
        system_id: &str,
        timeout: Duration,
    ) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        let status = state.meanwhile.remove(&id).unwrap_or(Status::Running);
        if status.is_completed() {
            return false;
        }
        state.attempts.insert(
            id,
            Holding {
                runner_id,
                system_id: system_id.to_owned(),
                status: watch::Sender::new(status),
                seen: now,
                deadline: now + timeout + TIMEOUT_GRACE,
                delivery: Delivery::Done,
            },
        );
        drop(state);
        self.changed.notify_one();
        true
    }

    /// The runner went away before it was told of the attempt. Gives the runner
    /// and its process, if the attempt is still held.
    pub fn not_delivered(&self, id: AttemptId) -> Option<(RunnerId, String)> {
        let mut state = self.lock();
        let holding = state.attempts.get_mut(&id)?;
        holding.delivery = Delivery::Failed;
        Some((holding.runner_id, holding.system_id.clone()))
    }

    /// Its runner spoke. Gives the status that the runner must know, or `None`
    /// when the attempt is no longer held.
    pub fn seen(&self, id: AttemptId) -> Option<Status> {
        let mut state = self.lock();
        let holding = state.attempts.get_mut(&id)?;
        holding.seen = Instant::now();
        holding.delivery = Delivery::Done;
        Some(*holding.status.borrow())
    }

    /// The status of a held attempt, as a value that changes.
    pub fn watch(&self, id: AttemptId) -> Option<watch::Receiver<Status>> {
        let state = self.lock();
        let holding = state.attempts.get(&id)?;
        Some(holding.status.subscribe())
    }

    /// How many wait for news of an attempt.
    pub fn watchers(&self, id: AttemptId) -> usize {
        let state = self.lock();
        let holding = state.attempts.get(&id);
        holding.map_or(0, |holding| holding.status.receiver_count())
    }

    /// Its runner has to stop it.
    pub fn canceling(&self, id: AttemptId) {
        let mut state = self.lock();
        match state.attempts.get_mut(&id) {
            Some(holding) => {
                holding.deadline = holding.deadline.min(Instant::now() + CANCEL_LIMIT);
                holding.status.send_replace(Status::Canceling);
                self.changed.notify_one();
            }
            None => state.note(id, Status::Canceling),
        }
    }

    /// It ended; `false` when it was not held.
    pub fn release(&self, id: AttemptId, status: Status) -> bool {
        let mut state = self.lock();
        match state.attempts.remove(&id) {
            Some(holding) => {
                holding.status.send_replace(status);
                self.released.notify_waiters();
                true
            }
            None => {
                state.note(id, status);
                false
            }
        }
    }

    /// How many attempts are held.
    pub fn len(&self) -> usize {
        self.lock().attempts.len()
    }

    /// No attempt is held.
    pub fn is_empty(&self) -> bool {
        self.lock().attempts.is_empty()
    }

    /// All held attempts.
    pub fn ids(&self) -> Vec<AttemptId> {
        let mut ids: Vec<_> = self.lock().attempts.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Attempts of a runner that another process of it (other `system_id`) held.
    pub fn of_other_processes(&self, runner: RunnerId, system_id: &str) -> Vec<AttemptId> {
        self.select(|holding| holding.runner_id == runner && holding.system_id != system_id)
    }

    /// An attempt that is this runner process's but never arrived there; it
    /// counts as delivered from now on.
    ///
    /// One that an earlier server process handed out may have arrived. Only the
    /// runner can tell: it is offered again if the runner says what it holds
    /// (`holding_now`) and does not name it.
    pub fn undelivered(
        &self,
        runner: RunnerId,
        system_id: &str,
        holding_now: Option<&[AttemptId]>,
    ) -> Option<AttemptId> {
        let mut state = self.lock();
        for id in holding_now.unwrap_or_default() {
            if let Some(holding) = state.attempts.get_mut(id) {
                holding.delivery = Delivery::Done;
            }
        }
        let (id, holding) = state.attempts.iter_mut().find(|(_, holding)| {
            let is_missing = match holding.delivery {
                Delivery::Done => false,
                Delivery::Unknown => holding_now.is_some(),
                Delivery::Failed => true,
            };
            is_missing && holding.runner_id == runner && holding.system_id == system_id
        })?;
        holding.delivery = Delivery::Done;
        holding.seen = Instant::now();
        Some(*id)
    }

    fn select(&self, wanted: impl Fn(&Holding) -> bool) -> Vec<AttemptId> {
        let mut ids: Vec<_> = self
            .lock()
            .attempts
            .iter()
            .filter(|(_, holding)| wanted(holding))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// Attempts whose time is over at `now`, and when to look again.
    pub fn overdue(&self, now: Instant) -> (Vec<(AttemptId, Overdue)>, Option<Instant>) {
        let mut over = Vec::new();
        let mut next: Option<Instant> = None;
        for (id, holding) in self.lock().attempts.iter() {
            let lost_at = holding.seen + LOST_AFTER;
            if holding.deadline <= now {
                let is_canceling = *holding.status.borrow() == Status::Canceling;
                let overdue = if is_canceling {
                    Overdue::NotStopped
                } else {
                    Overdue::TimedOut
                };
                over.push((*id, overdue));
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

    /// Wakes when something may be due earlier than before.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl State {
    /// Remembers what happened to an attempt that is not held, while a claim
    /// may be about it.
    fn note(&mut self, id: AttemptId, status: Status) {
        if self.claims > 0 {
            self.meanwhile.insert(id, status);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand_out(held: &Held, id: i64, runner: i64, system: &str) {
        held.hand_out(AttemptId(id), RunnerId(runner), system, LOST_AFTER * 10);
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
        held.hand_out(AttemptId(1), RunnerId(1), "a", Duration::ZERO);
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

    fn restored(ids: &[i64], status: Status) -> Held {
        let held = Held::default();
        let wall = tappet_model::Timestamp(0);
        let attempts = ids.iter().map(|id| HeldAttempt {
            id: AttemptId(*id),
            run_id: tappet_model::RunId(1),
            status,
            runner_id: RunnerId(1),
            system_id: "r_1".into(),
            timeout_s: 3600,
            started_at: wall,
        });
        held.restore(attempts.collect(), Instant::now(), wall);
        held
    }

    #[test]
    fn only_what_never_arrived_is_offered_again() {
        let held = restored(&[1, 2], Status::Running);
        hand_out(&held, 3, 1, "r_1");
        let offered = |holding: &[i64]| {
            let holding: Vec<_> = holding.iter().copied().map(AttemptId).collect();
            held.undelivered(RunnerId(1), "r_1", Some(&holding))
        };
        assert_eq!(offered(&[1]), Some(AttemptId(2)));
        assert_eq!(offered(&[]), None, "both are settled now");
    }

    #[test]
    fn a_runner_that_does_not_say_what_it_holds_is_offered_nothing_twice() {
        let held = restored(&[1], Status::Running);
        assert_eq!(held.undelivered(RunnerId(1), "r_1", None), None);
    }

    #[test]
    fn an_attempt_whose_answer_was_never_made_goes_to_the_same_process_once() {
        let held = Held::default();
        hand_out(&held, 1, 1, "r_1");
        held.not_delivered(AttemptId(1));
        assert_eq!(held.undelivered(RunnerId(1), "r_2", None), None);
        let again = held.undelivered(RunnerId(1), "r_1", None);
        assert_eq!(again, Some(AttemptId(1)));
        assert_eq!(held.undelivered(RunnerId(1), "r_1", None), None);
    }

    #[test]
    fn an_attempt_that_ended_while_it_was_claimed_is_not_handed_out() {
        let held = Held::default();
        let turn = held.begin_claim();
        assert!(!held.release(AttemptId(1), Status::Canceled));
        held.canceling(AttemptId(2));
        let limit = LOST_AFTER;
        assert!(!held.hand_out(AttemptId(1), RunnerId(1), "a", limit));
        assert!(held.hand_out(AttemptId(2), RunnerId(1), "a", limit));
        assert_eq!(held.seen(AttemptId(2)), Some(Status::Canceling));
        drop(turn);
        assert!(held.hand_out(AttemptId(1), RunnerId(1), "a", limit));
    }

    #[test]
    fn a_canceled_attempt_does_not_run_until_its_time_limit() {
        let held = restored(&[1], Status::Canceling);
        hand_out(&held, 2, 1, "r_1");
        held.canceling(AttemptId(2));
        let (mut over, _) = held.overdue(Instant::now() + CANCEL_LIMIT);
        over.sort_by_key(|(id, _)| *id);
        let not_stopped = |id| (AttemptId(id), Overdue::NotStopped);
        assert_eq!(over, [not_stopped(1), not_stopped(2)]);
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
