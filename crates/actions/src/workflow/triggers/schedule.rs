//! `on.schedule`: cron expressions in GitHub's dialect.

use tappet_yaml::Node;

use crate::source::entry::{Entry, Keys, items};
use crate::source::report::Report;

/// One entry of `on.schedule`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Five fields, in UTC unless a time zone is named.
    pub cron: String,
    /// An IANA name.
    pub timezone: Option<String>,
}

const KEYS: Keys = Keys {
    now: &["cron", "timezone"],
    later: &[],
    required: &["cron"],
};

/// Reads the list.
pub(super) fn read(node: &Node, report: &mut Report) -> Vec<Schedule> {
    items(node, report)
        .iter()
        .filter_map(|item| {
            let entry = Entry::with_keys(item, &KEYS, report)?;
            let cron = entry.filled("cron", report)?;
            if !is_cron(&cron) {
                let position = entry.get("cron").map_or(item.position, |node| node.position);
                report.error(
                    position,
                    "Invalid cron expression. Expected format: '* * * * *' (minute hour day month weekday)",
                );
            }
            let timezone = entry.filled("timezone", report);
            Some(Schedule { cron, timezone })
        })
        .collect()
}

struct Field {
    min: f64,
    max: f64,
    names: &'static [&'static str],
}

const fn numbers(min: f64, max: f64) -> Field {
    Field {
        min,
        max,
        names: &[],
    }
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    numbers(0.0, 59.0),
    numbers(0.0, 23.0),
    numbers(1.0, 31.0),
    Field {
        min: 1.0,
        max: 12.0,
        names: MONTHS,
    },
    Field {
        min: 0.0,
        max: 6.0,
        names: WEEKDAYS,
    },
];

/// `@actions/workflow-parser`: `isValidCron`.
fn is_cron(text: &str) -> bool {
    let parts: Vec<&str> = text.split(' ').filter(|part| !part.is_empty()).collect();
    parts.len() == FIELDS.len()
        && parts
            .iter()
            .zip(&FIELDS)
            .all(|(part, field)| field.allows(part))
}

impl Field {
    /// `,` binds weakest, then `/`, then `-`.
    fn allows(&self, part: &str) -> bool {
        part.split(',').all(|item| match item.split_once('/') {
            Some((range, step)) => {
                self.allows_range(range) && self.value(step).is_some_and(|step| step > 0.0)
            }
            None => self.allows_range(item),
        })
    }

    fn allows_range(&self, range: &str) -> bool {
        if range == "*" {
            return true;
        }
        match range.split_once('-') {
            Some((first, last)) => match (self.value(first), self.value(last)) {
                (Some(first), Some(last)) => first <= last,
                _ => false,
            },
            None => self.value(range).is_some(),
        }
    }

    fn value(&self, text: &str) -> Option<f64> {
        let name = self
            .names
            .iter()
            .position(|name| text.eq_ignore_ascii_case(name));
        if let Some(at) = name {
            return Some(self.min + at as f64);
        }
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value: f64 = is_number.then(|| text.parse().ok())??;
        (self.min..=self.max).contains(&value).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::is_cron;

    #[rstest]
    #[case("0 0 * * *", true)]
    #[case("*/15 0-6 1,15 jan-mar MON", true)]
    #[case("5-30/5 * * * 0", true)]
    #[case("0 0 * * *  ", true)]
    #[case("0 0 * *", false)]
    #[case("0 0 * * * *", false)]
    #[case("60 0 * * *", false)]
    #[case("0 24 * * *", false)]
    #[case("0 0 0 * *", false)]
    #[case("0 0 * 13 *", false)]
    #[case("0 0 * * 7", false)]
    #[case("*/0 * * * *", false)]
    #[case("30-5 * * * *", false)]
    #[case("1,,2 * * * *", false)]
    #[case("@daily", false)]
    fn five_fields_in_their_ranges(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_cron(text), expected);
    }
}
