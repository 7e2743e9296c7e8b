//! What a variable may be called (GitLab: `app/models/concerns/ci/has_variable.rb`).

use super::field_errors::FieldErrors;

/// What GitLab says of any other character.
pub const CHARACTERS_TEXT: &str = "can contain only letters, digits and '_'.";

/// Complains under `key` about one that cannot be.
pub fn check(key: &str, errors: &mut FieldErrors) {
    if key.is_empty() {
        errors.add("key", "can't be blank");
    }
    errors.limit_length("key", key);
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if key.is_empty() || !key.bytes().all(is_word) {
        errors.add("key", CHARACTERS_TEXT);
    }
}
