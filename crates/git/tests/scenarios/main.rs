//! Real repositories, friendly and hostile, read through the system git.

mod fixture;
mod hostile;
mod lifecycle;
mod mirrors;
mod open;
mod read;
mod resolve;
