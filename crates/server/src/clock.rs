//! The only place that reads the clock for stored times.

use std::time::{SystemTime, UNIX_EPOCH};

use tappet_model::Timestamp;

/// The time now, in microseconds since 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
