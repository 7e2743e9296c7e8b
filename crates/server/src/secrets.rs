//! The server's own keys and all that hangs on them: sealed values, hashes of
//! tokens, tokens of attempts.
//!
//! A key is 32 random bytes in `DIR/secret.key`. Nothing is done with it
//! directly: each use has a subkey of its own, so that what one use gives away
//! says nothing about another. Nothing here is stored; the callers keep what
//! they get.
//!
//! After a rotation the file holds the new key and, until nothing needs them any
//! more, earlier ones. Only the first is used for anything new; see
//! [`key_rotation`](crate::key_rotation).

pub(crate) mod key_file;
mod token;

use std::io;
use std::path::Path;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use tappet_model::AttemptId;
use tappet_store::TokenHash;

use key_file::NumberedKey;
use token::{TOKEN_CHARACTERS, random, url_safe};

pub use token::{hash, new_hex_token, new_token};

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// GitLab's prefix of job tokens; runners and secret scanners know it.
const JOB_TOKEN_PREFIX: &str = "glcbt-";
/// Nothing longer is looked at; a genuine token has at most 43 characters.
const JOB_TOKEN_LIMIT: usize = 200;
/// The keys of one data directory.
pub struct Secrets {
    current: Key,
    /// Earlier keys that may still be needed for reading.
    retired: Vec<Key>,
}

/// One key as it is used.
struct Key {
    /// First byte of everything sealed with it.
    number: u8,
    cipher: XChaCha20Poly1305,
    token_mac: Hmac<Sha256>,
    job_token_mac: Hmac<Sha256>,
    signature_mac: Hmac<Sha256>,
}

/// Why a sealed value stays closed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// Too short, or sealed with a key that this server does not have.
    #[error(
        "cannot read a sealed value: it was written by another version, or with a key that was retired since; restore the secret.key that the database was used with"
    )]
    Format,
    /// Changed, moved to another place, or sealed with another key.
    #[error(
        "cannot open a sealed value: it does not belong to this secret.key; restore the key that the database was used with"
    )]
    NotAuthentic,
}

impl Secrets {
    /// Reads `DIR/secret.key`, creating it (mode 0600) on first use.
    ///
    /// # Errors
    /// The file cannot be read or written, or does not hold keys.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let ring = key_file::read_or_create(&data_dir.join("secret.key"))?;
        Ok(Self {
            current: Key::of(&ring.current),
            retired: ring.retired.iter().map(Key::of).collect(),
        })
    }

    /// Encrypts `plain` so that only this key opens it, and only for the same
    /// `context` (say, which row and column it belongs to).
    #[must_use]
    pub fn seal(&self, plain: &[u8], context: &str) -> Vec<u8> {
        let Key { number, cipher, .. } = &self.current;
        let nonce: [u8; NONCE_BYTES] = random();
        let encrypted = cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &associated_data(*number, context),
                },
            )
            .expect("values are far below the cipher's limit of 256 GiB");
        let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + encrypted.len());
        sealed.push(*number);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&encrypted);
        sealed
    }

    /// Opens what [`Secrets::seal`] made for the same `context`.
    ///
    /// # Errors
    /// See [`UnsealError`].
    pub fn unseal(&self, sealed: &[u8], context: &str) -> Result<Vec<u8>, UnsealError> {
        if sealed.len() < 1 + NONCE_BYTES + TAG_BYTES {
            return Err(UnsealError::Format);
        }
        let Key { number, cipher, .. } = self
            .keys()
            .find(|key| key.number == sealed[0])
            .ok_or(UnsealError::Format)?;
        let (nonce, encrypted) = sealed[1..].split_at(NONCE_BYTES);
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| UnsealError::Format)?;
        cipher
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: encrypted,
                    aad: &associated_data(*number, context),
                },
            )
            .map_err(|_| UnsealError::NotAuthentic)
    }

    /// The current key first.
    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.retired)
    }

    /// First byte of everything that is sealed now.
    #[must_use]
    pub fn current_number(&self) -> u8 {
        self.current.number
    }

    /// Whether a rotation is not finished yet.
    #[must_use]
    pub fn has_retired_keys(&self) -> bool {
        !self.retired.is_empty()
    }

    /// HMAC-SHA256 of a token: how a trigger token is found without keeping it
    /// readable.
    #[must_use]
    pub fn keyed_hash(&self, token: &str) -> TokenHash {
        TokenHash(code(&self.current.token_mac, token.as_bytes()))
    }

    /// The token an attempt's runner shows. It follows from the id and the key,
    /// so nothing is stored and a restarted server knows it.
    #[must_use]
    pub fn job_token(&self, attempt: AttemptId) -> String {
        self.current.job_token(attempt)
    }

    /// Every token that an attempt's runner may show: it keeps the one that it was
    /// given before a rotation.
    #[must_use]
    pub fn job_tokens(&self, attempt: AttemptId) -> Vec<String> {
        self.keys().map(|key| key.job_token(attempt)).collect()
    }

    /// What proves that an address or another text was made here: letters, digits,
    /// `-` and `_`.
    #[must_use]
    pub fn signature(&self, text: &str) -> String {
        self.current.signature(text)
    }

    /// Whether a signature is of this text. Takes the same time however much of a
    /// wrong one is right.
    #[must_use]
    pub fn verify_signature(&self, text: &str, signature: &str) -> bool {
        let is_one = self.keys().fold(Choice::from(0), |is_one, key| {
            is_one | key.signature(text).as_bytes().ct_eq(signature.as_bytes())
        });
        bool::from(is_one)
    }

    /// The attempt whose token this is. Takes the same time however much of a
    /// wrong token is right.
    #[must_use]
    pub fn verify_job_token(&self, token: &str) -> Option<AttemptId> {
        if token.len() > JOB_TOKEN_LIMIT {
            return None;
        }
        let (id, _) = token.strip_prefix(JOB_TOKEN_PREFIX)?.split_once('_')?;
        let id = AttemptId(i64::from_str_radix(id, 16).ok().filter(|id| *id >= 0)?);
        let is_one = self.keys().fold(Choice::from(0), |is_one, key| {
            is_one | key.job_token(id).as_bytes().ct_eq(token.as_bytes())
        });
        bool::from(is_one).then_some(id)
    }
}

