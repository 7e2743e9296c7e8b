//! What is not understood is said, with its place.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use rstest::rstest;
use tappet_cron::{Cron, Zone};

#[rstest]
#[case(
    "",
    "0 of 5 fields; give minute, hour, day of month, month and day of week (column 1)"
)]
#[case(
    "* * * *",
    "4 of 5 fields; give minute, hour, day of month, month and day of week (column 1)"
)]
#[case("60 * * * *", "`60` is no minute: 0 to 59 (column 1)")]
#[case("* 25 * * *", "`25` is no hour: 0 to 24 (column 3)")]
#[case(
    "* * 0 * *",
    "`0` is no day of month: 1 to 31, -31 to -1 or L (column 5)"
)]
#[case(
    "* * -32 * *",
    "`-32` is no day of month: 1 to 31, -31 to -1 or L (column 5)"
)]
#[case("* * * 00 *", "`00` is no month: 1 to 12, jan to dec (column 7)")]
#[case(
    "* * * 1-13 *",
    "`1-13` does not fit: `13` is no month: 1 to 12, jan to dec (column 7)"
)]
#[case("* * * * 8", "`8` is no day of week: 0 to 7, sun to sat (column 9)")]
#[case(
    "* * * * monday",
    "`monday` is no day of week: 0 to 7, sun to sat (column 9)"
)]
#[case(
    "* * * * mon,xyz",
    "`xyz` is no day of week: 0 to 7, sun to sat (column 13)"
)]
#[case("1,2,005 * * * *", "`005` is no minute: 0 to 59 (column 5)")]
#[case("-5 * * * *", "`-5` is no minute: 0 to 59 (column 1)")]
#[case("5- * * * *", "`5-` does not fit: `` is no minute: 0 to 59 (column 1)")]
#[case("*/0 * * * *", "`*/0` needs a step from 1 to 99 after `/` (column 1)")]
#[case(
    "*/-1 * * * *",
    "`*/-1` needs a step from 1 to 99 after `/` (column 1)"
)]
#[case(
    "*/100 * * * *",
    "`*/100` needs a step from 1 to 99 after `/` (column 1)"
)]
#[case(
    "*-5 * * * *",
    "`*-5` does not fit: `*` is no minute: 0 to 59 (column 1)"
)]
#[case("*5 * * * *", "`*5` is no minute: 0 to 59 (column 1)")]
#[case(", * * * *", "`,` has no minute (column 1)")]
#[case("* * * * ,", "`,` has no day of week (column 9)")]
#[case(
    "* * 25--3 * *",
    "`25--3` goes from one side of the month to the other; only `-L` may end such a range (column 5)"
)]
#[case(
    "* * -3/2 * *",
    "`-3/2` has a step after a day counted from the end; give a range (column 5)"
)]
#[case(
    "* * * * mon#6",
    "`mon#6` needs 1 to 5, -5 to -1 or L after one day of week and `#` (column 9)"
)]
#[case(
    "* * * * mon-fri#2",
    "`mon-fri#2` does not fit: `mon-fri` is no day of week: 0 to 7, sun to sat (column 9)"
)]
#[case(
    "* * * * mon%0",
    "`mon%0` needs a number of weeks from 1 to 999 and maybe `+` and an offset after one day of week and `%` (column 9)"
)]
#[case(
    "@reboot",
    "`@reboot` is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @noon, @hourly (column 1)"
)]
#[case(
    "0 0 * * * *",
    "`*` is more than 5 fields and a time zone; seconds are not supported (column 11)"
)]
#[case(
    "0 0 1 1 * Mars/Olympus",
    "unknown time zone `Mars/Olympus` (column 11)"
)]
#[case(
    "0 0 1 1 * UTC UTC",
    "`UTC` is more than 5 fields and a time zone; seconds are not supported (column 15)"
)]
#[case(
    "every 3h",
    "2 of 5 fields; give minute, hour, day of month, month and day of week (column 1)"
)]
#[case("'0 * * * *'", "`'0` is no minute: 0 to 59 (column 1)")]
#[case("é * * * *", "`é` is no minute: 0 to 59 (column 1)")]
fn errors_say_what_and_where(#[case] text: &str, #[case] expected: &str) {
    let error = Cron::parse(text, 0).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[rstest]
#[case("0 0 31 2 *")]
#[case("0 12 30,31 feb *")]
#[case("0 0 31 2,4,6,9,11 *")]
#[case("0 0 -31 4 *")]
#[case("0 0 31 4 1")]
#[case("0 0 1& * 1#2")]
#[case("0 0 8-14& 2 mon#-1")]
fn a_day_that_never_comes_is_an_error_and_found_fast(#[case] text: &str) {
    let start = Instant::now();
    let error = Cron::parse(text, 0).unwrap_err();
    assert_eq!(error.message, "no such day: none of these months has it");
    assert!(start.elapsed() < Duration::from_secs(2));
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in "[0-9*/,~#%&+L@ a-zA-Zé-]{0,30}", seed: u64) {
        let _ = Cron::parse(&text, seed);
    }

    #[test]
    fn what_is_accepted_has_a_next_moment(
        fields in proptest::array::uniform5("[0-9*/,~#%&+L-]{1,6}"),
        seed: u64,
        second in -2_000_000_000i64..4_000_000_000,
    ) {
        if let Ok(cron) = Cron::parse(&fields.join(" "), seed) {
            let moment = jiff::Timestamp::from_second(second).unwrap();
            let zone = Zone::named("Europe/Berlin").unwrap();
            let next = cron.next_after(moment, &zone);
            prop_assert!(next.is_some_and(|next| next > moment));
        }
    }
}
