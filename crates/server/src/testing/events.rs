//! Server-sent events as a test reads them.

use http_body_util::BodyExt;
use hyper::body::Incoming;

/// An open stream of server-sent events.
pub struct TestEvents {
    body: Incoming,
    text: Vec<u8>,
}

/// One event of the stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TestEvent {
    /// `id:`.
    pub id: String,
    /// `event:`.
    pub kind: String,
    /// `data:`.
    pub data: String,
}

impl TestEvents {
    pub(super) fn of(body: Incoming) -> Self {
        Self {
            body,
            text: Vec::new(),
        }
    }

    /// The next event that has data; `None` at the end of the stream or when it
    /// breaks off.
    pub async fn next(&mut self) -> Option<TestEvent> {
        loop {
            while let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                let mut event = TestEvent::default();
                for line in String::from_utf8_lossy(&block).lines() {
                    match line.split_once(':') {
                        Some(("id", value)) => event.id = value.trim_start().to_owned(),
                        Some(("event", value)) => event.kind = value.trim_start().to_owned(),
                        Some(("data", value)) => event.data += value.trim_start(),
                        _ => {}
                    }
                }
                if !event.data.is_empty() {
                    return Some(event);
                }
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.text.extend_from_slice(&data);
            }
        }
    }
}
