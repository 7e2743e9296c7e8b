//! JSON as the expression language reads and prints it.

mod print;
mod read;

pub use print::print;
pub use read::{JsonError, read};

/// How deep arrays and objects may lie in each other in `fromJSON`.
/// (GitHub runner: `JsonParser`, `MaxDepth`.)
pub const MAX_DEPTH: usize = 100;
