//! `.gitlab-ci.yml` → [`Plan`](tappet_model::plan::Plan).
//!
//! [`parse`] does all that depends on the text alone; its [`Config`] can be
//! kept and shared. [`plan()`] then decides for one event which jobs there are.
//! Neither reads files, runs anything or knows a clock. What GitLab knows and
//! this version does not is an error that names keyword and place.
//!
//! The way of a text: `document` (YAML), `extends`, `draft` with a file per
//! keyword (each entry on its own), `graph` (jobs against each other),
//! `compile` (one form per job and rule), then `plan`.

mod allow_failure;
mod artifacts;
mod changes;
mod circle;
mod clauses;
mod compile;
mod condition;
mod config;
mod default;
mod document;
mod draft;
mod entry;
mod environment;
mod exists;
mod extends;
mod fnmatch;
mod graph;
mod inherit;
mod job;
mod keywords;
mod lint;
mod merge_requests;
mod needs;
mod only;
mod plan;
mod reference;
mod retry;
mod rules;
mod script;
mod stages;
mod start_in;
mod tags;
mod timeout;
mod validation;
mod variables;
mod workflow;
mod yaml_text;

pub mod coverage;
pub mod duration;
pub mod expansion;
pub mod expression;

pub use changes::Changed;
pub use config::{Config, parse};
pub use lint::{JobOutline, Linted, NeedOutline, PolicyOutline, lint};
pub use plan::{AskingJob, Context, PlanError, plan};
