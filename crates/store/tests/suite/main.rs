//! What every adapter of the store has to do, as scenarios on `dyn Store`.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod artifacts;
mod attempts;
mod cache_entries;
mod ci_configs;
mod claims;
mod coverage;
mod creation;
mod dbt_uploads;
mod decisions;
mod delays;
mod durability;
mod events;
mod filled;
mod forge_reports;
mod forges;
mod holds;
mod idempotency;
mod job_token_scope;
mod jobs;
mod members;
mod named_artifacts;
mod old_events;
mod people;
mod projects;
mod protected_refs;
mod pull_requests;
mod reports;
mod retention;
mod run_list_pairs;
mod run_lists;
mod run_upkeep;
mod runners;
mod schedules;
mod search;
mod settings_variables;
mod sqlite_file;
mod steps_reports;
mod transitions;
mod triggers;
mod users;
mod workflow_actions;
mod workflow_settings;
mod workflows;
mod world;

#[path = "../../examples/support/history.rs"]
mod history;
#[path = "../../examples/support/runs.rs"]
mod runs;
#[path = "../../examples/support/sample.rs"]
mod sample;
