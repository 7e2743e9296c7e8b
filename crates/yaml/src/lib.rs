//! YAML text → a tree whose every node knows its place.
//!
//! The text is read as granit-parser events under our own loader, so that the
//! rules which differ between dialects are ours: which plain words are numbers
//! or booleans ([`Schema`]), how `<<` merges, what a repeated key does, and how
//! big a document may grow through aliases ([`Limits`]).
//!
//! Nothing here knows what the keys mean; no I/O.

mod compose;
mod core;
mod error;
mod limits;
mod loader;
mod mapping;
mod merge;
mod node;
mod psych;
mod quoted_lines;
mod scalar;
mod syntax;
mod tag;
mod text;

pub use error::{YamlError, YamlWarning};
pub use limits::Limits;
pub use loader::{Loaded, Schema, load};
pub use mapping::{Key, KeyKind, Mapping};
pub use node::{Node, Value};
