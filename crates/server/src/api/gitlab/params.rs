//! Parameters of a call, wherever they came from, and their validation with
//! Grape's error texts (GitLab: `lib/api/**`, gem `grape`).

mod body;
mod nested;

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::{Map, Value};
use tappet_model::Timestamp;

use super::errors::{self, ApiError, ApiResult};

pub use body::{MAX_BODY_BYTES, read as read_body, read_bytes};
pub use nested::parse_pairs;

/// Parameters after merging: path beats body beats query.
pub type Params = Map<String, Value>;

/// Why parameters could not be read at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// More brackets or JSON levels than anybody needs.
    #[error("the parameters are nested too deeply")]
    TooDeep,
    /// More parameters than anybody needs.
    #[error("there are too many parameters")]
    TooMany,
    /// Bytes that are no text.
    #[error("a parameter is not valid UTF-8 or holds a null byte")]
    Encoding,
    /// `a=1&a[b]=2`.
    #[error("expected {expected} (got {found}) for param `{name}'")]
    Conflict {
        /// What the later pair needs.
        expected: &'static str,
        /// What the earlier pair made.
        found: &'static str,
        /// Which parameter.
        name: String,
    },
    /// A body that is not the JSON that it claims to be.
    #[error("message body does not match declared format")]
    Json,
    /// A body that is not the multipart form that it claims to be.
    #[error("the multipart form could not be read")]
    Multipart,
}

impl From<Malformed> for ApiError {
    fn from(malformed: Malformed) -> Self {
        ApiError::param(malformed.to_string())
    }
}

/// An object in a list.
pub struct Item<'a> {
    /// For error texts: `variables[0]`.
    pub place: String,
    /// Its fields.
    pub object: &'a Params,
}

/// Validates parameters one by one and reports all failures at once. A getter
/// that notes a failure returns an empty value: use values after [`Checks::finish`].
pub struct Checks<'a> {
    params: &'a Params,
    errors: Vec<Cow<'static, str>>,
}

impl<'a> Checks<'a> {
    /// Starts a validation.
    pub fn new(params: &'a Params) -> Self {
        Self {
            params,
            errors: Vec::new(),
        }
    }

