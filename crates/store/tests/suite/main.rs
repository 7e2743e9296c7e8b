//! What every adapter of the store has to do, as scenarios on `dyn Store`.

mod artifacts;
mod attempts;
mod claims;
mod creation;
mod durability;
mod events;
mod idempotency;
mod projects;
mod run_lists;
mod runners;
mod sqlite_file;
mod transitions;
mod triggers;
mod users;
mod world;
