//! CI configs: what projects do about pull requests, whoever sets it.

mod change;
mod problems;

pub use change::{Actor, ChangeError, add, remove, update};
pub use problems::{BadSetting, is_workflow, problems};
