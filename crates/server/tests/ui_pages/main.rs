//! The web pages over HTTP, as a browser asks for them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod assets;
mod buttons;
mod ci_settings_page;
mod job_page;
mod pipeline_page;
mod pipelines_page;
mod prefix;
mod projects_page;
mod pull_request_page;
#[path = "../gitlab_api/runner.rs"]
mod runner;
mod sign_in;
mod visitor;
