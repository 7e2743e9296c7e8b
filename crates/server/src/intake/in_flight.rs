//! Requests with the same idempotency key go one after another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tappet_store::IdempotencyKey;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Keys of requests that are being answered.
#[derive(Default)]
pub struct InFlight {
    turns: Mutex<HashMap<IdempotencyKey, Arc<Turn<()>>>>,
}

impl InFlight {
    /// Waits until no other request with this key is in flight.
    pub async fn wait_for(&self, key: &IdempotencyKey) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Keys that nobody holds any more leave with the next request.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(key.clone()).or_default())
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tappet_model::ProjectId;

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey {
            project_id: ProjectId(1),
            credential: "trigger:1".into(),
            key: text.into(),
        }
    }

    #[tokio::test]
    async fn the_second_request_waits_for_the_first() {
        let in_flight = Arc::new(InFlight::default());
        let first = in_flight.wait_for(&key("a")).await;
        let other = in_flight.wait_for(&key("b")).await;
        let waiting = tokio::spawn({
            let in_flight = Arc::clone(&in_flight);
            async move { in_flight.wait_for(&key("a")).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        drop(waiting.await.unwrap());
        drop(other);
        drop(in_flight.wait_for(&key("c")).await);
        assert_eq!(in_flight.turns.lock().unwrap().len(), 1);
    }
}
