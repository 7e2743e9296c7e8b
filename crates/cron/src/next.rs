//! The search for the next moment.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::cron::Cron;
use crate::field::HOUR;
use crate::zone::Zone;

/// After so many years the calendar repeats, so a day that does not come
/// within them never comes.
const YEARS: i16 = 400;

const MINUTE_NANOS: i128 = 60_000_000_000;

impl Cron {
    /// The first moment after `after` that is due. `zone` is used when the
    /// expression names none itself. `None` when nothing is due any more.
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let zone = self.zone().unwrap_or(zone).time_zone();
        if self.hours == HOUR.all() {
            self.next_by_clock(after, zone)
        } else {
            self.next_by_times(after, zone)
        }
    }

    /// The first matching day from `from` on.
    pub(crate) fn next_day(&self, from: Date) -> Option<Date> {
        let mut date = from;
        while date.year() - from.year() <= YEARS {
            if !self.months.contains(date.month()) {
                date = date.last_of_month().tomorrow().ok()?;
            } else if self.days.match_date(date) {
                return Some(date);
            } else {
                date = date.tomorrow().ok()?;
            }
        }
        None
    }

    /// For every hour: the minutes as they pass, skipped and repeated ones
    /// included just as the clock shows them.
    fn next_by_clock(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut moment = next_minute(after)?;
        loop {
            let shown = zone.to_datetime(moment);
            let day = self.next_day(shown.date())?;
            let following = moment.checked_add(1.minute()).ok()?;
            moment = if day != shown.date() {
                // Never back, whatever the zone says about that day.
                start_of_day(day, zone)?.max(following)
            } else if self.minutes.contains(shown.minute()) {
                return Some(moment);
            } else {
                following
            };
        }
    }

    /// For certain hours: the times that are named, each of them once. Named
    /// times in rising order give moments in rising order, so the first one
    /// after `after` is the answer.
    fn next_by_times(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = zone.to_datetime(after).date();
        loop {
            date = self.next_day(date)?;
            for hour in self.hours.iter() {
                for minute in self.minutes.iter() {
                    let moment = moment_of(date.at(hour, minute, 0, 0), zone)?;
                    if moment > after {
                        return Some(moment);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
    }
}

/// The moment that a clock shows this; the first of two; for a time that the
/// clock skips, the moment it jumped.
fn moment_of(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            let later = before.to_timestamp(time).ok()?;
            let beyond = later.checked_add(1.second()).ok()?;
            Some(zone.preceding(beyond).next()?.timestamp())
        }
    }
}

fn start_of_day(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    moment_of(date.at(0, 0, 0, 0), zone)
}

fn next_minute(after: Timestamp) -> Option<Timestamp> {
    let minute = after.as_nanosecond().div_euclid(MINUTE_NANOS) + 1;
    Timestamp::from_nanosecond(minute * MINUTE_NANOS).ok()
}
