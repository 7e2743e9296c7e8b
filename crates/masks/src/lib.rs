//! Finds secrets in a stream of bytes, in all their likely spellings, and puts a
//! mask in their place. Pure: who holds the secrets and what happens to the text
//! is the caller's business.

pub mod masker;
pub mod spellings;

pub use masker::{HeldBack, Masker};
