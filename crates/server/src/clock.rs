//! The only place that reads the clock for stored times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tappet_model::Timestamp;
#[cfg(feature = "testing")]
use {std::sync::Arc, tokio::sync::watch};

/// The longest time to sleep towards a time of the clock. A clock that is put
/// forward, or a machine that slept, tells nobody: it is noticed after this.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The time now, in microseconds since 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The clock that schedules and delayed jobs go by: the machine's, or in tests one that is set by
/// hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    #[cfg(feature = "testing")]
    set: Option<Arc<watch::Sender<Timestamp>>>,
}

impl Clock {
    /// The time that it shows.
    pub fn now(&self) -> Timestamp {
        #[cfg(feature = "testing")]
        if let Some(set) = &self.set {
            return *set.borrow();
        }
        now()
    }

    /// Sleeps towards a time. May wake early, never much too late: look at the
    /// clock afterwards.
    pub async fn approach(&self, at: Timestamp) {
        #[cfg(feature = "testing")]
        if let Some(set) = &self.set {
            let mut shown = set.subscribe();
            // The sender lives in `self`, so the wait can only succeed.
            let _ = shown.wait_for(|shown| *shown >= at).await;
            return;
        }
        tokio::time::sleep(nap(at, now())).await;
    }
}

#[cfg(feature = "testing")]
impl Clock {
    /// A clock that shows this until it is set again.
    pub fn set_to(time: Timestamp) -> Self {
        Self {
            set: Some(Arc::new(watch::Sender::new(time))),
        }
    }

    /// Puts the clock forward or back; the machine's own clock stays.
    pub fn set(&self, time: Timestamp) {
        if let Some(set) = &self.set {
            set.send_replace(time);
        }
    }
}

/// How long to sleep towards a time.
fn nap(at: Timestamp, now: Timestamp) -> Duration {
    at.since(now).min(LONGEST_SLEEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sleeps_through_a_jump_of_the_clock() {
        let now = Timestamp(1_000_000);
        let in_an_hour = now.plus(Duration::from_secs(3600));
        assert_eq!(nap(in_an_hour, now), LONGEST_SLEEP);
        let soon = now.plus(Duration::from_secs(2));
        assert_eq!(nap(soon, now), Duration::from_secs(2));
        assert_eq!(nap(now, soon), Duration::ZERO);
    }
}
