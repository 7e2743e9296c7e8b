//! Durations as people write them: `1h 30m`, `3 mins 4 sec`, `2 hrs and 20 min`.
//!
//! Follows the parser behind GitLab's `timeout` and `expire_in`
//! (`chronic_duration`): a month has 30 days, a year 365 ¼.

use std::time::Duration;

/// Longer times are no durations any more; keeps sums with dates in range.
const MAX_SECONDS: f64 = 10_000.0 * 31_557_600.0;

/// When something with an `expire_in` goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// `never`.
    Never,
    /// After a time.
    After(Duration),
}

/// Reads `expire_in`: `never` in any case, or a duration.
pub fn parse_expiry(text: &str) -> Option<Expiry> {
    if text.eq_ignore_ascii_case("never") {
        return Some(Expiry::Never);
    }
    parse(text).map(Expiry::After)
}

/// Reads a duration: numbers (`2`, `1.5`, `two`, `twenty-one`) each with a unit,
/// joined by blanks, commas, `and`, `with` or `plus`; a unit alone at the start
/// counts once, a number alone is seconds; or `3:41:59`.
///
/// None for unknown words and for a duration of zero.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.to_lowercase();
    let seconds = match clock(&text) {
        Some(seconds) => seconds,
        None => sum(&words(&text)?),
    };
    if !(seconds > 0.0 && seconds <= MAX_SECONDS) {
        return None;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// A word of a duration.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Word {
    Number(f64),
    /// Seconds of one unit.
    Unit(f64),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    for part in split(text) {
        let part = part.strip_prefix(',').unwrap_or(part);
        let part = part.strip_suffix(',').unwrap_or(part);
        if matches!(part, "and" | "with" | "plus") {
            continue;
        }
        if let Some(unit) = unit(part) {
            if words.is_empty() {
                words.push(Word::Number(1.0));
            }
            words.push(Word::Unit(unit));
        } else if let Some(number) = spoken_number(part) {
            // `twenty five` is one number.
            match words.last_mut() {
                Some(Word::Number(tens)) if number < 10.0 && is_tens(*tens) => *tens += number,
                _ => words.push(Word::Number(number)),
            }
        } else {
            words.push(Word::Number(plain_number(part)?));
        }
    }
    Some(words)
}

/// Words, with numbers cut from the letters around them: `1h30m` → `1 h 30 m`.
fn split(text: &str) -> Vec<&str> {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let mut parts = Vec::new();
    for mut word in text.split_whitespace().flat_map(unhyphenated) {
        while let Some(first) = word.chars().next() {
            let end = word
                .find(|c: char| is_digit(c) != is_digit(first))
                .unwrap_or(word.len());
            let (part, rest) = word.split_at(end);
            parts.push(part);
            word = rest;
        }
    }
    parts
}

/// `twenty-one` is two words; other hyphens stay and are not understood.
fn unhyphenated(word: &str) -> impl Iterator<Item = &str> {
    let is_spoken = |c: char| c.is_alphabetic() || c == '-';
    let separator = if word.chars().all(is_spoken) && !word.starts_with('-') {
        '-'
    } else {
        ' '
    };
    word.split(separator)
}

/// Each number counts in the unit right behind it; one that another number
/// follows counts nothing, the last one counts seconds.
fn sum(words: &[Word]) -> f64 {
    words
        .iter()
        .enumerate()
        .map(|(at, word)| match (word, words.get(at + 1)) {
            (Word::Number(number), Some(Word::Unit(seconds))) => number * seconds,
            (Word::Number(number), None) => *number,
            _ => 0.0,
        })
        .sum()
}

/// `3:41:59`, smallest unit last.
fn clock(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    if !(2..=6).contains(&parts.len()) {
        return None;
    }
    let units = [SECOND, MINUTE, HOUR, DAY, MONTH, YEAR];
    let mut sum = 0.0;
    for (part, unit) in parts.iter().rev().zip(units) {
        if part.is_empty()
            || !part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return None;
        }
        sum += part.parse::<f64>().ok()? * unit;
    }
    Some(sum)
}

const SECOND: f64 = 1.0;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;
const MONTH: f64 = 30.0 * DAY;
const YEAR: f64 = 31_557_600.0;

