//! What the store keeps of a secret.

/// A keyed or plain SHA-256 of a secret. Secrets themselves never reach the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TokenHash(pub [u8; 32]);
