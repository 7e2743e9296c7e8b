//! Whose variables are meant.

use std::fmt;

use clap::Args;

use crate::api::{ProjectName, segment};

/// A project, a group or the server.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Scope {
    /// Of this project
    #[arg(long, short, value_name = "PROJECT")]
    project: Option<ProjectName>,
    /// Of all projects whose path begins with this
    #[arg(long, short, value_name = "PATH")]
    group: Option<String>,
    /// Of all projects of the server
    #[arg(long)]
    instance: bool,
}

impl Scope {
    /// The address of its variables, with something behind it.
    pub fn path(&self, rest: &str) -> String {
        match (&self.project, &self.group) {
            (Some(project), _) => project.path(&format!("/variables{rest}")),
            (_, Some(group)) => format!("/groups/{}/variables{rest}", segment(group)),
            _ => format!("/admin/ci/variables{rest}"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.project, &self.group) {
            (Some(project), _) => write!(f, "{project}"),
            (_, Some(group)) => write!(f, "group {group}"),
            _ => f.write_str("the server"),
        }
    }
}
