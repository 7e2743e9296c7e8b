//! A column of a table, or a line of a record, as data: title, place in the
//! API's JSON, and what kind of value stands there.

use anstyle::Style;
use jiff::Timestamp;
use serde_json::Value;

use super::moment;
use super::paint;
use super::printable;
use crate::role::Role;

/// What a value is, which decides how people read it best.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text or number.
    Text,
    /// A list of texts.
    List,
    /// A token, of which its beginning is enough.
    Secret,
    /// A status word, coloured.
    Status,
    /// `yes` or `no`.
    Flag,
    /// A time, as its distance from now.
    Ago,
    /// A time and its distance from now.
    Time,
    /// Seconds: with a fraction, or whole ones where the API rounds down.
    Seconds,
    /// A role as GitLab's number.
    Role,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its title, in small letters.
    pub title: &'static str,
    /// A JSON pointer (RFC 6901).
    place: &'static str,
    kind: Kind,
}

impl Column {
    /// The value at `place`, shown as `kind`.
    pub const fn new(title: &'static str, place: &'static str, kind: Kind) -> Self {
        Self { title, place, kind }
    }

    /// Text at `place`.
    pub const fn text(title: &'static str, place: &'static str) -> Self {
        Self::new(title, place, Kind::Text)
    }

    /// The cell of one row and its colour. `now` is what times are told against.
    pub fn cell(&self, row: &Value, now: Timestamp) -> (String, Style) {
        let value = row.pointer(self.place).unwrap_or(&Value::Null);
        let text = match self.kind {
            _ if value.is_null() => "-".to_owned(),
            Kind::Text | Kind::Status => plain(value),
            Kind::List => list(value),
            Kind::Secret => beginning(&plain(value)),
            Kind::Flag => if value == &Value::Bool(true) {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
            Kind::Ago => time(value, |at| moment::ago(at, now)),
            Kind::Time => time(value, |at| moment::both(at, now)),
            Kind::Seconds => match value.as_u64() {
                Some(whole) => moment::whole_seconds(whole),
                None => value.as_f64().map_or_else(|| plain(value), moment::seconds),
            },
            Kind::Role => value
                .as_i64()
                .and_then(Role::name)
                .unwrap_or_else(|| plain(value)),
        };
        let style = match self.kind {
            Kind::Status => paint::status(&text),
            _ => paint::PLAIN,
        };
        (printable(&text), style)
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// GitLab shows four characters behind the prefix.
fn beginning(token: &str) -> String {
    let prefix = token.find('-').map_or(0, |at| at + 1);
    match token.char_indices().nth(prefix + 4) {
        Some((end, _)) => format!("{}…", &token[..end]),
        None => token.to_owned(),
    }
}

fn list(value: &Value) -> String {
    let items: Vec<String> = value.as_array().into_iter().flatten().map(plain).collect();
    if items.is_empty() {
        return "-".to_owned();
    }
    items.join(", ")
}

/// A value that is no time stands as it is.
fn time(value: &Value, show: impl FnOnce(Timestamp) -> String) -> String {
    let text = plain(value);
    text.parse().map_or(text, show)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(Kind::Text, json!("a"), "a")]
    #[case(Kind::Text, json!(7), "7")]
    #[case(Kind::Text, json!(""), "-")]
    #[case(Kind::Text, json!(null), "-")]
    #[case(Kind::Text, json!("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb")]
    #[case(Kind::List, json!(["a", "b"]), "a, b")]
    #[case(Kind::List, json!([]), "-")]
    #[case(Kind::Secret, json!("glptt-abcdefgh"), "glptt-abcd…")]
    #[case(Kind::Secret, json!("0123456789abcdef"), "0123…")]
    #[case(Kind::Secret, json!("abcd"), "abcd")]
    #[case(Kind::Flag, json!(true), "yes")]
    #[case(Kind::Flag, json!(false), "no")]
    #[case(Kind::Ago, json!("2026-01-01T00:00:00.000Z"), "5 min ago")]
    #[case(Kind::Ago, json!("2026-12-31"), "2026-12-31")]
    #[case(Kind::Seconds, json!(0.25), "0.25 s")]
    #[case(Kind::Seconds, json!(0), "under 1 s")]
    #[case(Kind::Seconds, json!(12), "12 s")]
    #[case(Kind::Role, json!(40), "maintainer")]
    #[case(Kind::Role, json!(35), "35")]
    fn a_value_shows_as_its_kind(#[case] kind: Kind, #[case] value: Value, #[case] expected: &str) {
        let now = "2026-01-01T00:05:10Z".parse().unwrap();
        let column = Column::new("x", "/deep/x", kind);
        let (text, _) = column.cell(&json!({ "deep": { "x": value } }), now);
        assert_eq!(text, expected);
    }
}
