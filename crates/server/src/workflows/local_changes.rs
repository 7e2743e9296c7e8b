//! The local changes that a caller uploaded before asking for a run: a patch in
//! the cache, whose key holds the digest of its content (Depot CLI 2.102:
//! `patch/<12 digits of the base>/<16 digits of its SHA-256>`).

use sha2::{Digest, Sha256};

use crate::app::App;

/// Why the changes cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LocalChangesError {
    /// The key is of another form.
    #[error(
        "`{0}` is no key of local changes: it must be patch/<12 hex digits of the base commit>/<16 hex digits of the patch's SHA-256>"
    )]
    BadKey(String),
    /// Nothing complete is stored under the key.
    #[error("the local changes `{0}` are not in the cache: upload them again")]
    Missing(String),
    /// What is stored is not what the key names.
    #[error(
        "the local changes `{0}` do not have the digest that their key names: upload them again"
    )]
    Damaged(String),
    /// The cache cannot serve.
    #[error("cannot read the local changes `{0}`: {1}")]
    Unreadable(String, String),
}

/// The patch of a key, checked against the digest in it.
pub async fn read(app: &App, key: &str) -> Result<Vec<u8>, LocalChangesError> {
    let digest = digest_of(key).ok_or_else(|| LocalChangesError::BadKey(key.to_owned()))?;
    let found = app.read_cache("generic", key).await;
    let patch = found
        .map_err(|error| LocalChangesError::Unreadable(key.to_owned(), error.to_string()))?
        .ok_or_else(|| LocalChangesError::Missing(key.to_owned()))?;
    if is_digest_of(digest, &patch) {
        Ok(patch)
    } else {
        Err(LocalChangesError::Damaged(key.to_owned()))
    }
}

/// The digest in a key.
fn digest_of(key: &str) -> Option<&str> {
    let (base, digest) = key.strip_prefix("patch/")?.split_once('/')?;
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    (is_hex(base, 12) && is_hex(digest, 16)).then_some(digest)
}

fn is_digest_of(digest: &str, content: &[u8]) -> bool {
    let whole = Sha256::digest(content);
    let hex: String = whole[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hex.eq_ignore_ascii_case(digest)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("patch/0123456789ab/0123456789abcdef", Some("0123456789abcdef"))]
    #[case("patch/0123456789ab/0123456789abcde", None)]
    #[case("patch/0123456789a/0123456789abcdef", None)]
    #[case("patch/0123456789ab/0123456789abcdeg", None)]
    #[case("other/0123456789ab/0123456789abcdef", None)]
    fn keys_end_in_a_digest(#[case] key: &str, #[case] expected: Option<&str>) {
        assert_eq!(digest_of(key), expected);
    }

    #[test]
    fn the_content_must_have_the_digest() {
        // SHA-256 of nothing begins so.
        assert!(is_digest_of("e3b0c44298fc1c14", b""));
        assert!(!is_digest_of("e3b0c44298fc1c14", b"x"));
    }
}
