//! Whole attempts, from payload to outcome, without a server.

#![expect(clippy::unwrap_used, reason = "a test")]

mod scenarios {
    mod artifacts;
    pub mod attempt;
    mod bench;
    mod output;
    mod script;
    mod sources;
    mod steps;
    mod stopping;
    pub mod workflow;
}
