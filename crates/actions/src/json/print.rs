//! [`Value`] → JSON text as `toJSON` prints it: two blanks a level, numbers as
//! they read in text, `NaN` and `Infinity` bare.
//!
//! GitHub runner: `ToJson.cs`; strings as `Newtonsoft.Json` escapes them.

use std::fmt::Write;

use crate::value::Value;

/// Prints a value, or nothing when that takes more than `limit` bytes.
pub fn print(value: &Value, limit: usize) -> Option<String> {
    let mut text = String::new();
    write_value(&mut text, value, 0, limit)?;
    (text.len() <= limit).then_some(text)
}

fn write_value(text: &mut String, value: &Value, level: usize, limit: usize) -> Option<()> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_text()),
        Value::String(string) => write_string(text, string),
        Value::Array(array) if array.items.is_empty() => text.push_str("[]"),
        Value::Array(array) => {
            text.push('[');
            for (place, item) in array.items.iter().enumerate() {
                new_line(text, place > 0, level + 1);
                write_value(text, item, level + 1, limit)?;
            }
            new_line(text, false, level);
            text.push(']');
        }
        Value::Object(object) if object.is_empty() => text.push_str("{}"),
        Value::Object(object) => {
            text.push('{');
            for (place, (key, item)) in object.iter().enumerate() {
                new_line(text, place > 0, level + 1);
                write_string(text, key);
                text.push_str(": ");
                write_value(text, item, level + 1, limit)?;
            }
            new_line(text, false, level);
            text.push('}');
        }
    }
    (text.len() <= limit).then_some(())
}

fn new_line(text: &mut String, comma: bool, level: usize) {
    if comma {
        text.push(',');
    }
    text.push('\n');
    for _ in 0..level {
        text.push_str("  ");
    }
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                let written = write!(text, "\\u{:04x}", u32::from(letter));
                written.expect("writing to a String cannot fail");
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
}