fn unit(word: &str) -> Option<f64> {
    Some(match word {
        "seconds" | "second" | "secs" | "sec" | "s" => SECOND,
        "minutes" | "minute" | "mins" | "min" | "m" => MINUTE,
        "hours" | "hour" | "hrs" | "hr" | "h" => HOUR,
        "days" | "day" | "dy" | "d" => DAY,
        "weeks" | "week" | "wks" | "wk" | "w" => WEEK,
        "months" | "month" | "mos" | "mo" => MONTH,
        "years" | "year" | "yrs" | "yr" | "y" => YEAR,
        _ => return None,
    })
}

/// Digits with at most one point; not the other forms that floats have.
fn plain_number(text: &str) -> Option<f64> {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_plain { text.parse().ok() } else { None }
}

fn spoken_number(word: &str) -> Option<f64> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = [
        "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ];
    let place = |list: &[&str]| list.iter().position(|spoken| *spoken == word);
    let number = place(&SMALL).or_else(|| place(&TENS).map(|tens| 10 * tens + 20))?;
    Some(number as f64)
}

fn is_tens(number: f64) -> bool {
    (20.0..=90.0).contains(&number) && number % 10.0 == 0.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::{Expiry, parse, parse_expiry};

    #[rstest]
    #[case("1h 30m", 5_400)]
    #[case("1h30m", 5_400)]
    #[case("3600 seconds", 3_600)]
    #[case("3600", 3_600)]
    #[case("one hour", 3_600)]
    #[case("2 hrs 20 min", 8_400)]
    #[case("2h20min", 8_400)]
    #[case("6 mos 1 day", 15_638_400)]
    #[case("47 yrs 6 mos and 4d", 1_499_104_800)]
    #[case("3 weeks and 2 days", 1_987_200)]
    #[case("3 mins 4 sec", 184)]
    #[case("1 hour, 5 minutes", 3_900)]
    #[case("1h,5m", 3_900)]
    #[case("2 hours plus 1 minute with 1 second", 7_261)]
    #[case("1.5 hours", 5_400)]
    #[case(".5h", 1_800)]
    #[case("day", 86_400)]
    #[case("minute 30sec", 90)]
    #[case("TWO Weeks", 1_209_600)]
    #[case("twelve months", 31_104_000)]
    #[case("1 year", 31_557_600)]
    #[case("twenty five minutes", 1_500)]
    #[case("twenty-one days", 1_814_400)]
    #[case("one-hour", 3_600)]
    #[case("3:41:59", 13_319)]
    #[case("10:00", 600)]
    #[case("1 30m", 1_800)]
    #[case("  5  m  ", 300)]
    fn durations(#[case] text: &str, #[case] seconds: u64) {
        assert_eq!(parse(text), Some(Duration::from_secs(seconds)));
    }

    #[test]
    fn fractions_of_a_second_count() {
        assert_eq!(parse("1.5"), Some(Duration::from_millis(1_500)));
    }

    #[rstest]
    #[case("")]
    #[case("  ")]
    #[case("0")]
    #[case("0 seconds")]
    #[case("zero hours")]
    #[case("never")]
    #[case("soon")]
    #[case("1 fortnight")]
    #[case("1 hour maybe")]
    #[case("1.2.3 h")]
    #[case("and")]
    #[case("1:xx")]
    #[case(":")]
    #[case("99999999999999999999 years")]
    #[case("$TIMEOUT")]
    #[case("-1h")]
    #[case("2-hours")]
    #[case("1h - 5m")]
    #[case("1h , 5m")]
    #[case("1,000 s")]
    #[case("inf hours")]
    fn no_durations(#[case] text: &str) {
        assert_eq!(parse(text), None);
    }

    #[rstest]
    #[case("never", Some(Expiry::Never))]
    #[case("Never", Some(Expiry::Never))]
    #[case("1 week", Some(Expiry::After(Duration::from_secs(604_800))))]
    #[case("0", None)]
    #[case("soon", None)]
    fn expiries(#[case] text: &str, #[case] expiry: Option<Expiry>) {
        assert_eq!(parse_expiry(text), expiry);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
