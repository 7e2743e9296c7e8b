//! How many logs a person follows at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tappet_model::UserId;

use crate::api::depot::errors::{RpcError, RpcResult};

/// Streams of one person; each holds a connection and a file open.
const MOST: u32 = 100;

/// Counts the streams of each person.
#[derive(Clone, Default)]
pub struct StreamCount(Arc<Mutex<HashMap<UserId, u32>>>);

/// A stream that is counted until this is dropped.
pub struct Counted {
    all: StreamCount,
    user: UserId,
}

impl StreamCount {
    /// Counts one more, unless there are too many.
    pub fn enter(&self, user: UserId) -> RpcResult<Counted> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(user).or_insert(0);
        if *count >= MOST {
            return Err(RpcError::exhausted(format!(
                "you follow {MOST} logs already; end one of them first"
            )));
        }
        *count += 1;
        Ok(Counted {
            all: self.clone(),
            user,
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_ends_makes_room_for_another() {
        let count = StreamCount::default();
        let (ann, bob) = (UserId(1), UserId(2));
        let mut streams: Vec<Counted> = (0..MOST).map(|_| count.enter(ann).unwrap()).collect();
        assert!(count.enter(ann).is_err());
        assert!(count.enter(bob).is_ok());
        streams.pop();
        assert!(count.enter(ann).is_ok());
    }
}
