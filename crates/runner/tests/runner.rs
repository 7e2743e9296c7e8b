//! The runner against a small server of our own, in this process and as a
//! process of its own that can be killed.
#![expect(clippy::unwrap_used, reason = "a test")]

mod scenarios {
    mod bench;
    pub mod fake_server;
    mod log;
    mod process;
    mod steps;
    mod stopping;
    mod transfer;
}
