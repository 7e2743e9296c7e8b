//! The dialect, seen from outside: text and moment in, moments out.

mod clock_changes;
mod fields;
mod oracle;
mod random;
mod refusals;
mod zones;

use jiff::Timestamp;
use tappet_cron::{Cron, Zone};

/// The first moments after `from` in a zone, as local times without seconds.
fn times(text: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(text, 0).unwrap_or_else(|error| panic!("{text}: {error}"));
    times_of(&cron, zone, from, count)
}

fn times_of(cron: &Cron, zone: &str, from: &str, count: usize) -> Vec<String> {
    let shown = jiff::tz::TimeZone::get(zone).expect("the zone is known");
    let zone = Zone::named(zone).expect("the zone is known");
    let mut moment: Timestamp = from.parse().expect("the moment can be read");
    let mut found = Vec::new();
    while found.len() < count {
        let Some(next) = cron.next_after(moment, &zone) else {
            found.push("never".to_owned());
            break;
        };
        assert!(next > moment, "{next} is not after {moment}");
        moment = next;
        let local = moment.to_zoned(shown.clone());
        found.push(local.strftime("%Y-%m-%d %H:%M %:z").to_string());
    }
    found
}

/// The first moment after `from`, all in UTC: `2017-01-02 12:00`.
fn next(text: &str, from: &str) -> String {
    let from = format!("{}:00Z", from.replace(' ', "T"));
    let time = times(text, "UTC", &from, 1).remove(0);
    time.trim_end_matches(" +00:00").to_owned()
}
