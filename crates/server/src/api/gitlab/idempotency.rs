//! `Idempotency-Key`: a client's own name for one request, so that a repeated
//! one starts nothing twice.

use http::HeaderMap;
use http::header::HeaderValue;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tappet_model::ProjectId;
use tappet_store::IdempotencyKey;

use super::call::is_credential;
use super::errors::{ApiError, ApiResult};
use super::params::Params;
use crate::idempotency_key;

/// Marks an answer that was given before.
pub const REPLAYED: &str = "idempotent-replayed";

/// The key of a call, checked.
pub fn header(headers: &HeaderMap) -> ApiResult<Option<String>> {
    idempotency_key::read(headers).map_err(ApiError::bad_request)
}

/// Key and fingerprint as intake takes them.
pub fn scoped(
    key: Option<String>,
    project: ProjectId,
    credential: String,
    params: &Params,
) -> Option<(IdempotencyKey, [u8; 32])> {
    let key = key?;
    let key = IdempotencyKey {
        project_id: project,
        credential,
        key,
    };
    Some((key, fingerprint(params)))
}

/// A digest of parsed parameters: the order of keys and the encoding of the body
/// do not matter, tokens are left out, and so are empty values, which clients
/// send or not as they like.
fn fingerprint(params: &Params) -> [u8; 32] {
    let mut digest = Sha256::new();
    add_object(&mut digest, params, |name| {
        is_credential(name) || name == "id"
    });
    digest.finalize().into()
}

fn add_object(digest: &mut Sha256, object: &Params, left_out: impl Fn(&str) -> bool) {
    let mut entries: Vec<(&String, &Value)> = object
        .iter()
        .filter(|(name, value)| !left_out(name) && !is_nothing(value))
        .collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    digest.update(b"{");
    for (name, value) in entries {
        add_text(digest, name);
        add(digest, value);
    }
    digest.update(b"}");
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(|object| object.is_empty())
}

fn add(digest: &mut Sha256, value: &Value) {
    match value {
        Value::Object(object) => add_object(digest, object, |_| false),
        Value::Array(items) => {
            digest.update(b"[");
            for item in items {
                add(digest, item);
            }
            digest.update(b"]");
        }
        Value::String(text) => add_text(digest, text),
        other => {
            digest.update(b"=");
            add_text(digest, &other.to_string());
        }
    }
}

/// With its length in front, so that no two lists of texts look the same.
fn add_text(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_be_bytes());
    digest.update(text.as_bytes());
}

/// `Idempotent-Replayed: true`.
pub fn mark_replayed(headers: &mut HeaderMap) {
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn print(value: Value) -> [u8; 32] {
        fingerprint(value.as_object().unwrap())
    }

    #[rstest]
    #[case(json!({"variables":{"B":"2","A":"1"},"ref":"main","token":"other"}))]
    #[case(json!({"ref":"main","variables":{"A":"1","B":"2"},"inputs":{},"id":"7"}))]
    #[case(json!({"ref":"main","variables":{"A":"1","B":"2"},"inputs":null}))]
    fn the_same_request_has_the_same_fingerprint(#[case] params: Value) {
        let first = json!({"ref":"main","token":"t","variables":{"A":"1","B":"2"}});
        assert_eq!(print(params), print(first));
    }

    #[rstest]
    #[case(json!({"ref":"main","variables":{"A":"1"}}))]
    #[case(json!({"ref":"main","variables":{"A":"1","B":"3"}}))]
    #[case(json!({"ref":"main","variables":{"A1":"","B":"2"}}))]
    #[case(json!({"ref":"dev","variables":{"A":"1","B":"2"}}))]
    #[case(json!({"ref":"main","variables":{"A":"1","B":"2"},"extra":["x"]}))]
    fn another_request_has_another(#[case] params: Value) {
        let first = json!({"ref":"main","variables":{"A":"1","B":"2"}});
        assert_ne!(print(params), print(first));
    }
}
