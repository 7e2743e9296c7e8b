//! The days on which clocks are put forward or back: in Berlin 2024-03-31,
//! 02:00 → 03:00, and 2024-10-27, 03:00 → 02:00.

use rstest::rstest;

use super::times;

const BEFORE_SPRING: &str = "2024-03-31T00:00:00Z";
const BEFORE_AUTUMN: &str = "2024-10-26T23:45:00Z";

#[test]
fn a_skipped_time_fires_when_the_clock_jumps() {
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin", BEFORE_SPRING, 2),
        ["2024-03-31 03:00 +02:00", "2024-04-01 02:30 +02:00"]
    );
}

#[rstest]
#[case("0,30 2 * * *")]
#[case("*/10 2 * * *")]
#[case("0 2,3 * * *")]
#[case("0 */1,2 31 3 *")]
fn several_skipped_times_fire_once(#[case] text: &str) {
    let found = times(text, "Europe/Berlin", "2024-03-31T00:59:00Z", 2);
    assert_eq!(found[0], "2024-03-31 03:00 +02:00");
    assert_ne!(found[1], found[0]);
}

#[test]
fn a_repeated_time_fires_the_first_time_only() {
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin", BEFORE_AUTUMN, 2),
        ["2024-10-27 02:30 +02:00", "2024-10-28 02:30 +01:00"]
    );
    // Asked between the two: the first one is over, the second does not count.
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin", "2024-10-27T00:45:00Z", 1),
        ["2024-10-28 02:30 +01:00"]
    );
}

#[test]
fn certain_hours_fire_once_each_when_the_clock_is_put_back() {
    assert_eq!(
        times("0 */2 * * *", "Europe/Berlin", BEFORE_AUTUMN, 3),
        [
            "2024-10-27 02:00 +02:00",
            "2024-10-27 04:00 +01:00",
            "2024-10-27 06:00 +01:00"
        ]
    );
}

#[test]
fn intervals_run_through_both_passes() {
    assert_eq!(
        times("*/30 * * * *", "Europe/Berlin", BEFORE_AUTUMN, 6),
        [
            "2024-10-27 02:00 +02:00",
            "2024-10-27 02:30 +02:00",
            "2024-10-27 02:00 +01:00",
            "2024-10-27 02:30 +01:00",
            "2024-10-27 03:00 +01:00",
            "2024-10-27 03:30 +01:00"
        ]
    );
}

#[test]
fn intervals_have_no_skipped_times() {
    assert_eq!(
        times("*/30 * * * *", "Europe/Berlin", "2024-03-31T00:15:00Z", 3),
        [
            "2024-03-31 01:30 +01:00",
            "2024-03-31 03:00 +02:00",
            "2024-03-31 03:30 +02:00"
        ]
    );
}

#[test]
fn half_an_hour_on_lord_howe() {
    // 2024-04-07: 02:00 +11 → 01:30 +10:30.
    assert_eq!(
        times(
            "45 * * * *",
            "Australia/Lord_Howe",
            "2024-04-06T14:00:00Z",
            3
        ),
        [
            "2024-04-07 01:45 +11:00",
            "2024-04-07 01:45 +10:30",
            "2024-04-07 02:45 +10:30"
        ]
    );
    // 2024-10-06: 02:00 +10:30 → 02:30 +11.
    assert_eq!(
        times(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2024-10-05T12:00:00Z",
            1
        ),
        ["2024-10-06 02:30 +11:00"]
    );
}

#[test]
fn midnight_that_does_not_exist() {
    // Santiago 2021-09-05: 00:00 → 01:00.
    assert_eq!(
        times("0 0 * * *", "America/Santiago", "2021-09-04T12:00:00Z", 2),
        ["2021-09-05 01:00 -03:00", "2021-09-06 00:00 -03:00"]
    );
    assert_eq!(
        times("0 * 5 9 *", "America/Santiago", "2021-09-04T12:00:00Z", 2),
        ["2021-09-05 01:00 -03:00", "2021-09-05 02:00 -03:00"]
    );
}

#[test]
fn the_hour_before_midnight_twice() {
    // São Paulo 2018-02-18: 00:00 -02 → 23:00 -03 of the day before.
    assert_eq!(
        times(
            "30 * 17,18 2 *",
            "America/Sao_Paulo",
            "2018-02-18T01:00:00Z",
            3
        ),
        [
            "2018-02-17 23:30 -02:00",
            "2018-02-17 23:30 -03:00",
            "2018-02-18 00:30 -03:00"
        ]
    );
}

#[test]
fn a_day_that_was_skipped_whole() {
    // Apia had no 2011-12-30.
    assert_eq!(
        times("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", 1),
        ["2011-12-31 00:00 +14:00"]
    );
    assert_eq!(
        times("0 * 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", 1),
        ["2012-12-30 00:00 +14:00"]
    );
}

#[test]
fn a_year_of_minutes_has_every_minute() {
    let all = times(
        "* * * * *",
        "Europe/Berlin",
        "2024-03-30T23:00:00Z",
        24 * 60,
    );
    assert_eq!(
        all.last().map(String::as_str),
        Some("2024-04-01 01:00 +02:00")
    );
}
