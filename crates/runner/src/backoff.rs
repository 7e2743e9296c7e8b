//! Waiting longer after each failure, never long: the server is on this machine.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// The next wait.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub fn new() -> Self {
        Self(FIRST)
    }

    /// After something worked.
    pub fn reset(&mut self) {
        self.0 = FIRST;
    }

    /// Waits 20 ms, then twice as long each time, up to a second.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
