//! A small HTTP client for Tappet's own API.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// One server, and the token to speak to it with.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    token: String,
}

impl Client {
    /// A client of the server at `address`.
    pub fn new(address: SocketAddr, token: impl Into<String>) -> Self {
        Self {
            address,
            token: token.into(),
        }
    }

    /// `GET path`, as JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.json("GET", path, Bytes::new()).await
    }

    /// `POST path` with a JSON body, as JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.json("POST", path, body.to_string().into()).await
    }

    async fn json(&self, method: &str, path: &str, body: Bytes) -> anyhow::Result<Value> {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .context("the answer broke off")?;
        let body = body.to_bytes();
        if !status.is_success() {
            bail!(
                "{method} {path} was answered {status}: {}",
                String::from_utf8_lossy(&body)
            );
        }
        serde_json::from_slice(&body)
            .with_context(|| format!("{method} {path} was not answered with JSON"))
    }

    /// Opens an event stream.
    pub async fn events(&self, path: &str) -> anyhow::Result<EventStream> {
        let response = self.send("GET", path, Bytes::new()).await?;
        if !response.status().is_success() {
            bail!("GET {path} was answered {}", response.status());
        }
        Ok(EventStream {
            body: response.into_body(),
            buffer: BytesMut::new(),
        })
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Response<Incoming>> {
        let stream = TcpStream::connect(self.address)
            .await
            .with_context(|| format!("cannot reach the server at {}", self.address))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("private-token", &self.token)
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        Ok(sender.send_request(request).await?)
    }
}

/// A stream of server-sent events.
pub struct EventStream {
    body: Incoming,
    buffer: BytesMut,
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its kind; `message` when the server names none.
    pub kind: String,
    /// Its text.
    pub data: String,
}

impl EventStream {
    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            while let Some(end) = find(&self.buffer, b"\n\n") {
                let block = self.buffer.split_to(end + 2);
                if let Some(event) = parse(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            match self.body.frame().await {
                Some(frame) => {
                    if let Ok(data) = frame.context("the event stream broke off")?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                None => return Ok(None),
            }
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// One block of the stream; comments alone are no event.
fn parse(block: &str) -> Option<Event> {
    let mut event = Event {
        kind: "message".to_owned(),
        data: String::new(),
    };
    let mut any = false;
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
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
    fn events_have_a_kind_and_joined_data_lines() {
        let event = parse("id: 7\nevent: log\ndata: a\ndata: b\n\n").unwrap();
        assert_eq!(
            event,
            Event {
                kind: "log".into(),
                data: "a\nb".into()
            }
        );
        assert_eq!(parse(": keep-alive\n\n"), None);
    }
}
