//! The expression language as workflows use it.

mod arrays;
mod conditions;
mod functions;
mod hostile;
mod json;
mod numbers;
mod operators;
mod refusals;
mod surroundings;
mod templates;
mod uses;
mod values;
