//! Archives of files between jobs: [`collect`] packs them after the script,
//! [`restore`] unpacks those of earlier jobs before it. [`gzip`] packs reports,
//! which only the server reads. None follows a link.

pub(crate) mod collect;
pub(crate) mod gzip;
pub mod restore;
