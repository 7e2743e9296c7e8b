//! When a webhook that fails is tried again, rests, or is given up
//! (GitLab: `app/models/concerns/web_hooks/auto_disabling.rb`).

use std::time::Duration;

use tappet_model::Timestamp;
use tappet_store::HookHealth;

/// No rest is longer.
const LONGEST_REST: Duration = Duration::from_secs(24 * 60 * 60);

/// How much patience a failing receiver gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// So many failures in a row send the webhook to rest.
    pub rests_after: u32,
    /// So many failures in a row end it.
    pub ends_after: u32,
    /// The first rest; each further failure doubles it.
    pub first_rest: Duration,
}

/// How a webhook fares after one more failure. Before its first rest it is tried
/// again after a sixtieth of that rest, then five times as long each time.
pub fn after_failure(health: HookHealth, patience: Patience, now: Timestamp) -> HookHealth {
    let failures = health.failures.saturating_add(1);
    if failures >= patience.ends_after {
        return HookHealth {
            failures,
            is_disabled: true,
            disabled_until: None,
        };
    }
    let delay = match failures.checked_sub(patience.rests_after) {
        None => (patience.first_rest / 60).saturating_mul(5u32.saturating_pow(failures - 1)),
        Some(more) => patience
            .first_rest
            .saturating_mul(2u32.saturating_pow(more)),
    };
    HookHealth {
        failures,
        is_disabled: false,
        disabled_until: Some(now.plus(delay.min(LONGEST_REST))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        rests_after: 4,
        ends_after: 40,
        first_rest: Duration::from_secs(60),
    };

    fn rest_after(failures: u32) -> Option<u64> {
        let health = HookHealth {
            failures: failures - 1,
            ..HookHealth::default()
        };
        let health = after_failure(health, PATIENCE, Timestamp(0));
        assert_eq!(health.failures, failures);
        assert_eq!(health.is_disabled, health.disabled_until.is_none());
        health
            .disabled_until
            .map(|until| until.since(Timestamp(0)).as_secs())
    }

    #[test]
    fn retries_come_slower_then_rests_double_up_to_a_day_then_it_ends() {
        let delays: Vec<_> = (1..=7).map(rest_after).collect();
        let expected = [1, 5, 25, 60, 120, 240, 480].map(Some);
        assert_eq!(delays, expected);
        assert_eq!(rest_after(39), Some(24 * 60 * 60));
        assert_eq!(rest_after(40), None);
    }
}
