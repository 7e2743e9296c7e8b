//! Time zones by every name that GitLab takes.

use jiff::tz::TimeZoneDatabase;
use rstest::rstest;
use tappet_cron::Zone;

use super::{next, times};

#[rstest]
#[case("Europe/Berlin")]
#[case("UTC")]
#[case("Etc/UTC")]
#[case("Etc/GMT-11")]
#[case("America/Argentina/Buenos_Aires")]
#[case("US/Pacific")]
#[case("Eastern Time (US & Canada)")]
#[case("International Date Line West")]
#[case("Nuku'alofa")]
#[case("St. Petersburg")]
#[case("Kyiv")]
fn known(#[case] name: &str) {
    assert!(Zone::named(name).is_some());
}

#[rstest]
#[case("")]
#[case("Mars/Olympus")]
#[case("europe/berlin")]
#[case("utc")]
#[case("eastern time (us & canada)")]
#[case("+02:00")]
#[case(" UTC")]
fn unknown(#[case] name: &str) {
    assert!(Zone::named(name).is_none());
}

#[test]
fn every_iana_name_is_known() {
    for name in TimeZoneDatabase::bundled().available() {
        assert!(Zone::named(name.as_str()).is_some(), "{name}");
    }
}

#[test]
fn a_rails_name_is_the_iana_zone_behind_it() {
    let rails = Zone::named("Pacific Time (US & Canada)");
    assert_eq!(rails, Zone::named("America/Los_Angeles"));
}

#[rstest]
#[case("0 9 * * *", "2024-07-02 09:00 +09:00")]
#[case("0 9 * * * America/New_York", "2024-07-01 22:00 +09:00")]
#[case("0 9 * * * +02:00", "2024-07-01 16:00 +09:00")]
#[case("0 9 * * * -0930", "2024-07-02 03:30 +09:00")]
fn the_zone_of_the_expression_wins(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(
        times(text, "Asia/Tokyo", "2024-07-01T00:30:00Z", 1),
        [expected]
    );
}

#[rstest]
#[case("0 0 * * * +25:00")]
#[case("0 0 * * * +2:00")]
#[case("0 0 * * * +02:10")]
fn odd_offsets_are_refused(#[case] text: &str) {
    assert!(tappet_cron::Cron::parse(text, 0).is_err());
}

#[test]
fn seconds_of_the_start_do_not_matter() {
    let after = times("* * * * *", "UTC", "2024-07-01T00:30:59.999Z", 1);
    assert_eq!(after, ["2024-07-01 00:31 +00:00"]);
    assert_eq!(next("30 0 * * *", "2024-07-01 00:30"), "2024-07-02 00:30");
}
