//! Real repositories, friendly and hostile, read through the system git.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compare;
mod find;
mod fixture;
mod history;
mod hostile;
mod lifecycle;
mod mirrors;
mod open;
mod patched;
mod read;
mod resolve;
mod upkeep;
