//! `~` is chosen once per seed.

use std::collections::HashSet;

use rstest::rstest;
use tappet_cron::Cron;

use super::times_of;

const FROM: &str = "2024-01-01T00:00:00Z";

fn first(text: &str, seed: u64) -> String {
    let cron = Cron::parse(text, seed).expect("the text is valid");
    times_of(&cron, "UTC", FROM, 1).remove(0)
}

#[test]
fn a_seed_always_gives_the_same_times_and_seeds_differ() {
    let chosen: HashSet<String> = (0..50).map(|seed| first("~ ~ * * *", seed)).collect();
    assert!(
        chosen.len() > 25,
        "only {} times in 50 choices",
        chosen.len()
    );
    assert_eq!(first("~ ~ ~ ~ ~", 7), first("~ ~ ~ ~ ~", 7));
}

#[rstest]
#[case("10~20 5 * * *", 10..=20)]
#[case("~9 5 * * *", 0..=9)]
#[case("50~ 5 * * *", 50..=59)]
#[case("55~4 5 * * *", 0..=59)]
fn choices_stay_in_their_range(#[case] text: &str, #[case] minutes: std::ops::RangeInclusive<i32>) {
    for seed in 0..100 {
        let cron = Cron::parse(text, seed).unwrap();
        let times = times_of(&cron, "UTC", FROM, 3);
        let minute: i32 = times[0][14..16].parse().unwrap();
        assert!(minutes.contains(&minute), "{text}: {times:?}");
        let wrapped = text != "55~4 5 * * *" || !(5..55).contains(&minute);
        assert!(wrapped, "{text}: {times:?}");
        assert!(times.iter().all(|time| time[14..16] == times[0][14..16]));
    }
}

#[test]
fn with_a_step_only_the_start_is_chosen() {
    for seed in 0..50 {
        let cron = Cron::parse("~30/10 5 * * *", seed).unwrap();
        let times = times_of(&cron, "UTC", FROM, 3);
        let minutes: Vec<i32> = times
            .iter()
            .map(|time| time[14..16].parse().unwrap())
            .collect();
        assert!(minutes[0] < 10, "{minutes:?}");
        assert_eq!(minutes[1], minutes[0] + 10);
        assert_eq!(minutes[2], minutes[0] + 20);
    }
}

#[test]
fn a_day_that_does_not_exist_is_not_chosen() {
    for seed in 0..200 {
        assert!(first("0 0 ~ 2 *", seed).starts_with("202"), "seed {seed}");
    }
}
