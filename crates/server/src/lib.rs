//! The Tappet server: APIs, runner protocol, pages, and what joins them.
//!
//! A trigger walks one way: `api` parses its dialect, `intake` turns it into a
//! committed run, `dispatch` hands attempts to runners, `api::runner` takes logs
//! and results, `changes` lets the engine react and tells who follows.

mod any_id;
pub mod api;
pub mod app;
pub mod approval;
pub mod artifact_files;
pub mod attempt_log;
pub mod audit;
pub mod backup;
pub mod cache;
mod call_limit;
pub mod changes;
pub mod ci_configs;
mod client_address;
pub mod clock;
pub mod config;
pub mod coverage;
pub mod data_dir;
mod dbt_files;
mod dbt_uploads;
pub mod delays;
pub mod device_logins;
mod diagnosis;
pub mod dispatch;
mod due_task;
mod durations;
pub mod expiry;
pub mod explain;
mod failure_text;
pub mod forge;
pub mod forge_secrets;
mod header_limit;
mod health;
pub mod held;
pub mod holds;
mod idempotency_key;
pub mod incoming_files;
mod instance;
pub mod intake;
mod job_outputs;
mod job_token_scope;
pub mod key_rotation;
pub mod limits;
pub mod logs;
pub mod metrics;
mod outgoing;
mod overdue;
pub mod passwords;
mod project_removal;
pub mod push_hook;
pub mod rate;
pub mod removal;
pub mod reports;
pub mod repositories;
pub mod retention;
pub mod rights;
mod runner_process;
pub mod schedules;
pub mod secrets;
mod serve;
pub mod settings_variables;
mod socket;
mod to_the_end;
mod token_use;
mod trigger_tokens;
pub mod ui;
pub mod version;
pub mod webhooks;
mod whole_body;
pub mod workflow_settings;
pub mod workflows;

#[cfg(feature = "testing")]
pub mod testing;

pub use config::Config;
pub use serve::{Server, StartError, router};
