//! Ordinary expressions agree with croner, another implementation.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use tappet_cron::{Cron, Zone};

/// A field as every cron writes it.
fn field(first: u8, last: u8) -> impl Strategy<Value = String> {
    let value = first..=last;
    let range = (value.clone(), value.clone()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let element = prop_oneof![
        3 => value.clone().prop_map(|a| a.to_string()),
        // A whole range counts as `*` here and not there.
        1 => range.clone().prop_filter("whole", move |ends| *ends != (first, last))
            .prop_map(|(a, b)| format!("{a}-{b}")),
        1 => (range, 2u8..10).prop_map(|((a, b), step)| format!("{a}-{b}/{step}")),
    ];
    prop_oneof![
        3 => Just("*".to_owned()),
        1 => (2u8..10).prop_map(|step| format!("*/{step}")),
        3 => proptest::collection::vec(element, 1..4).prop_map(|list| list.join(",")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn agrees_with_croner(
        minute in field(0, 59),
        hour in field(0, 23),
        day in field(1, 28),
        month in field(1, 12),
        // croner takes `*/n` among weekdays for open when it joins the two.
        weekday in field(0, 6).prop_filter("step", |text| !text.starts_with("*/")),
        second in 0i64..4_000_000_000,
    ) {
        let text = format!("{minute} {hour} {day} {month} {weekday}");
        let ours = Cron::parse(&text, 0).unwrap();
        let theirs = croner::Cron::from_str(&text).unwrap();
        let utc = Zone::named("UTC").unwrap();
        let mut moment = Timestamp::from_second(second).unwrap();
        for _ in 0..5 {
            let next = ours.next_after(moment, &utc).unwrap();
            let expected = theirs
                .find_next_occurrence(&moment.to_zoned(TimeZone::UTC), false)
                .unwrap();
            prop_assert_eq!(next, expected.timestamp(), "{}", &text);
            moment = next;
        }
    }
}