    /// 400 `{"error":"…, …"}` when something was refused.
    pub fn finish(self) -> ApiResult<()> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(errors::joined(&self.errors))
        }
    }

    /// Whether nothing was refused so far.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Notes a failure in words of the caller.
    pub fn refuse(&mut self, text: impl Into<Cow<'static, str>>) {
        self.errors.push(text.into());
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.params.get(name).filter(|value| !value.is_null())
    }

    /// Like [`Checks::value`], but an empty text counts as absent too, as it does
    /// for every type but text and map (gem `grape`: `PrimitiveCoercer`).
    fn filled(&self, name: &str) -> Option<&'a Value> {
        self.value(name)
            .filter(|value| value.as_str().is_none_or(|text| !text.is_empty()))
    }

    /// Whether something that is not empty was given.
    pub fn is_given(&self, name: &str) -> bool {
        match self.filled(name) {
            None => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(object)) => !object.is_empty(),
            Some(_) => true,
        }
    }

    /// Optional text.
    pub fn text(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let text = self.value(name).map(as_text)?;
        if text.is_none() {
            self.refuse(format!("{name} is invalid"));
        }
        text
    }

    /// Optional text of which the empty one counts as absent.
    pub fn filled_text(&mut self, name: &str) -> Option<Cow<'a, str>> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Required text, which may be blank.
    pub fn required_text(&mut self, name: &str) -> Cow<'a, str> {
        self.require(name);
        self.text(name).unwrap_or_default()
    }

    /// Required text that is not blank.
    pub fn required_filled_text(&mut self, name: &str) -> Cow<'a, str> {
        let present = self.params.contains_key(name);
        if !present {
            self.refuse(format!("{name} is missing"));
        }
        let before = self.errors.len();
        let text = self.text(name).unwrap_or_default();
        if text.trim().is_empty() && self.errors.len() == before {
            self.refuse(format!("{name} is empty"));
        }
        text
    }

    /// Required truth value.
    pub fn required_boolean(&mut self, name: &str) -> bool {
        self.require(name);
        self.boolean(name).unwrap_or_default()
    }

    /// Required whole number.
    pub fn required_integer(&mut self, name: &str) -> i64 {
        self.require(name);
        self.integer(name).unwrap_or_default()
    }

    /// Refuses the absence of a parameter of any kind.
    pub fn require(&mut self, name: &str) {
        if !self.params.contains_key(name) {
            self.refuse(format!("{name} is missing"));
        }
    }

    /// Optional truth value.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.filled(name)?;
        let parsed = match value {
            Value::Bool(truth) => Some(*truth),
            other => match as_text(other)?.to_ascii_lowercase().as_str() {
                "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
                "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
                _ => None,
            },
        };
        if parsed.is_none() {
            self.refuse(format!("{name} is invalid"));
        }
        parsed
    }

    /// Optional whole number.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        let parsed = as_text(self.filled(name)?).and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.refuse(format!("{name} is invalid"));
        }
        parsed
    }

    /// Optional point in time: ISO 8601; without an offset it is UTC, without a
    /// time of day it is midnight.
    pub fn time(&mut self, name: &str) -> Option<Timestamp> {
        let parsed = as_text(self.filled(name)?).and_then(|text| parse_time(&text));
        if parsed.is_none() {
            self.refuse(format!("{name} is invalid"));
        }
        parsed
    }

    /// Optional day, as the midnight (UTC) that it begins with.
    pub fn date(&mut self, name: &str) -> Option<Timestamp> {
        self.time(name).map(Timestamp::midnight)
    }

    /// Optional texts: a list, or one text with commas between them.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.value(name)?;
        let texts: Option<Vec<String>> = match value {
            Value::Array(items) => items
                .iter()
                .map(|item| as_text(item).map(Cow::into_owned))
                .collect(),
            other => as_text(other).map(|text| {
                let parts = text.split(',').map(str::trim);
                parts
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned)
                    .collect()
            }),
        };
        if texts.is_none() {
            self.refuse(format!("{name} is invalid"));
        }
        texts
    }

    /// Required texts, like [`Checks::texts`].
    pub fn required_texts(&mut self, name: &str) -> Vec<String> {
        if !self.params.contains_key(name) {
            self.refuse(format!("{name} is missing"));
        }
        self.texts(name).unwrap_or_default()
    }

    /// Whether the call names the parameter at all.
    pub fn names(&self, name: &str) -> bool {
        self.params.contains_key(name)
    }

    /// Optional word out of a fixed list; the empty text is none of its words.
    pub fn one_of<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let parsed = as_text(self.value(name)?).and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.refuse(format!("{name} does not have a valid value"));
        }
        parsed
    }

    /// Optional text that is one of these words.
    pub fn word(&mut self, name: &str, words: &'static [&'static str]) -> Option<&'static str> {
        let given = self.text(name)?;
        let known = words.iter().find(|word| **word == given).copied();
        if known.is_none() {
            self.refuse(format!("{name} does not have a valid value"));
        }
        known
    }

    /// Optional words out of a fixed list: one text or an array of texts.
    pub fn some_of<T: FromStr>(&mut self, name: &str) -> Vec<T> {
        let Some(value) = self.value(name) else {
            return Vec::new();
        };
        let one = std::slice::from_ref(value);
        let items = value.as_array().map_or(one, Vec::as_slice);
        let parsed: Option<Vec<T>> = items
            .iter()
            .map(|item| as_text(item)?.parse().ok())
            .collect();
        parsed.unwrap_or_else(|| {
            self.refuse(format!("{name} does not have a valid value"));
            Vec::new()
        })
    }

    /// Optional map. A text is none, not even the empty one.
    pub fn object(&mut self, name: &str) -> Option<&'a Params> {
        let value = self.value(name)?;
        if value.as_object().is_none() {
            self.refuse(format!("{name} is invalid"));
        }
        value.as_object()
    }

    /// Optional list of objects; empty when absent.
    pub fn objects(&mut self, name: &str) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        let list = self.array(name).unwrap_or_default();
        for (at, item) in list.iter().enumerate() {
            let place = format!("{name}[{at}]");
            match item.as_object() {
                Some(object) => items.push(Item { place, object }),
                None => self.refuse(format!("{place} is invalid")),
            }
        }
        items
    }

    /// Required text of an object in a list.
    pub fn item_text(&mut self, item: &Item<'a>, field: &str) -> String {
        let place = &item.place;
        match item.object.get(field).map(as_text) {
            Some(Some(text)) => return text.into_owned(),
            Some(None) => self.refuse(format!("{place}[{field}] is invalid")),
            None => self.refuse(format!("{place}[{field}] is missing")),
        }
        String::new()
    }

    /// Optional list.
    pub fn array(&mut self, name: &str) -> Option<&'a [Value]> {
        let value = self.filled(name)?;
        if value.as_array().is_none() {
            self.refuse(format!("{name} is invalid"));
        }
        value.as_array().map(Vec::as_slice)
    }
}

