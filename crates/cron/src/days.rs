//! Which days match.

use jiff::civil::Date;

use crate::cron::ANCHOR;
use crate::values::Values;

/// Days of each month, February at its longest.
const LENGTHS: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The two fields about days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Days {
    dates: Option<Dates>,
    weekdays: Option<Vec<Weekday>>,
    /// Both must match; else one of them.
    both: bool,
}

/// Days of the month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Dates {
    from_start: Values,
    /// 1 is the last day.
    from_end: Values,
}

/// A weekday of some weeks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Weekday {
    /// 0 is Sunday.
    day: i8,
    weeks: OfMonth,
}

/// Which of the weekdays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OfMonth {
    Every,
    /// The first is 1.
    FromStart(i8),
    /// The last is 1.
    FromEnd(i8),
    /// Those whose week leaves the same as `offset` when divided by `every`.
    Weeks {
        every: i32,
        offset: i32,
    },
}

impl Weekday {
    /// `day` is 0 to 7, where both are Sunday.
    pub(crate) fn new(day: i8, weeks: OfMonth) -> Self {
        Self {
            day: day % 7,
            weeks,
        }
    }

    fn matches(&self, date: Date) -> bool {
        if date.weekday().to_sunday_zero_offset() != self.day {
            return false;
        }
        match self.weeks {
            OfMonth::Every => true,
            OfMonth::FromStart(place) => (date.day() - 1) / 7 + 1 == place,
            OfMonth::FromEnd(place) => (date.days_in_month() - date.day()) / 7 + 1 == place,
            OfMonth::Weeks { every, offset } => {
                let days = date.duration_since(ANCHOR).as_hours() / 24;
                days.div_euclid(7).rem_euclid(every.into()) == i64::from(offset % every)
            }
        }
    }
}

impl Dates {
    fn matches(self, date: Date) -> bool {
        self.from_start.contains(date.day())
            || self
                .from_end
                .contains(date.days_in_month() - date.day() + 1)
    }

    fn exist_in(self, length: i8) -> bool {
        (1..=length).any(|day| self.from_start.contains(day) || self.from_end.contains(day))
    }
}

impl Days {
    pub(crate) fn new(dates: Option<Vec<i8>>, weekdays: Option<Vec<Weekday>>, both: bool) -> Self {
        let dates = dates.map(|days| Dates {
            from_start: days.iter().copied().filter(|day| *day > 0).collect(),
            from_end: days
                .iter()
                .filter(|day| **day < 0)
                .map(|day| -day)
                .collect(),
        });
        Self {
            dates,
            weekdays,
            both,
        }
    }

    pub(crate) fn match_date(&self, date: Date) -> bool {
        let by_date = |dates: &Dates| dates.matches(date);
        let by_weekday = |days: &Vec<Weekday>| days.iter().any(|day| day.matches(date));
        match (&self.dates, &self.weekdays) {
            (None, None) => true,
            (Some(dates), None) => by_date(dates),
            (None, Some(weekdays)) => by_weekday(weekdays),
            (Some(dates), Some(weekdays)) if self.both => by_date(dates) && by_weekday(weekdays),
            (Some(dates), Some(weekdays)) => by_date(dates) || by_weekday(weekdays),
        }
    }

    /// Whether some of the months has one of the dates. Where weekdays match
    /// too, a date that never comes is still a mistake.
    pub(crate) fn dates_exist_in(&self, months: Values) -> bool {
        self.dates.is_none_or(|dates| {
            let lengths = (1..).zip(LENGTHS);
            lengths
                .filter(|(month, _)| months.contains(*month))
                .any(|(_, length)| dates.exist_in(length))
        })
    }
}
