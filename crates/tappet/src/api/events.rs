//! Server-sent events.

use bytes::{Buf, BytesMut};
use reqwest::Response;

use super::ApiError;

/// A stream of server-sent events.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    server: String,
    buffer: BytesMut,
}

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Where a new stream goes on; empty when the server gave none.
    pub id: String,
    /// Its kind; `message` when the server names none.
    pub kind: String,
    /// Its text.
    pub data: String,
}

impl EventStream {
    /// Reads the events of an answer.
    pub fn new(response: Response, server: String) -> Self {
        Self {
            response,
            server,
            buffer: BytesMut::new(),
        }
    }

    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Result<Option<Event>, ApiError> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block = self.buffer.split_to(end);
                self.buffer.advance(2);
                if let Some(event) = parse(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(ApiError::lost(&self.server, &error)),
            }
        }
    }
}

/// One block of the stream; comments alone are no event.
fn parse(block: &str) -> Option<Event> {
    let mut event = Event {
        kind: "message".to_owned(),
        ..Event::default()
    };
    let mut any = false;
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut event.id),
            "event" => value.clone_into(&mut event.kind),
            "data" => {
                if any {
                    event.data.push('\n');
                }
                event.data.push_str(value);
                any = true;
            }
            _ => {}
        }
    }
    any.then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_an_id_a_kind_and_joined_data_lines() {
        let event = parse("id: 7\nevent: log\ndata: a\ndata: b").unwrap();
        assert_eq!(
            event,
            Event {
                id: "7".into(),
                kind: "log".into(),
                data: "a\nb".into()
            }
        );
        assert_eq!(parse(": keep-alive"), None);
    }
}
