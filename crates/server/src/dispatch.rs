//! Brings pending attempts and waiting runners together.
//!
//! A runner that finds nothing waits here; an attempt that becomes pending
//! wakes the one that has waited longest and fits. Nothing polls.

pub mod build_names;
mod environment;
mod handover;
mod payload;
pub mod predefined;
mod pull_request_variables;
mod steps;
mod uploads;
mod variables;

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use handover::Handover;
pub use payload::{payload, shows_variables};
pub use pull_request_variables::PullRequestFacts;
use tappet_model::{AttemptId, RunnerId, tags};
use tappet_store::{Claim, StoreError};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
pub use variables::{AssembledVariables, JobVariableLayers};

use crate::app::SharedApp;

/// The waiting side of the queue. The queue itself is in the store.
#[derive(Default)]
pub struct Dispatch {
    waiters: Mutex<Waiters>,
    /// Set when the server stops handing out.
    draining: CancellationToken,
}

#[derive(Default)]
struct Waiters {
    next_id: u64,
    queue: VecDeque<Waiter>,
    /// Attempts known to wait, for the queue limit.
    pending: HashSet<AttemptId>,
    /// Attempts that were claimed before they were known to wait.
    claimed_early: HashSet<AttemptId>,
}

/// What an attempt wants of its runner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wish<'a> {
    /// Its tags.
    pub tags: &'a [String],
    /// That it runs steps.
    pub has_steps: bool,
}

/// Why a waiting request is woken.
#[derive(Debug)]
struct Wake {
    /// Tags of the attempt.
    tags: Vec<String>,
    /// It has steps.
    has_steps: bool,
    /// The attempt is about to be committed.
    is_expected: bool,
}

struct Waiter {
    id: u64,
    claim: Claim,
    wake: oneshot::Sender<Wake>,
}

/// A place in the line of waiting runners. Dropped after it was woken but
/// before it took anything, it wakes the next one.
struct Place<'a> {
    dispatch: &'a Dispatch,
    id: u64,
    woken: oneshot::Receiver<Wake>,
    served: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.dispatch
            .lock()
            .queue
            .retain(|waiter| waiter.id != self.id);
        if !self.served {
            self.pass_on();
        }
    }
}

impl Place<'_> {
    /// Woken meanwhile for an attempt that it did not take: the next one that
    /// fits may.
    fn pass_on(&mut self) {
        if let Ok(wake) = self.woken.try_recv() {
            let wish = Wish {
                tags: &wake.tags,
                has_steps: wake.has_steps,
            };
            self.dispatch.wake(wish, false);
        }
    }
}

impl Dispatch {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt became pending: wakes a runner that fits.
    pub fn enqueued(&self, id: AttemptId, wish: Wish<'_>) {
        let mut waiters = self.lock();
        if waiters.claimed_early.remove(&id) {
            return;
        }
        waiters.pending.insert(id);
        drop(waiters);
        self.wake(wish, false);
    }

    /// An attempt is about to be committed as pending: wakes a runner that fits,
    /// so that its claim can share the commit. If it comes too early it finds
    /// nothing and waits on.
    pub fn expect(&self, wish: Wish<'_>) {
        self.wake(wish, true);
    }

    /// A runner took an attempt, maybe before this side knew that it waits.
    fn claimed(&self, id: AttemptId) {
        let mut waiters = self.lock();
        if !waiters.pending.remove(&id) {
            waiters.claimed_early.insert(id);
        }
    }

    /// An attempt is pending no longer.
    pub fn dequeued(&self, id: AttemptId) {
        self.lock().pending.remove(&id);
    }

    /// How many attempts wait for a runner.
    pub fn pending(&self) -> usize {
        self.lock().pending.len()
    }

    /// How many requests wait for an attempt.
    pub fn waiting(&self) -> usize {
        self.lock().queue.len()
    }

    fn wake(&self, wish: Wish<'_>, is_expected: bool) {
        let wake = || Wake {
            tags: wish.tags.to_vec(),
            has_steps: wish.has_steps,
            is_expected,
        };
        self.wake_first(wake, |claim| {
            (claim.runs_steps || !wish.has_steps)
                && tags::fit(&claim.tags, claim.run_untagged, wish.tags)
        });
    }

    /// Wakes a request of a runner process, for something that only it may have.
    fn wake_process(&self, runner: RunnerId, system_id: &str) {
        let wake = || Wake {
            tags: Vec::new(),
            has_steps: false,
            is_expected: false,
        };
        self.wake_first(wake, |claim| {
            claim.runner_id == runner && claim.system_id == system_id
        });
    }

    fn wake_first(&self, wake: impl Fn() -> Wake, wanted: impl Fn(&Claim) -> bool) {
        let mut waiters = self.lock();
        while let Some(at) = waiters.queue.iter().position(|one| wanted(&one.claim)) {
            let waiter = waiters
                .queue
                .remove(at)
                .expect("position is inside the queue");
            if waiter.wake.send(wake()).is_ok() {
                return;
            }
        }
    }

