//! One field: a list of values, ranges and steps.

use crate::days::{OfMonth, Weekday};
use crate::error::CronError;
use crate::random::Random;
use crate::values::Values;
use crate::word::Word;

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What a field counts.
pub(crate) struct Unit {
    name: &'static str,
    first: i8,
    last: i8,
    /// One more number that may be written for the first one.
    also_first: Option<i8>,
    /// Names of the numbers from `first` on.
    names: &'static [&'static str],
    counts_from_end: bool,
}

const fn unit(name: &'static str, first: i8, last: i8) -> Unit {
    Unit {
        name,
        first,
        last,
        also_first: None,
        names: &[],
        counts_from_end: false,
    }
}

pub(crate) const MINUTE: Unit = unit("minute", 0, 59);
pub(crate) const HOUR: Unit = Unit {
    also_first: Some(24),
    ..unit("hour", 0, 23)
};
pub(crate) const DAY: Unit = Unit {
    counts_from_end: true,
    ..unit("day of month", 1, 31)
};
pub(crate) const MONTH: Unit = Unit {
    names: MONTHS,
    ..unit("month", 1, 12)
};
const WEEKDAY: Unit = Unit {
    also_first: Some(7),
    names: WEEKDAYS,
    ..unit("day of week", 0, 6)
};

impl Unit {
    /// Every number.
    pub(crate) fn all(&self) -> Values {
        (self.first..=self.last).collect()
    }

    fn count(&self) -> i8 {
        self.last - self.first + 1
    }

    /// A number or a name. Days from the end are negative.
    fn value(&self, text: &str, element: &Word<'_>) -> Result<i8, CronError> {
        let lower = text.to_ascii_lowercase();
        if let Some(at) = (self.first..)
            .zip(self.names)
            .find(|(_, name)| **name == lower)
        {
            return Ok(at.0);
        }
        if self.counts_from_end && (lower == "l" || lower == "last") {
            return Ok(-1);
        }
        let (digits, from_end) = match lower.strip_prefix('-') {
            Some(digits) if self.counts_from_end => (digits, true),
            _ => (lower.as_str(), false),
        };
        let value = number(digits, 2).filter(|value| {
            (self.first..=self.last).contains(value)
                || (!from_end && self.also_first == Some(*value))
        });
        match value {
            Some(value) if from_end => Ok(-value),
            Some(value) => Ok(value),
            None => Err(self.not_a_value(text, element)),
        }
    }

    fn not_a_value(&self, text: &str, element: &Word<'_>) -> CronError {
        let last = self.also_first.unwrap_or(self.last);
        let names = match self.names {
            [first, .., last] => format!(", {first} to {last}"),
            _ if self.counts_from_end => ", -31 to -1 or L".to_owned(),
            _ => String::new(),
        };
        let why = format!("is no {}: {} to {last}{names}", self.name, self.first);
        if text == element.text {
            return element.wrong(why);
        }
        element.wrong(format_args!("does not fit: `{text}` {why}"))
    }

    /// The numbers from one to the other, beyond the end from the start again.
    fn range(&self, from: i8, to: i8) -> impl Iterator<Item = i8> {
        let count = self.count();
        // Days from the end run from -31 to -1.
        let last = if from < 0 { -1 } else { self.last };
        let length = if to >= from {
            to - from
        } else {
            to - from + count
        };
        (0..=length).map(move |step| {
            let value = from + step;
            if value > last { value - count } else { value }
        })
    }
}

/// Digits only, at most so many of them.
fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    let is_number = text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The values of a list; `None` when the field leaves all of them open.
pub(crate) fn numbers(
    field: &Word<'_>,
    unit: &Unit,
    random: &mut Random,
) -> Result<Option<Vec<i8>>, CronError> {
    let mut values = Vec::new();
    let mut is_open = false;
    let mut is_empty = true;
    for element in field.elements() {
        is_empty = false;
        let part = Part::read(&element, unit)?;
        is_open |= part.is_open(unit);
        values.extend(part.values(unit, &element, random)?);
    }
    if is_empty {
        return Err(field.wrong(format_args!("has no {}", unit.name)));
    }
    Ok((!is_open).then_some(values))
}

/// The weekdays of a list; `None` for `*`.
pub(crate) fn weekdays(
    field: &Word<'_>,
    random: &mut Random,
) -> Result<Option<Vec<Weekday>>, CronError> {
    let mut weekdays = Vec::new();
    let mut is_empty = true;
    for element in field.elements() {
        is_empty = false;
        if let Some((day, which)) = element.text.split_once('#') {
            let of_month = of_month(which, &element)?;
            weekdays.push(Weekday::new(WEEKDAY.value(day, &element)?, of_month));
        } else if let Some((day, weeks)) = element.text.split_once('%') {
            let weeks = every_nth_week(weeks, &element)?;
            weekdays.push(Weekday::new(WEEKDAY.value(day, &element)?, weeks));
        } else if element.text != "*" {
            let part = Part::read(&element, &WEEKDAY)?;
            let days = part.values(&WEEKDAY, &element, random)?;
            weekdays.extend(
                days.into_iter()
                    .map(|day| Weekday::new(day, OfMonth::Every)),
            );
        }
    }
    if is_empty {
        return Err(field.wrong("has no day of week"));
    }
    Ok((!weekdays.is_empty()).then_some(weekdays))
}

