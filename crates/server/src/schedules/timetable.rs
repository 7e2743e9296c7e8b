//! Cron text and zone name of a schedule, as times.

use tappet_cron::{Cron, CronError, Zone};
use tappet_model::Timestamp;

/// When a schedule is due.
#[derive(Clone, Debug)]
pub struct Timetable {
    cron: Cron,
    zone: Zone,
}

/// What is wrong with cron text or zone; both may be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TimetableError {
    /// What the cron text should say instead.
    pub cron: Option<CronError>,
    /// No such time zone.
    pub zone_is_unknown: bool,
}

impl std::fmt::Display for TimetableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cron {
            Some(error) => write!(f, "the cron expression cannot be read: {error}"),
            None => f.write_str("the time zone is not known"),
        }
    }
}

impl std::error::Error for TimetableError {}

impl Timetable {
    /// Reads both. `seed` decides what `~` stands for.
    pub fn read(cron: &str, zone: &str, seed: i64) -> Result<Self, TimetableError> {
        match (Cron::parse(cron, seed.cast_unsigned()), Zone::named(zone)) {
            (Ok(cron), Some(zone)) => Ok(Self { cron, zone }),
            (cron, zone) => Err(TimetableError {
                cron: cron.err(),
                zone_is_unknown: zone.is_none(),
            }),
        }
    }

    /// The first due time after `after`; `None` when there is none any more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_microsecond(after.0).ok()?;
        let next = self.cron.next_after(after, &self.zone)?;
        Some(Timestamp(next.as_microsecond()))
    }
}
