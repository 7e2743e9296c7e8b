//! Cron expressions in Fugit's dialect, which is GitLab's: text and a time zone
//! in, the next moments out.
//!
//! Pure: it reads no clock. The time zone database is jiff's, bundled.