/// Texts stay, numbers and truth values become texts, the rest is none.
pub fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Owned(truth.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn parse_time(text: &str) -> Option<Timestamp> {
    if let Some(time) = Timestamp::parse(text) {
        return Some(time);
    }
    // A civil date needs its dashes: `2308` or `20260101` is rather a mistake.
    if !text.contains('-') {
        return None;
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let utc = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp(utc.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use rstest::rstest;
    use serde_json::json;
    use tappet_model::Status;

    use super::*;

    fn params(value: Value) -> Params {
        value.as_object().unwrap().clone()
    }

    fn body_of(result: ApiResult<()>) -> String {
        let response = result.unwrap_err().into_response();
        assert_eq!(response.status(), 400);
        let bytes = futures_util::FutureExt::now_or_never(axum::body::to_bytes(
            response.into_body(),
            10_000,
        ));
        String::from_utf8(bytes.unwrap().unwrap().to_vec()).unwrap()
    }

    #[rstest]
    #[case(json!({}), "ref is missing, ref is empty, token is missing")]
    #[case(json!({"ref":"","token":""}), "ref is empty")]
    #[case(json!({"ref":" ","token":"t"}), "ref is empty")]
    #[case(json!({"ref":null,"token":"t"}), "ref is empty")]
    #[case(json!({"ref":["a"],"token":"t"}), "ref is invalid")]
    fn required_texts_fail_in_grapes_words(#[case] given: Value, #[case] expected: &str) {
        let given = params(given);
        let mut checks = Checks::new(&given);
        checks.required_filled_text("ref");
        checks.required_text("token");
        assert_eq!(
            body_of(checks.finish()),
            json!({ "error": expected }).to_string()
        );
    }

    #[rstest]
    #[case(json!("2026-02-01T10:20:30Z"), Some("2026-02-01T10:20:30.000Z"))]
    #[case(json!("2026-02-01T10:20:30+02:00"), Some("2026-02-01T08:20:30.000Z"))]
    #[case(json!("2026-02-01T10:20:30"), Some("2026-02-01T10:20:30.000Z"))]
    #[case(json!("2026-02-01 10:20:30"), Some("2026-02-01T10:20:30.000Z"))]
    #[case(json!("2026-02-01"), Some("2026-02-01T00:00:00.000Z"))]
    #[case(json!("abc"), None)]
    #[case(json!("01/01/2050"), None)]
    #[case(json!("25/26/27"), None)]
    #[case(json!("2308"), None)]
    fn times_are_iso_8601(#[case] given: Value, #[case] expected: Option<&str>) {
        let given = params(json!({ "at": given }));
        let mut checks = Checks::new(&given);
        let time = checks.time("at");
        assert_eq!(time.map(|time| time.to_string()).as_deref(), expected);
        if expected.is_none() {
            assert_eq!(body_of(checks.finish()), r#"{"error":"at is invalid"}"#);
        }
    }

    #[test]
    fn words_may_come_alone_or_as_a_list() {
        let given = params(json!({"a":"failed","b":["failed","success"],"c":["x"],"d":"x"}));
        let mut checks = Checks::new(&given);
        assert_eq!(checks.some_of::<Status>("a"), [Status::Failed]);
        assert_eq!(
            checks.some_of::<Status>("b"),
            [Status::Failed, Status::Success]
        );
        assert!(checks.some_of::<Status>("none").is_empty());
        checks.some_of::<Status>("c");
        checks.one_of::<Status>("d");
        assert_eq!(
            body_of(checks.finish()),
            r#"{"error":"c does not have a valid value, d does not have a valid value"}"#
        );
    }

    #[test]
    fn an_empty_text_is_absent_for_scalars_and_wrong_for_maps_and_words() {
        let given = params(json!({"a":"","b":"maybe","c":"1","d":"7x","e":[]}));
        let mut checks = Checks::new(&given);
        assert_eq!(checks.boolean("a"), None);
        assert_eq!(checks.integer("a"), None);
        assert_eq!(checks.boolean("c"), Some(true));
        checks.boolean("b");
        checks.integer("d");
        checks.object("e");
        checks.object("a");
        checks.word("a", &["b"]);
        assert_eq!(
            body_of(checks.finish()),
            r#"{"error":"b is invalid, d is invalid, e is invalid, a is invalid, a does not have a valid value"}"#
        );
    }
}