/// What follows `#`.
fn of_month(which: &str, element: &Word<'_>) -> Result<OfMonth, CronError> {
    let lower = which.to_ascii_lowercase();
    if lower == "l" || lower == "last" {
        return Ok(OfMonth::FromEnd(1));
    }
    let (digits, from_end) = match lower.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (lower.as_str(), false),
    };
    match number(digits, 1) {
        Some(place @ 1..=5) if from_end => Ok(OfMonth::FromEnd(place)),
        Some(place @ 1..=5) => Ok(OfMonth::FromStart(place)),
        _ => Err(element.wrong("needs 1 to 5, -5 to -1 or L after one day of week and `#`")),
    }
}

/// What follows `%`.
fn every_nth_week(weeks: &str, element: &Word<'_>) -> Result<OfMonth, CronError> {
    let (every, offset) = weeks.split_once('+').unwrap_or((weeks, "0"));
    match (number(every, 3), number(offset, 3)) {
        (Some(every @ 1..), Some(offset)) => Ok(OfMonth::Weeks { every, offset }),
        _ => Err(element.wrong(
            "needs a number of weeks from 1 to 999 and maybe `+` and an offset after one day of week and `%`",
        )),
    }
}

/// One element without `#` and `%`.
struct Part {
    span: Span,
    step: Option<usize>,
}

enum Span {
    All,
    One(i8),
    Range(i8, i8),
    /// Some value of a range.
    Random(i8, i8),
}

impl Part {
    fn read(element: &Word<'_>, unit: &Unit) -> Result<Self, CronError> {
        let (span, step) = match element.text.split_once('/') {
            Some((span, step)) => (span, Some(read_step(step, element, unit)?)),
            None => (element.text, None),
        };
        let value = |text: &str| unit.value(text, element);
        let bound = |text: &str, open: i8| {
            if text.is_empty() {
                Ok(open)
            } else {
                value(text)
            }
        };
        let span = if span == "*" || (span.is_empty() && step.is_some()) {
            Span::All
        } else if let Some((from, to)) = span.split_once('~') {
            let (from, to) = (bound(from, unit.first)?, bound(to, unit.last)?);
            both_ends(element, from, to).map(|(from, to)| Span::Random(from, to))?
        } else if let Some(dash) = span.char_indices().skip(1).find(|(_, c)| *c == '-') {
            let (from, to) = (value(&span[..dash.0])?, value(&span[dash.0 + 1..])?);
            // `25-L`: to the last day, whatever its number.
            let to = if from > 0 && to == -1 { unit.last } else { to };
            both_ends(element, from, to).map(|(from, to)| Span::Range(from, to))?
        } else {
            Span::One(value(span)?)
        };
        Ok(Self { span, step })
    }

    /// Every value, however it is written.
    fn is_open(&self, unit: &Unit) -> bool {
        let is_whole = match self.span {
            Span::All => true,
            Span::One(value) => value == unit.first && self.step.is_some(),
            Span::Range(from, to) => from == unit.first && to == unit.last,
            Span::Random(..) => false,
        };
        is_whole && self.step.unwrap_or(1) == 1
    }

    fn values(
        &self,
        unit: &Unit,
        element: &Word<'_>,
        random: &mut Random,
    ) -> Result<Vec<i8>, CronError> {
        let step = self.step.unwrap_or(1);
        Ok(match self.span {
            Span::All => unit.range(unit.first, unit.last).step_by(step).collect(),
            Span::One(value) if self.step.is_none() || unit.name == WEEKDAY.name => {
                unit.range(value, value).collect()
            }
            Span::One(value) if value < 0 => {
                return Err(
                    element.wrong("has a step after a day counted from the end; give a range")
                );
            }
            Span::One(value) => unit.range(value, unit.last).step_by(step).collect(),
            Span::Range(from, to) => unit.range(from, to).step_by(step).collect(),
            Span::Random(from, to) => {
                let all: Vec<i8> = unit.range(from, to).collect();
                match self.step {
                    None => vec![all[random.below(all.len())]],
                    Some(step) => {
                        let start = random.below(step.min(all.len()));
                        all.into_iter().skip(start).step_by(step).collect()
                    }
                }
            }
        })
    }
}

fn read_step(text: &str, element: &Word<'_>, unit: &Unit) -> Result<usize, CronError> {
    match number(text, 2) {
        // Fugit takes a step of 0 for 1 among weekdays, and only there.
        Some(0) if unit.name == WEEKDAY.name => Ok(1),
        Some(step @ 1..) => Ok(step),
        _ => Err(element.wrong("needs a step from 1 to 99 after `/`")),
    }
}

/// Both ends are counted from the same side.
fn both_ends(element: &Word<'_>, from: i8, to: i8) -> Result<(i8, i8), CronError> {
    if (from < 0) == (to < 0) {
        Ok((from, to))
    } else {
        Err(element
            .wrong("goes from one side of the month to the other; only `-L` may end such a range"))
    }
}
