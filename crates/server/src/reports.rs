//! What jobs report: read when a runner uploads it, shown with the run, and
//! handed on to later jobs.
//!
//! Counts and variables go to the store with the file. The test cases stay in
//! the file and are read again when somebody asks for them, as in GitLab.

mod handed_on;
mod tests_of_run;
mod upload;

pub(crate) use handed_on::CONTEXT as DOTENV_CONTEXT;
pub use handed_on::{UnreadableReport, handed_on};
pub use tests_of_run::tests_of_run;
pub use upload::{RefusedReport, has_right_format, read};
