//! Times as people say them.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `just now`, `5 min ago`, `in 3 h`, `12 days ago`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    let distance = seconds.abs();
    if distance < MINUTE {
        return if seconds < 0 {
            "in a moment"
        } else {
            "just now"
        }
        .to_owned();
    }
    let text = if distance < HOUR {
        format!("{} min", distance / MINUTE)
    } else if distance < DAY {
        format!("{} h", distance / HOUR)
    } else if distance < 2 * DAY {
        "1 day".to_owned()
    } else {
        format!("{} days", distance / DAY)
    };
    if seconds < 0 {
        format!("in {text}")
    } else {
        format!("{text} ago")
    }
}

/// `2026-01-31 12:00:00 UTC (5 min ago)`.
pub fn both(at: Timestamp, now: Timestamp) -> String {
    let text = at.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("{text} ({})", ago(at, now))
}

/// `0.25 s`, `2 min 5 s`, `1 h 2 min`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.2} s");
    }
    // A job's time is far below what a 64-bit integer holds.
    whole_seconds(seconds as u64)
}

/// `under 1 s`, `25 s`, `2 min 5 s`, `1 h 2 min`: for times that were rounded down.
pub fn whole_seconds(seconds: u64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0 => "under 1 s".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {} min", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-01-01T00:00:00Z", "just now")]
    #[case("2025-12-31T23:59:00Z", "1 min ago")]
    #[case("2025-12-31T21:59:00Z", "2 h ago")]
    #[case("2025-12-30T23:59:00Z", "1 day ago")]
    #[case("2025-12-01T00:00:00Z", "31 days ago")]
    #[case("2026-01-01T00:00:20Z", "in a moment")]
    #[case("2026-01-02T01:00:00Z", "in 1 day")]
    fn a_time_is_told_from_now(#[case] at: &str, #[case] expected: &str) {
        let now = "2026-01-01T00:00:10Z".parse().unwrap();
        assert_eq!(ago(at.parse().unwrap(), now), expected);
    }

    #[rstest]
    #[case(0.0, "0.00 s")]
    #[case(59.5, "59.50 s")]
    #[case(125.9, "2 min 5 s")]
    #[case(3725.0, "1 h 2 min")]
    fn durations_get_coarser(#[case] given: f64, #[case] expected: &str) {
        assert_eq!(seconds(given), expected);
    }

    #[rstest]
    #[case(0, "under 1 s")]
    #[case(59, "59 s")]
    #[case(60, "1 min 0 s")]
    #[case(3725, "1 h 2 min")]
    fn rounded_durations_claim_no_fractions(#[case] given: u64, #[case] expected: &str) {
        assert_eq!(whole_seconds(given), expected);
    }
}
