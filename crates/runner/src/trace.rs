//! The log on its way to the server: bytes that are not acknowledged yet, their
//! offsets, and the checksum of all that ever were. No byte is lost or repeated
//! across broken connections and restarts of the server.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::Notify;

/// Unacknowledged bytes at which the job has to wait.
const MAX_HELD: u64 = 1 << 20;
/// The most one PATCH carries. The server holds that much of each log at once.
const MAX_PATCH: usize = 256 << 10;
/// How long lines of the runner itself may wait for company.
const LINGER: Duration = Duration::from_millis(50);

/// Part of a log: `bytes` start at offset `start`.
#[derive(Debug)]
pub(crate) struct Piece {
    pub start: u64,
    pub bytes: VecDeque<Bytes>,
    pub length: u64,
}

/// What the server's idea of the log's length means for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Position {
    /// We go on there.
    Known,
    /// The server has fewer bytes than it acknowledged, or more than there are.
    Impossible,
}

#[derive(Default)]
struct State {
    /// Acknowledged: the offset of the first byte in `held`.
    acknowledged: u64,
    held: VecDeque<Bytes>,
    /// Not yet part of `held`.
    fresh: BytesMut,
    total: u64,
    checksum: crc32fast::Hasher,
    urgent: bool,
    closed: bool,
    discarded: bool,
}

impl State {
    fn pending(&self) -> u64 {
        self.total - self.acknowledged
    }
}

/// A log being sent.
#[derive(Default)]
pub(crate) struct Trace {
    state: Mutex<State>,
    grown: Notify,
    shrunk: Notify,
}

impl Trace {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds output of the job, which leaves as soon as the line is free. Waits while too much is held.
    pub async fn append(&self, bytes: &[u8]) {
        self.add(bytes, true).await;
    }

    /// Adds a line of the runner, which may wait a moment for what comes next.
    pub async fn note(&self, text: &str) {
        self.add(text.as_bytes(), false).await;
    }

    async fn add(&self, bytes: &[u8], urgent: bool) {
        loop {
            let room = self.shrunk.notified();
            {
                let mut state = self.lock();
                if state.discarded {
                    return;
                }
                if state.pending() < MAX_HELD {
                    state.fresh.extend_from_slice(bytes);
                    state.total += bytes.len() as u64;
                    state.checksum.update(bytes);
                    state.urgent |= urgent;
                    break;
                }
            }
            room.await;
        }
        self.grown.notify_one();
    }

    /// There will be no more bytes.
    pub fn close(&self) {
        self.lock().closed = true;
        self.grown.notify_one();
    }

    /// The server wants no more: forget what is held and take everything without keeping it.
    pub fn discard(&self) {
        {
            let mut state = self.lock();
            state.discarded = true;
            state.held = VecDeque::new();
            state.fresh = BytesMut::new();
        }
        self.shrunk.notify_waiters();
        self.grown.notify_one();
    }

    /// The next bytes to send; `None` once there will never be any.
    pub async fn next(&self) -> Option<Piece> {
        let mut lingered = false;
        loop {
            let pending = {
                let mut state = self.lock();
                let pending = state.pending();
                if state.discarded || (state.closed && pending == 0) {
                    return None;
                }
                if pending > 0 && (state.urgent || state.closed || lingered) {
                    return Some(cut(&mut state));
                }
                pending
            };
            if pending > 0 {
                lingered = tokio::time::timeout(LINGER, self.grown.notified())
                    .await
                    .is_err();
            } else {
                self.grown.notified().await;
            }
        }
    }

    /// The server has the first `length` bytes.
    pub fn acknowledge(&self, length: u64) -> Position {
        {
            let mut state = self.lock();
            if state.discarded {
                return Position::Known;
            }
            if length < state.acknowledged || length > state.total {
                return Position::Impossible;
            }
            let mut surplus = length - state.acknowledged;
            state.acknowledged = length;
            while surplus > 0 {
                let Some(front) = state.held.front_mut() else {
                    // Bytes that were never cut cannot be acknowledged unless a former life sent them.
                    state.fresh.advance(surplus as usize);
                    break;
                };
                if front.len() as u64 > surplus {
                    front.advance(surplus as usize);
                    break;
                }
                surplus -= front.len() as u64;
                state.held.pop_front();
            }
            state.urgent |= state.pending() >= MAX_PATCH as u64 / 2;
        }
        self.shrunk.notify_waiters();
        Position::Known
    }

    /// Number and checksum (`crc32:` and 8 hex digits) of all bytes.
    pub fn summary(&self) -> (u64, String) {
        let state = self.lock();
        (
            state.total,
            format!("crc32:{:08x}", state.checksum.clone().finalize()),
        )
    }
}

fn cut(state: &mut State) -> Piece {
    if !state.fresh.is_empty() {
        let fresh = state.fresh.split().freeze();
        state.held.push_back(fresh);
    }
    let mut bytes = VecDeque::new();
    let mut length = 0;
    for piece in &state.held {
        let room = MAX_PATCH - length;
        if room == 0 {
            break;
        }
        let part = piece.slice(..piece.len().min(room));
        length += part.len();
        bytes.push_back(part);
    }
    state.urgent = state.pending() > length as u64;
    Piece {
        start: state.acknowledged,
        bytes,
        length: length as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(piece: &Piece) -> String {
        piece
            .bytes
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    #[tokio::test]
    async fn what_was_not_acknowledged_is_sent_again() {
        let trace = Trace::default();
        trace.append(b"hello ").await;
        assert_eq!(text(&trace.next().await.unwrap()), "hello ");
        trace.append(b"world").await;
        let again = trace.next().await.unwrap();
        assert_eq!((again.start, text(&again).as_str()), (0, "hello world"));
        assert_eq!(trace.acknowledge(8), Position::Known);
        trace.close();
        let rest = trace.next().await.unwrap();
        assert_eq!((rest.start, text(&rest).as_str()), (8, "rld"));
        assert_eq!(trace.acknowledge(11), Position::Known);
        assert!(trace.next().await.is_none());
        assert_eq!(trace.summary(), (11, "crc32:0d4a1185".to_owned()));
    }

    #[tokio::test]
    async fn a_server_that_forgot_acknowledged_bytes_is_noticed() {
        let trace = Trace::default();
        trace.append(b"0123456789").await;
        trace.next().await;
        trace.acknowledge(10);
        assert_eq!(trace.acknowledge(5), Position::Impossible);
        assert_eq!(trace.acknowledge(11), Position::Impossible);
    }

    #[tokio::test]
    async fn a_line_of_the_runner_travels_with_the_output_that_follows() {
        let trace = Trace::default();
        trace.note("header\n").await;
        let (piece, ()) = tokio::join!(trace.next(), trace.append(b"output\n"));
        assert_eq!(text(&piece.unwrap()), "header\noutput\n");
        trace.acknowledge(14);
        trace.note("alone\n").await;
        assert_eq!(text(&trace.next().await.unwrap()), "alone\n");
    }

    #[tokio::test]
    async fn a_job_that_writes_too_fast_waits_until_there_is_room() {
        let trace = Trace::default();
        trace.append(&vec![b'x'; MAX_HELD as usize]).await;
        let mut waiting = std::pin::pin!(trace.append(b"y"));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        let piece = trace.next().await.unwrap();
        assert_eq!(piece.length, MAX_PATCH as u64);
        trace.acknowledge(piece.length);
        waiting.await;
        trace.discard();
        trace.append(&vec![b'x'; 3 * MAX_HELD as usize]).await;
        trace.append(b"never waits").await;
    }
}
