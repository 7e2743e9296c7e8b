//! What GitLab's models find wrong with a call, field by field:
//! `{"message":{"<field>":["<text>", …], …}}`.
//!
//! A parameter of a wrong kind is not a model's business: that is
//! [`Checks`](super::params::Checks), with `{"error":"<text>"}`.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::errors::{ApiError, ApiResult};

/// Characters of names, keys and short descriptions.
const TEXT_LIMIT: usize = 255;

/// Complaints by field, in the order in which they were found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct FieldErrors(Map<String, Value>);

impl FieldErrors {
    /// A single complaint.
    pub fn one(field: &str, text: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, text);
        errors
    }

    /// One more.
    pub fn add(&mut self, field: &str, text: impl Into<String>) {
        let texts = self.0.entry(field).or_insert_with(|| json!([]));
        if let Some(texts) = texts.as_array_mut() {
            texts.push(Value::String(text.into()));
        }
    }

    /// Complains about a text of more than 255 characters.
    pub fn limit_length(&mut self, field: &str, text: &str) {
        if text.chars().count() > TEXT_LIMIT {
            let complaint = format!("is too long (maximum is {TEXT_LIMIT} characters)");
            self.add(field, complaint);
        }
    }

    /// Whether all is well.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// 400 when there is a complaint.
    pub fn finish(self) -> ApiResult<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.with_status(StatusCode::BAD_REQUEST))
        }
    }

    /// The answer, with any status.
    pub fn with_status(self, status: StatusCode) -> ApiError {
        ApiError::new(status, &json!({ "message": self }))
    }
}

impl From<FieldErrors> for ApiError {
    /// 400.
    fn from(errors: FieldErrors) -> Self {
        errors.with_status(StatusCode::BAD_REQUEST)
    }
}
