//! Bodies of calls, made from flags; values that nobody should type.

use std::io::{IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;

/// Flags as the parameters of a call. Those that were not given are left out,
/// so that the server keeps what it has.
pub fn given(flags: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(flags).expect("flags are plain values");
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

/// A value from the command line, a file, or standard input (when neither is
/// given, or the file is `-`). The last line break of a file is not part of it.
pub fn read_value(argument: Option<String>, file: Option<&Path>) -> anyhow::Result<String> {
    if let Some(value) = argument {
        return Ok(value);
    }
    let text = match file {
        Some(path) if path != Path::new("-") => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the value from {}", path.display()))?,
        _ => {
            let mut input = std::io::stdin();
            if input.is_terminal() {
                bail!(
                    "no value was given: pipe it in, or name a file with --value-file \
                     (a value on the command line stays in the shell's history)"
                );
            }
            let mut text = String::new();
            input
                .read_to_string(&mut text)
                .context("cannot read the value from standard input")?;
            text
        }
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Flags {
        description: Option<String>,
        active: Option<bool>,
    }

    #[test]
    fn flags_that_were_not_given_are_not_sent() {
        let flags = Flags {
            description: Some(String::new()),
            active: None,
        };
        assert_eq!(given(&flags).to_string(), r#"{"description":""}"#);
    }

    #[test]
    fn the_line_break_that_ends_a_file_is_not_part_of_the_value() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("value");
        std::fs::write(&path, "two\nlines\n").unwrap();
        assert_eq!(read_value(None, Some(&path)).unwrap(), "two\nlines");
        let both = read_value(Some("given\n".into()), Some(&path)).unwrap();
        assert_eq!(both, "given\n");
    }
}
