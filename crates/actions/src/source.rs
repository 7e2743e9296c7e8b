//! Reading YAML files of GitHub's template language: workflows and actions.

pub(crate) mod document;
pub(crate) mod entry;
pub(crate) mod identifier;
pub(crate) mod report;
pub(crate) mod tree;