impl Key {
    fn of(numbered: &NumberedKey) -> Self {
        let NumberedKey { number, bytes } = numbered;
        Self {
            number: *number,
            cipher: XChaCha20Poly1305::new(&subkey(bytes, b"seal").into()),
            token_mac: mac_with(&subkey(bytes, b"token hash")),
            job_token_mac: mac_with(&subkey(bytes, b"job token")),
            signature_mac: mac_with(&subkey(bytes, b"signature")),
        }
    }

    fn signature(&self, text: &str) -> String {
        let code = code(&self.signature_mac, text.as_bytes());
        code.iter().map(url_safe).collect()
    }

    fn job_token(&self, attempt: AttemptId) -> String {
        let code = code(&self.job_token_mac, &attempt.0.to_be_bytes());
        let mut token = format!("{JOB_TOKEN_PREFIX}{:x}_", attempt.0);
        token.extend(code[..TOKEN_CHARACTERS].iter().map(url_safe));
        token
    }
}

/// The number of the key is bound in, so that nothing is passed off as sealed with
/// another one.
fn associated_data(number: u8, context: &str) -> Vec<u8> {
    [&[number], context.as_bytes()].concat()
}

fn mac_with(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn code(mac: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    mac.clone()
        .chain_update(message)
        .finalize()
        .into_bytes()
        .into()
}

fn subkey(key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    code(&mac_with(key), purpose)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::token::URL_SAFE;
    use super::*;

    fn secrets() -> (tempfile::TempDir, Secrets) {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(dir.path()).unwrap();
        (dir, secrets)
    }

    #[test]
    fn a_sealed_value_opens_after_a_restart() {
        let (dir, secrets) = secrets();
        let sealed = secrets.seal(b"s3cr3t", "variable 7");
        let reopened = Secrets::open(dir.path()).unwrap();
        assert_eq!(reopened.unseal(&sealed, "variable 7").unwrap(), b"s3cr3t");
    }

    #[test]
    fn a_sealed_value_does_not_show_its_content_or_repeat() {
        let (_dir, secrets) = secrets();
        let sealed = secrets.seal(b"s3cr3t-value", "a");
        assert!(!sealed.windows(6).any(|window| window == b"s3cr3t"));
        assert_ne!(sealed, secrets.seal(b"s3cr3t-value", "a"));
    }

    #[test]
    fn a_sealed_value_moved_elsewhere_stays_closed() {
        let (_dir, secrets) = secrets();
        let sealed = secrets.seal(b"s3cr3t", "variable 7");
        assert_eq!(
            secrets.unseal(&sealed, "variable 8"),
            Err(UnsealError::NotAuthentic)
        );
    }

    #[test]
    fn each_changed_byte_is_noticed() {
        let (_dir, secrets) = secrets();
        let sealed = secrets.seal(b"s3cr3t", "");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(secrets.unseal(&changed, "").is_err(), "byte {index}");
        }
    }

    #[rstest]
    #[case::empty(&[])]
    #[case::shorter_than_nonce_and_tag(&[1; 40])]
    #[case::unknown_key(&[2; 60])]
    fn what_was_never_sealed_is_a_format_error(#[case] bytes: &[u8]) {
        let (_dir, secrets) = secrets();
        assert_eq!(secrets.unseal(bytes, ""), Err(UnsealError::Format));
    }

    #[test]
    fn another_data_directory_opens_nothing_and_knows_no_token() {
        let (_dir, ours) = secrets();
        let (_dir, theirs) = secrets();
        assert!(theirs.unseal(&ours.seal(b"x", ""), "").is_err());
        assert_ne!(ours.keyed_hash("glptt-1"), theirs.keyed_hash("glptt-1"));
        assert_eq!(theirs.verify_job_token(&ours.job_token(AttemptId(1))), None);
    }

    #[test]
    fn a_signature_is_of_one_text_and_of_this_server() {
        let (_dir, ours) = secrets();
        let (_dir, theirs) = secrets();
        let signature = ours.signature("artifact 7");
        assert!(ours.verify_signature("artifact 7", &signature));
        assert!(!ours.verify_signature("artifact 8", &signature));
        assert!(!ours.verify_signature("artifact 7", &signature[1..]));
        assert!(!theirs.verify_signature("artifact 7", &signature));
    }

    #[test]
    fn the_keyed_hash_is_stable_and_is_not_the_plain_one() {
        let (dir, secrets) = secrets();
        let hashed = secrets.keyed_hash("glptt-1");
        assert_eq!(
            Secrets::open(dir.path()).unwrap().keyed_hash("glptt-1"),
            hashed
        );
        assert_ne!(hashed, secrets.keyed_hash("glptt-2"));
        assert_ne!(hashed, hash("glptt-1"));
    }

    fn rotated(dir: &Path) -> Secrets {
        key_file::add(&dir.join("secret.key")).unwrap();
        Secrets::open(dir).unwrap()
    }

    #[test]
    fn after_a_rotation_the_old_key_only_reads() {
        let (dir, old) = secrets();
        let sealed = old.seal(b"s3cr3t", "a");
        let token = old.job_token(AttemptId(7));
        let new = rotated(dir.path());
        assert!(new.has_retired_keys() && !old.has_retired_keys());
        assert_eq!(new.unseal(&sealed, "a").unwrap(), b"s3cr3t");
        assert_eq!(new.verify_job_token(&token), Some(AttemptId(7)));
        assert_eq!(
            new.job_tokens(AttemptId(7)),
            [new.job_token(AttemptId(7)), token]
        );

        let resealed = new.seal(b"s3cr3t", "a");
        assert_eq!(resealed[0], new.current_number());
        assert_eq!(old.unseal(&resealed, "a"), Err(UnsealError::Format));
        assert_ne!(new.keyed_hash("glptt-1"), old.keyed_hash("glptt-1"));
    }

    #[test]
    fn what_is_sealed_with_one_key_is_not_passed_off_as_another_ones() {
        let (dir, old) = secrets();
        let mut sealed = old.seal(b"s3cr3t", "a");
        let new = rotated(dir.path());
        sealed[0] = new.current_number();
        assert_eq!(new.unseal(&sealed, "a"), Err(UnsealError::NotAuthentic));
    }

    #[test]
    fn a_key_that_is_gone_opens_nothing_and_knows_no_token() {
        let (dir, old) = secrets();
        rotated(dir.path());
        key_file::drop_retired(&dir.path().join("secret.key")).unwrap();
        let new = Secrets::open(dir.path()).unwrap();
        assert!(!new.has_retired_keys());
        assert_eq!(
            new.unseal(&old.seal(b"x", ""), ""),
            Err(UnsealError::Format)
        );
        assert_eq!(new.verify_job_token(&old.job_token(AttemptId(1))), None);
    }

    #[rstest]
    #[case(0)]
    #[case(42)]
    #[case(i64::MAX)]
    fn a_job_token_names_its_attempt_after_a_restart(#[case] id: i64) {
        let (dir, secrets) = secrets();
        let token = secrets.job_token(AttemptId(id));
        let rest = token.strip_prefix(&format!("glcbt-{id:x}_")).unwrap();
        assert_eq!(rest.len(), 20);
        assert!(rest.bytes().all(|byte| URL_SAFE.contains(&byte)));
        let reopened = Secrets::open(dir.path()).unwrap();
        assert_eq!(reopened.verify_job_token(&token), Some(AttemptId(id)));
    }

    #[test]
    fn a_job_token_changed_in_any_place_is_refused() {
        let (_dir, secrets) = secrets();
        let token = secrets.job_token(AttemptId(0x2a));
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(secrets.verify_job_token(&changed), None, "{changed}");
        }
    }

    #[test]
    fn only_the_exact_spelling_of_a_job_token_is_accepted() {
        let (_dir, secrets) = secrets();
        let token = secrets.job_token(AttemptId(0x2a));
        let code = token.strip_prefix("glcbt-2a_").unwrap();
        for wrong in [
            String::new(),
            "glcbt-".into(),
            "glcbt-2a".into(),
            "glcbt-2a_".into(),
            format!("glcbt-2A_{code}"),
            format!("glcbt-02a_{code}"),
            format!("glcbt-+2a_{code}"),
            format!("glcbt--2a_{code}"),
            format!("glcbt-2b_{code}"),
            format!("glpat-2a_{code}"),
            format!("{token}x"),
            format!("{token}{}", "x".repeat(8000)),
            format!("glcbt-{}_{code}", "f".repeat(100)),
        ] {
            assert_eq!(secrets.verify_job_token(&wrong), None, "{wrong}");
        }
    }
}
