//! The rules of one step of a job: what its files, commands and shell mean.
//! What a step does to a machine is the executor's part.

pub mod action_inputs;
pub mod artifact_paths;
pub mod checkout;
pub mod command;
pub mod default_name;
pub mod env_file;
pub mod glob;
pub mod path_file;
pub mod process_environment;
pub mod shell;
pub mod stop_token;
