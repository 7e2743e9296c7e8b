//! The two streams of a command. Colours are taken out where nobody sees them
//! (no terminal, `NO_COLOR`).

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

/// Writes a result.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// Writes a result as JSON for programs.
pub fn print_json(value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    print(format_args!("{text}\n"))
}

/// Writes a line that is no result.
pub fn note(text: impl Display) -> io::Result<()> {
    writeln!(anstream::stderr().lock(), "{text}")
}
