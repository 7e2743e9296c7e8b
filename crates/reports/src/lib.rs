//! What jobs report beside their exit code: JUnit test results and dotenv
//! variables, from the bytes of the uploaded files.
//!
//! Pure: finding, unpacking to disk and storing is the server's. Both kinds come
//! from runners as gzip with one member per file, which [`gzip`] walks through.

pub mod dotenv;
pub mod gzip;
pub mod junit;
mod suite_name;
mod test_suite;

pub use suite_name::suite_name;
pub use test_suite::{Counts, Outcome, TestCase, TestSuite};
