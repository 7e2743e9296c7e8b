//! How long something took, for people.

use std::time::Duration;

/// `0.4s`, `12s`, `3m 20s`, `2h 5m`.
pub fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.subsec_millis() >= 100 => {
            format!("0.{}s", duration.subsec_millis() / 100)
        }
        0 if !duration.is_zero() => "0.1s".to_owned(),
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0s")]
    #[case(4, "0.1s")]
    #[case(420, "0.4s")]
    #[case(12_900, "12s")]
    #[case(200_000, "3m 20s")]
    #[case(7_500_000, "2h 5m")]
    fn durations_are_short(#[case] millis: u64, #[case] expected: &str) {
        assert_eq!(duration_text(Duration::from_millis(millis)), expected);
    }
}
