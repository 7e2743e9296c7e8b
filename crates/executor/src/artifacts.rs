//! Archives of files between jobs: [`collect`] packs them after the script,
//! [`restore`] unpacks those of earlier jobs before it. Neither follows a link.

pub(crate) mod collect;
pub mod restore;
