//! Random tokens and how they are kept.

use sha2::{Digest, Sha256};
use tappet_store::TokenHash;

/// Characters of a token after its prefix; six bits each.
pub(super) const TOKEN_CHARACTERS: usize = 20;
pub(super) const URL_SAFE: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// SHA-256 of a token: how access tokens, runner tokens and sessions are kept.
/// They are random and long, so neither salt nor stretching is needed.
#[must_use]
pub fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}

/// A new token: `prefix` and 20 random characters of `A-Za-z0-9-_` (120 bits).
#[must_use]
pub fn new_token(prefix: &str) -> String {
    let mut token = String::with_capacity(prefix.len() + TOKEN_CHARACTERS);
    token.push_str(prefix);
    token.extend(random::<TOKEN_CHARACTERS>().iter().map(url_safe));
    token
}

/// A new token of 30 hex digits (120 bits), as GitLab made them before 9.5.
#[must_use]
pub fn new_hex_token() -> String {
    let digits = random::<15>().map(|byte| format!("{byte:02x}"));
    digits.concat()
}

/// Six bits of a byte as a character.
pub(super) fn url_safe(byte: &u8) -> char {
    char::from(URL_SAFE[usize::from(byte & 63)])
}

/// Bytes that nobody can foresee.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel's random source answers on every Linux");
    bytes
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_plain_hash_is_sha_256() {
        let hex: String = hash("abc")
            .0
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[rstest]
    #[case("glptt-")]
    #[case("glpat-")]
    #[case("")]
    fn a_new_token_is_its_prefix_and_twenty_url_safe_characters(#[case] prefix: &str) {
        let token = new_token(prefix);
        let random = token.strip_prefix(prefix).unwrap();
        assert_eq!(random.len(), 20);
        assert!(random.bytes().all(|byte| URL_SAFE.contains(&byte)));
        assert_ne!(token, new_token(prefix));
    }
}
