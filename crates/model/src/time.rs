//! Points in time as values. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads ISO 8601 with an offset (`2026-02-01T10:20:30.123Z`).
    pub fn parse(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Some(Self(parsed.as_microsecond()))
    }

    /// The time passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This time plus `duration`, capped at the far future.
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// This time minus `duration`.
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// ISO 8601 without a fraction (`2026-02-01T10:20:30Z`), as in variables.
    pub fn to_seconds_text(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => format!("{time:.0}"),
            Err(_) => "9999-12-31T23:59:59Z".to_owned(),
        }
    }

    /// ISO 8601 with microseconds (`2026-02-01T10:20:30.123456Z`), as before each line of a log.
    pub fn to_micros_text(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => format!("{time:.6}"),
            Err(_) => "9999-12-31T23:59:59.999999Z".to_owned(),
        }
    }

    /// The midnight (UTC) that its day began with.
    pub fn midnight(self) -> Self {
        const DAY: i64 = 24 * 60 * 60 * 1_000_000;
        Self(self.0.div_euclid(DAY) * DAY)
    }

    /// Whole seconds since 1970.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// ISO 8601 with milliseconds and `Z`, the form of GitLab's API.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => f.write_str("9999-12-31T23:59:59.999Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_milliseconds_and_z() {
        let time = Timestamp::parse("2026-02-01T10:20:30.123456Z").unwrap();
        assert_eq!(time.to_string(), "2026-02-01T10:20:30.123Z");
        assert_eq!(time.to_seconds_text(), "2026-02-01T10:20:30Z");
        assert_eq!(time.to_micros_text(), "2026-02-01T10:20:30.123456Z");
        let whole = Timestamp::parse("2026-02-01T10:20:30+02:00").unwrap();
        assert_eq!(whole.to_string(), "2026-02-01T08:20:30.000Z");
        assert_eq!(Timestamp::parse("01/01/2050"), None);
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let time = Timestamp::parse("2026-02-01T23:59:59.999Z").unwrap();
        assert_eq!(time.midnight().to_string(), "2026-02-01T00:00:00.000Z");
        assert_eq!(time.midnight().midnight(), time.midnight());
        assert_eq!(
            Timestamp(-1).midnight().to_string(),
            "1969-12-31T00:00:00.000Z"
        );
    }

    #[test]
    fn since_never_goes_below_zero() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(9).since(Timestamp(5)), Duration::from_micros(4));
    }
}
