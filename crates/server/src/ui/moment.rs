//! Times and durations in words.

use askama::Template;
use askama::filters::HtmlSafe;
use tappet_model::Timestamp;

/// A point in time as a page shows it.
#[derive(Clone, PartialEq, Eq, Debug, Template)]
#[template(
    source = r#"<time datetime="{{ iso }}" title="{{ exact }}">{{ relative }}</time>"#,
    ext = "html"
)]
pub struct Moment {
    /// ISO 8601, for `<time datetime>`.
    pub iso: String,
    /// `2026-02-01 10:20:30 UTC`.
    pub exact: String,
    /// `5 minutes ago`.
    pub relative: String,
}

/// Its parts are escaped already.
impl HtmlSafe for Moment {}

impl Moment {
    /// How `at` looks from `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let iso = at.to_string();
        let exact = match (iso.get(..10), iso.get(11..19)) {
            (Some(day), Some(time)) => format!("{day} {time} UTC"),
            _ => iso.clone(),
        };
        Self {
            iso,
            exact,
            relative: relative(at, now),
        }
    }
}

/// `just now`, `1 minute ago`, `3 days ago`, `in 2 hours`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let (passed, is_past) = if at > now {
        (at.since(now), false)
    } else {
        (now.since(at), true)
    };
    let seconds = passed.as_secs();
    let (count, unit) = match seconds {
        0..10 => return "just now".to_owned(),
        10..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        86_400..2_592_000 => (seconds / 86_400, "day"),
        2_592_000..31_536_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if is_past {
        format!("{count} {unit}{plural} ago")
    } else {
        format!("in {count} {unit}{plural}")
    }
}

/// `812 B`, `1.5 KB`, `20 MB`.
pub fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    if tenths >= 100 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const DAY: i64 = 86_400;

    #[rstest]
    #[case(0, "just now")]
    #[case(9, "just now")]
    #[case(10, "10 seconds ago")]
    #[case(60, "1 minute ago")]
    #[case(3_599, "59 minutes ago")]
    #[case(3_600, "1 hour ago")]
    #[case(2 * DAY, "2 days ago")]
    #[case(45 * DAY, "1 month ago")]
    #[case(800 * DAY, "2 years ago")]
    #[case(-7_200, "in 2 hours")]
    fn the_past_in_words(#[case] seconds: i64, #[case] expected: &str) {
        let now = Timestamp(1_769_941_230_000_000);
        assert_eq!(
            relative(Timestamp(now.0 - seconds * 1_000_000), now),
            expected
        );
    }

    #[test]
    fn the_exact_time_is_beside_it() {
        let at = Timestamp::parse("2026-02-01T10:20:30.5Z").unwrap();
        let moment = Moment::new(at, at);
        assert_eq!(moment.iso, "2026-02-01T10:20:30.500Z");
        assert_eq!(moment.exact, "2026-02-01 10:20:30 UTC");
    }

    #[rstest]
    #[case(0, "0 B")]
    #[case(999, "999 B")]
    #[case(1_500, "1.5 KB")]
    #[case(20_000_000, "20 MB")]
    #[case(999_999, "999 KB")]
    #[case(1_000_000, "1.0 MB")]
    #[case(3_200_000_000_000, "3.2 TB")]
    fn sizes_are_short(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(size_text(bytes), expected);
    }
}
