//! A small HTTP client that sends exactly what a test says.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{ROOT_TOKEN, TestEvents, TestUser};

/// A request under construction.
pub struct TestRequest {
    address: SocketAddr,
    builder: http::request::Builder,
    body: Bytes,
}

impl TestRequest {
    /// A request to a server at `address`.
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let builder = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", address.to_string());
        Self {
            address,
            builder,
            body: Bytes::new(),
        }
    }

    /// As root.
    pub fn root(self) -> Self {
        self.header("private-token", ROOT_TOKEN)
    }

    /// As somebody.
    pub fn user(self, user: &TestUser) -> Self {
        self.header("private-token", &user.token)
    }

    /// As if the server were known by another name.
    pub fn host(mut self, host: &str) -> Self {
        let value = http::HeaderValue::from_str(host).expect("the name is visible ASCII");
        if let Some(headers) = self.builder.headers_mut() {
            headers.insert("host", value);
        }
        self
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a form body, already encoded.
    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body.to_owned())
    }

    /// With a body that nothing is said about.
    pub fn bytes(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With any body.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut request = self.header("content-type", content_type);
        request.body = body.into();
        request
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> TestReply {
        self.try_send().await.expect("the server answers")
    }

    /// The same, with an error when the connection fails or breaks off.
    pub async fn try_send(self) -> Result<TestReply, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = self.start().await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(TestReply {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    /// Sends it and follows the answer as server-sent events.
    pub async fn events(self) -> TestEvents {
        let response = self.start().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        TestEvents::of(response.into_body())
    }

    async fn start(
        self,
    ) -> Result<http::Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = self.builder.body(Full::new(self.body))?;
        Ok(sender.send_request(request).await?)
    }
}

/// A whole answer.
pub struct TestReply {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: http::HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl TestReply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// One header as text, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
