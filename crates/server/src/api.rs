//! The HTTP interfaces, one folder for each dialect. No dialect leaves its folder.

pub mod gitlab;
pub mod runner;
