//! What commands print: the API's JSON for programs, tables and sentences for
//! people. Only results go to standard output; notes go to standard error.

mod column;
mod line;
mod moment;
mod printable;
mod table;

pub mod paint;

pub use column::{Column, Kind};
pub use line::{note, print, print_json};
pub use printable::{log_line, printable};

use std::fmt::Display;
use std::io;

use serde_json::Value;

use crate::api::Page;

/// How one command prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// For people.
    Text,
    /// The API's JSON.
    Json,
}

impl Output {
    /// A list: a table or a JSON array. `none` is the sentence for an empty one.
    pub fn list(self, page: &Page, columns: &[Column], none: &str) -> io::Result<()> {
        match self {
            Self::Json => print_json(&page.items)?,
            Self::Text if page.items.is_empty() => note(none)?,
            Self::Text => print(table::rows(&page.items, columns))?,
        }
        if page.has_more {
            note(format_args!(
                "These are the first {}; --limit shows more.",
                page.items.len()
            ))?;
        }
        Ok(())
    }

    /// One thing: a line for each column, or a JSON object.
    pub fn record(self, value: &Value, columns: &[Column]) -> io::Result<()> {
        match self {
            Self::Json => print_json(value),
            Self::Text => print(table::record(value, columns)),
        }
    }

    /// What was done: a sentence, or the answer as JSON (nothing when it was empty).
    pub fn done(self, answer: &Value, sentence: impl Display) -> io::Result<()> {
        match self {
            Self::Json if answer.is_null() => Ok(()),
            Self::Json => print_json(answer),
            Self::Text => print(format_args!("{sentence}\n")),
        }
    }

    /// Something only for people.
    pub fn say(self, text: impl Display) -> io::Result<()> {
        match self {
            Self::Json => Ok(()),
            Self::Text => print(format_args!("{text}\n")),
        }
    }
}
