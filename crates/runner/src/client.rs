//! HTTP/1.1 over the server's Unix socket, on connections that stay open.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;

use crate::body::RequestBody;
use crate::socket;

/// More than any job payload.
const MAX_ANSWER: usize = 64 << 20;
/// Connections kept for later.
const MAX_IDLE: usize = 4;

/// A call that got no usable answer; worth another try.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("cannot reach the server at {0}: {1}")]
    Connect(PathBuf, io::Error),
    #[error("the connection to the server broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the server did not answer within {0:?}")]
    Timeout(Duration),
    #[error("cannot read the server's answer: {0}")]
    Answer(String),
    #[error("cannot build a request: {0}")]
    Request(#[from] hyper::http::Error),
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `Job-Status`.
    pub fn job_status(&self) -> Option<&str> {
        self.header("job-status")
    }

    /// How long to wait before asking again, if the server says.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?
            .parse()
            .ok()
            .map(|seconds: u64| Duration::from_secs(seconds.min(60)))
    }
}

/// A call in the making.
pub(crate) struct Call<'a> {
    pub method: Method,
    pub path: &'a str,
    pub headers: &'a [(&'static str, &'a str)],
    pub body: RequestBody,
    pub limit: Duration,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Client {
    socket: PathBuf,
    idle: Mutex<Vec<SendRequest<RequestBody>>>,
}

impl Client {
    pub fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            idle: Mutex::default(),
        }
    }

    /// Makes a call and reads the whole answer.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let limit = call.limit;
        let work = async {
            let (response, connection) = self.send(call).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER)
                .collect()
                .await
                .map_err(|error| CallError::Answer(error.to_string()))?
                .to_bytes();
            self.keep(connection);
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body,
            })
        };
        tokio::time::timeout(limit, work)
            .await
            .map_err(|_| CallError::Timeout(limit))?
    }

    /// Makes a call whose answer goes into the file `to` when it is 200.
    pub async fn download(
        &self,
        call: Call<'_>,
        to: &std::path::Path,
    ) -> Result<StatusCode, CallError> {
        let limit = call.limit;
        let answer = |error: &dyn std::fmt::Display| CallError::Answer(error.to_string());
        let work = async {
            let (response, connection) = self.send(call).await?;
            let status = response.status();
            if status != StatusCode::OK {
                return Ok(status);
            }
            let mut file = tokio::fs::File::create(to)
                .await
                .map_err(|error| answer(&error))?;
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                if let Ok(data) = frame?.into_data() {
                    file.write_all(&data)
                        .await
                        .map_err(|error| answer(&error))?;
                }
            }
            file.flush().await.map_err(|error| answer(&error))?;
            self.keep(connection);
            Ok(status)
        };
        tokio::time::timeout(limit, work)
            .await
            .map_err(|_| CallError::Timeout(limit))?
    }

    async fn send(
        &self,
        call: Call<'_>,
    ) -> Result<(Response<Incoming>, SendRequest<RequestBody>), CallError> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(call.path)
            .header("host", "localhost")
            .header(
                "user-agent",
                concat!("tappet-runner ", env!("CARGO_PKG_VERSION")),
            );
        for (name, value) in call.headers {
            request = request.header(
                *name,
                HeaderValue::from_str(value).map_err(hyper::http::Error::from)?,
            );
        }
        let request = request.body(call.body)?;
        let mut connection = self.connection().await?;
        let response = connection.send_request(request).await?;
        Ok((response, connection))
    }

    async fn connection(&self) -> Result<SendRequest<RequestBody>, CallError> {
        let kept = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(mut kept) = kept
            && !kept.is_closed()
            && kept.ready().await.is_ok()
        {
            return Ok(kept);
        }
        let stream = socket::connect(&self.socket)
            .await
            .map_err(|error| CallError::Connect(self.socket.clone(), error))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // An error here reaches whoever waits for an answer on the connection.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn keep(&self, connection: SendRequest<RequestBody>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE && !connection.is_closed() {
            idle.push(connection);
        }
    }
}
