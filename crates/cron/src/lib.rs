//! Cron expressions in Fugit's dialect, which is GitLab's: text and a time zone
//! in, the next moments out.
//!
//! Pure: it reads no clock and no disk. The time zone database is bundled.
//!
//! # The dialect
//!
//! Five fields: minute, hour, day of month, month, day of week.
//!
//! | written | means |
//! |---|---|
//! | `5`, `1-5`, `1,3`, `*`, `*/15`, `/15`, `10/20`, `1-30/2` | as everywhere; a step after a lone number runs to the end |
//! | `jan`, `mon` | names, case ignored; `7` is Sunday too |
//! | `22-2`, `fri-mon`, `nov-feb` | ranges wrap around |
//! | `24` | as an hour: 0 |
//! | `L`, `last`, `-1`, `-7--1`, `25-L` | days counted from the end of the month |
//! | `mon#2`, `fri#-1`, `fri#last` | the second Monday, the last Friday of the month |
//! | `mon%2`, `mon%4+1` | Mondays of every second week; of weeks whose number leaves 1 when divided by 4. Weeks start on Monday; the one of 2019-01-01 is week 0 |
//! | `~`, `10~20`, `~/5` | one value of the range (with a step: one start), chosen by the seed |
//! | `0 0 13 * 5` | the 13th *or* any Friday; `13&` or `5&` makes it *and* |
//! | `0 1 * * * Europe/Berlin`, `… +02:00` | a time zone of its own |
//! | `@hourly @daily @midnight @noon @weekly @monthly @yearly @annually` | shortcuts |
//!
//! Everything else is an error with its place, seconds and days that no month
//! has included.
//!
//! # When clocks change
//!
//! An expression that names its hours fires once for each time it names: a time
//! that a spring change skips fires at the moment the clock jumped, several such
//! times together as one; a time that an autumn change repeats fires the first
//! time only. An expression for every hour follows the clock as it runs: skipped
//! times do not exist, repeated ones fire both times.

mod cron;
mod days;
mod error;
mod field;
mod next;
mod rails_zones;
mod random;
mod values;
mod word;
mod zone;

pub use cron::Cron;
pub use error::CronError;
pub use zone::Zone;
