//! The expression language as workflows use it.

mod surroundings;
mod values;
