//! Why a job failed: the lines of its log that tell most, and what they mean.

pub mod cause;
pub mod evidence;
