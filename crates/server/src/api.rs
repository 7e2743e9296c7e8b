//! The HTTP interfaces, one folder for each dialect. No dialect leaves its folder.
//! What a route promises stands beside it, in `operation`.

pub mod gitlab;
pub mod operation;
pub mod routes;
pub mod runner;
