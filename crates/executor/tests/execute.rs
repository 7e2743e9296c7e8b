//! Whole attempts, from payload to outcome, without a server.

#![expect(clippy::unwrap_used, reason = "a test")]

mod scenarios {
    mod artifacts;
    pub mod attempt;
    mod bench;
    pub mod named_artifacts;
    mod output;
    mod script;
    mod sources;
    mod steps;
    mod steps_actions;
    mod steps_composite;
    mod stopping;
    pub mod workflow;
}
