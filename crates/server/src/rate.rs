//! Counts per minute, for the limits that people set. Forgotten on restart.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whose calls are counted together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Caller {
    /// Whoever presents this credential, by its hash: counts outlive the call.
    Holder([u8; 32]),
    /// Whoever calls from there without one.
    Nobody(Option<IpAddr>),
    /// Whoever calls from there with one that is refused. Guesses each come with
    /// another credential, so that each would have a minute of its own.
    Refused(Option<IpAddr>),
}

const WINDOW: Duration = Duration::from_secs(60);

/// Beyond this many keys, those whose minute is over are thrown out.
const SWEEP_AT: usize = 1024;

/// Fixed windows of a minute, one per key.
pub struct Rate<K> {
    windows: Mutex<HashMap<K, Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    began: Instant,
    count: u32,
}

impl<K> Default for Rate<K> {
    fn default() -> Self {
        Self {
            windows: Mutex::new(HashMap::new()),
        }
    }
}

impl<K: Eq + Hash> Rate<K> {
    /// Whether one more would be taken; counts nothing.
    pub fn check(&self, key: &K, limit: u32, now: Instant) -> Result<(), Duration> {
        if limit == 0 {
            return Ok(());
        }
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        match windows.get(key) {
            Some(window) if window.count >= limit && now < window.began + WINDOW => {
                Err(window.began + WINDOW - now)
            }
            _ => Ok(()),
        }
    }

    /// Takes one back that was counted.
    pub fn uncount(&self, key: &K) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(key) {
            window.count = window.count.saturating_sub(1);
        }
    }

    /// Counts one more. Above `limit` in this minute: how long until the next.
    /// A limit of 0 counts nothing.
    pub fn count(&self, key: K, limit: u32, now: Instant) -> Result<(), Duration> {
        if limit == 0 {
            return Ok(());
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= SWEEP_AT {
            windows.retain(|_, window| now < window.began + WINDOW);
        }
        let window = windows.entry(key).or_insert(Window {
            began: now,
            count: 0,
        });
        let end = window.began + WINDOW;
        if now >= end {
            *window = Window {
                began: now,
                count: 1,
            };
            return Ok(());
        }
        if window.count >= limit {
            return Err(end - now);
        }
        window.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_takes_so_many_and_the_next_one_again() {
        let rate = Rate::default();
        let now = Instant::now();
        assert_eq!(rate.count("a", 2, now), Ok(()));
        assert_eq!(rate.count("a", 2, now), Ok(()));
        let later = now + Duration::from_secs(20);
        assert_eq!(rate.count("a", 2, later), Err(Duration::from_secs(40)));
        assert_eq!(rate.count("b", 2, later), Ok(()));
        assert_eq!(rate.count("a", 2, now + WINDOW), Ok(()));
    }

    #[test]
    fn looking_counts_nothing_and_what_is_taken_back_is_free_again() {
        let rate = Rate::default();
        let now = Instant::now();
        assert_eq!(rate.check(&"a", 1, now), Ok(()));
        assert_eq!(rate.count("a", 1, now), Ok(()));
        assert_eq!(rate.check(&"a", 1, now), Err(WINDOW));
        assert_eq!(rate.check(&"a", 1, now + WINDOW), Ok(()));
        rate.uncount(&"a");
        assert_eq!(rate.count("a", 1, now), Ok(()));
    }

    #[test]
    fn no_limit_keeps_nothing() {
        let rate = Rate::default();
        for _ in 0..10 {
            assert_eq!(rate.count("a", 0, Instant::now()), Ok(()));
        }
        assert!(rate.windows.lock().unwrap().is_empty());
    }

    #[test]
    fn minutes_that_are_over_are_thrown_out() {
        let rate = Rate::default();
        let now = Instant::now();
        for key in 0..SWEEP_AT {
            assert_eq!(rate.count(key, 1, now), Ok(()));
        }
        assert_eq!(rate.count(SWEEP_AT, 1, now + WINDOW), Ok(()));
        assert_eq!(rate.windows.lock().unwrap().len(), 1);
    }
}
