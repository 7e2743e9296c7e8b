//! Every client verb against a server: what people see, and what exit codes say.
//! Each scenario is a transcript; its snapshot stands beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod audit;
mod errors;
mod gc;
mod help;
mod hooks;
mod projects;
mod pull_requests;
mod runs;
mod schedules;
mod shell;
mod triggers;
mod variables;
mod workflows;

use shell::Shell;

/// Two stages, one job each.
const PIPELINE: &str = "stages: [build, test]\n\
                        build:\n  stage: build\n  script: make\n\
                        test:\n  stage: test\n  script: make test\n";
