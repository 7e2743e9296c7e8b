//! Files of the language and what becomes of them, keyword by keyword.

mod changes;
mod defaults;
mod environment;
mod errors;
mod extends;
mod graph;
mod jobs;
mod limits;
mod merge_requests;
mod mutations;
mod needs;
mod only;
mod realistic;
mod rules;
mod scenario;
mod unsupported;
mod variables;
mod workflow;
