//! An expression, read.

use jiff::civil::{Date, date};

use crate::days::Days;
use crate::error::CronError;
use crate::field::{self, DAY, HOUR, MINUTE, MONTH, Unit};
use crate::random::Random;
use crate::values::Values;
use crate::word::{self, Word};
use crate::zone::Zone;

/// Longer texts say nothing that a shorter one could not, and cost time.
const MAX_BYTES: usize = 1000;

/// A random choice of a day that does not exist is made again this often.
const CHOICES: u64 = 64;

/// Week 0 of `%`; also where the proof starts that some day matches.
pub(crate) const ANCHOR: Date = date(2018, 12, 31);

/// When something is due, to the minute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    pub(crate) minutes: Values,
    pub(crate) hours: Values,
    pub(crate) months: Values,
    pub(crate) days: Days,
    zone: Option<Zone>,
}

impl Cron {
    /// Reads an expression. `seed` decides what `~` stands for: the same seed
    /// and text always give the same times.
    ///
    /// # Errors
    ///
    /// When it is not understood or when no day ever matches.
    pub fn parse(text: &str, seed: u64) -> Result<Self, CronError> {
        if text.len() > MAX_BYTES {
            return Err(CronError::new(1, format!("longer than {MAX_BYTES} bytes")));
        }
        let words = word::split(text)?;
        let mut random = Random::new(seed);
        for choice in 1..=CHOICES {
            let cron = Self::read(&words, &mut random)?;
            if cron.is_possible() {
                return Ok(cron);
            }
            if !random.is_used() {
                break;
            }
            random = Random::new(seed.wrapping_add(choice));
        }
        let column = words.get(2).map_or(1, |word| word.column);
        let message = "no such day: none of these months has it";
        Err(CronError::new(column, message))
    }

    /// The time zone that the expression itself names.
    pub fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
    }

    fn read(words: &[Word<'_>], random: &mut Random) -> Result<Self, CronError> {
        let [minute, hour, day, month, weekday, rest @ ..] = words else {
            let message = format!(
                "{} of 5 fields; give minute, hour, day of month, month and day of week",
                words.len()
            );
            return Err(CronError::new(1, message));
        };
        let (day, day_and) = day.without_suffix('&');
        let (weekday, weekday_and) = weekday.without_suffix('&');
        let mut numbers = |word: &Word<'_>, unit: &Unit| field::numbers(word, unit, random);
        let minutes = numbers(minute, &MINUTE)?;
        let hours = numbers(hour, &HOUR)?;
        let days = numbers(&day, &DAY)?;
        let months = numbers(month, &MONTH)?;
        let weekdays = field::weekdays(&weekday, random)?;
        Ok(Self {
            minutes: minutes.map_or(MINUTE.all(), Values::from_iter),
            hours: hours.map_or(HOUR.all(), Values::from_iter),
            months: months.map_or(MONTH.all(), Values::from_iter),
            days: Days::new(days, weekdays, day_and || weekday_and),
            zone: zone(rest)?,
        })
    }

    fn is_possible(&self) -> bool {
        self.days.dates_exist_in(self.months) && self.next_day(ANCHOR).is_some()
    }
}

/// What follows the five fields.
fn zone(rest: &[Word<'_>]) -> Result<Option<Zone>, CronError> {
    match rest {
        [] => Ok(None),
        [word] => match Zone::named(word.text).or_else(|| Zone::offset(word.text)) {
            Some(zone) => Ok(Some(zone)),
            None if word.text.starts_with(|c: char| c.is_ascii_uppercase()) => {
                let message = format!("unknown time zone `{}`", word.text);
                Err(CronError::new(word.column, message))
            }
            None => Err(too_many(word)),
        },
        [_, second, ..] => Err(too_many(second)),
    }
}

fn too_many(word: &Word<'_>) -> CronError {
    let message = format!(
        "`{}` is more than 5 fields and a time zone; seconds are not supported",
        word.text
    );
    CronError::new(word.column, message)
}