    fn queue_up(&self, claim: &Claim) -> Place<'_> {
        let (wake, woken) = oneshot::channel();
        let mut waiters = self.lock();
        let id = waiters.next_id;
        waiters.next_id += 1;
        waiters.queue.push_back(Waiter {
            id,
            claim: claim.clone(),
            wake,
        });
        Place {
            dispatch: self,
            id,
            woken,
            served: false,
        }
    }

    /// Hands out nothing any more; waiting runners go home.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// The server is stopping.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// The next attempt for a runner, waiting up to `patience` for one.
    /// `holding` is what the runner says it has in its hands, if it does.
    pub async fn next(
        &self,
        app: &SharedApp,
        mut claim: Claim,
        holding: Option<&[AttemptId]>,
        patience: Duration,
    ) -> Result<Option<Handover>, StoreError> {
        let give_up = tokio::time::Instant::now() + patience;
        let mut holding = holding;
        loop {
            // In line before looking, so that nothing is missed in between.
            let mut place = self.queue_up(&claim);
            if self.is_draining() {
                return Ok(None);
            }
            claim.now = crate::clock::now();
            // What the runner said counts for the moment when it asked.
            let mut taken = handover::again(app, &claim, holding.take()).await?;
            if taken.is_none() {
                taken = handover::claim(app, claim.clone()).await?;
            }
            if taken.is_some() {
                place.served = true;
                place.pass_on();
                return Ok(taken);
            }
            tokio::select! {
                woken = &mut place.woken => {
                    place.served = true;
                    claim.is_expected = woken.is_ok_and(|wake| wake.is_expected);
                }
                () = tokio::time::sleep_until(give_up) => return Ok(None),
                () = self.draining.cancelled() => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tappet_model::{RunnerId, Timestamp};

    fn tags(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn claim(words: &[&str]) -> Claim {
        Claim {
            runner_id: RunnerId(1),
            system_id: "r_1".into(),
            tags: tags(words),
            run_untagged: words.is_empty(),
            cancels_gracefully: true,
            runs_steps: false,
            is_expected: false,
            now: Timestamp(0),
        }
    }

    #[test]
    fn the_longest_waiting_runner_that_fits_is_woken() {
        let dispatch = Dispatch::default();
        let mut docker = dispatch.queue_up(&claim(&["docker"]));
        let mut first = dispatch.queue_up(&claim(&[]));
        let mut second = dispatch.queue_up(&claim(&[]));
        dispatch.enqueued(AttemptId(1), Wish::default());
        assert!(first.woken.try_recv().is_ok());
        assert!(second.woken.try_recv().is_err());
        assert!(docker.woken.try_recv().is_err());
    }

    #[test]
    fn an_attempt_with_steps_wakes_a_runner_that_runs_them() {
        let dispatch = Dispatch::default();
        let mut other = dispatch.queue_up(&claim(&[]));
        let mut ours = dispatch.queue_up(&Claim {
            runs_steps: true,
            ..claim(&[])
        });
        let wish = Wish {
            tags: &[],
            has_steps: true,
        };
        dispatch.enqueued(AttemptId(1), wish);
        assert!(ours.woken.try_recv().is_ok());
        assert!(other.woken.try_recv().is_err());
    }

    #[test]
    fn an_attempt_claimed_before_it_is_known_to_wait_wakes_nobody_and_is_not_counted() {
        let dispatch = Dispatch::default();
        let mut waiting = dispatch.queue_up(&claim(&[]));
        dispatch.claimed(AttemptId(1));
        dispatch.enqueued(AttemptId(1), Wish::default());
        assert!(waiting.woken.try_recv().is_err());
        assert_eq!(dispatch.pending(), 0);
        dispatch.enqueued(AttemptId(1), Wish::default());
        assert_eq!(dispatch.pending(), 1);
    }

    #[test]
    fn an_expected_attempt_wakes_a_runner_that_fits_and_says_so() {
        let dispatch = Dispatch::default();
        let mut docker = dispatch.queue_up(&claim(&["docker"]));
        let mut waiting = dispatch.queue_up(&claim(&[]));
        dispatch.expect(Wish::default());
        assert!(waiting.woken.try_recv().unwrap().is_expected);
        assert!(docker.woken.try_recv().is_err());
        assert_eq!(dispatch.pending(), 0);
    }

    #[test]
    fn a_runner_that_goes_away_after_being_woken_passes_it_on() {
        let dispatch = Dispatch::default();
        let first = dispatch.queue_up(&claim(&[]));
        let mut second = dispatch.queue_up(&claim(&[]));
        dispatch.enqueued(AttemptId(1), Wish::default());
        drop(first);
        assert!(second.woken.try_recv().is_ok());
    }

    #[test]
    fn what_is_passed_on_goes_to_a_runner_that_fits() {
        let dispatch = Dispatch::default();
        let first = dispatch.queue_up(&claim(&["docker"]));
        let mut plain = dispatch.queue_up(&claim(&[]));
        let mut docker = dispatch.queue_up(&claim(&["docker"]));
        let wish = Wish {
            tags: &tags(&["docker"]),
            has_steps: false,
        };
        dispatch.enqueued(AttemptId(1), wish);
        drop(first);
        assert!(docker.woken.try_recv().is_ok());
        assert!(plain.woken.try_recv().is_err());
    }

    #[test]
    fn only_the_process_that_owns_an_attempt_is_woken_for_it() {
        let dispatch = Dispatch::default();
        let mut other = dispatch.queue_up(&Claim {
            system_id: "r_2".into(),
            ..claim(&[])
        });
        let mut owner = dispatch.queue_up(&claim(&[]));
        dispatch.wake_process(RunnerId(1), "r_1");
        assert!(owner.woken.try_recv().is_ok());
        assert!(other.woken.try_recv().is_err());
    }

    #[test]
    fn a_runner_that_goes_away_unwoken_wakes_nobody() {
        let dispatch = Dispatch::default();
        let first = dispatch.queue_up(&claim(&[]));
        let mut second = dispatch.queue_up(&claim(&[]));
        drop(first);
        assert!(second.woken.try_recv().is_err());
    }
}
