//! The client side of Tappet's HTTP API: one server, one token, JSON in and out.
//! It decides nothing about what is printed.

mod address;
mod body;
mod error;
mod events;
mod page;
mod retry;

pub use address::{ProjectName, query, segment};
pub use body::{given, read_value};
pub use error::ApiError;
pub use events::{Event, EventStream};
pub use page::Page;
pub use retry::Retries;

use std::time::Duration;

use anyhow::Context;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::exit::Usage;

/// A connection must stand within this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer may pause this long; event streams send a sign of life every 15 s.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// What to do about a 404 that nobody in particular got.
const NO_TOKEN: &str = "\nNo access token was given, and what you may not see counts as missing: \
     say who you are with --token or TAPPET_TOKEN.";

/// One server, and the token to speak to it with. Clones share connections.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    server: String,
    token: Option<String>,
}

impl Api {
    /// A client of the server at this address (`https://ci.example.com`, with a
    /// path prefix if there is one). Without a token it is nobody.
    pub fn new(server: &str, token: Option<String>) -> anyhow::Result<Self> {
        let address: Option<url::Url> = server.parse().ok();
        let address = address
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
            .ok_or_else(|| {
                Usage(format!(
                    "`{server}` is not the address of a server: write for example \
                     http://127.0.0.1:8080"
                ))
            })?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tappet/", env!("CARGO_PKG_VERSION")))
            // A redirect would take the token along.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .tcp_nodelay(true);
        if address.scheme() == "http" {
            // Reading the system's certificates takes longer than a whole call.
            builder = builder.tls_certs_only([]);
        }
        if is_loopback(&address) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().context("cannot make an HTTP client")?,
            server: address.as_str().trim_end_matches('/').to_owned(),
            token,
        })
    }

    /// The server's address, without a slash at its end.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whether calls carry an access token.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// `GET /api/v4{path}` as JSON.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.json(Method::GET, path, None, HeaderMap::new()).await
    }

    /// `POST /api/v4{path}` with a JSON body, as JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.json(Method::POST, path, Some(body), HeaderMap::new())
            .await
    }

    /// `PUT /api/v4{path}` with a JSON body, as JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.json(Method::PUT, path, Some(body), HeaderMap::new())
            .await
    }

    /// `DELETE /api/v4{path}`; `null` when the answer is empty.
    pub async fn delete(&self, path: &str) -> Result<Value, ApiError> {
        self.json(Method::DELETE, path, None, HeaderMap::new())
            .await
    }

    /// `POST`, repeated after lost answers: the server knows the call by its key
    /// and starts nothing twice.
    pub async fn post_once(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: &HeaderValue,
    ) -> Result<Value, ApiError> {
        self.repeated(&format!("/api/v4{path}"), body, idempotency_key)
            .await
    }

    /// A call of Depot's `CIService` that reads.
    pub async fn ci_service(&self, method: &str, message: &Value) -> Result<Value, ApiError> {
        let path = format!("/depot.ci.v1.CIService/{method}");
        let response = self
            .send_to(Method::POST, &path, Some(message), HeaderMap::new())
            .await?;
        self.read(response).await
    }

    /// A call of Depot's `CIService` that starts a run, repeated like
    /// [`Api::post_once`].
    pub async fn ci_service_once(
        &self,
        method: &str,
        message: &Value,
        idempotency_key: &HeaderValue,
    ) -> Result<Value, ApiError> {
        let path = format!("/depot.ci.v1.CIService/{method}");
        self.repeated(&path, message, idempotency_key).await
    }

    /// `GET /api/v1/ci{path}` as JSON: Datafold's API, and what Tappet adds to it.
    pub async fn ci_get(&self, path: &str) -> Result<Value, ApiError> {
        self.ci(Method::GET, path, None).await
    }

    /// `POST /api/v1/ci{path}` with a JSON body, as JSON.
    pub async fn ci_post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.ci(Method::POST, path, Some(body)).await
    }

    /// `PATCH /api/v1/ci{path}` with a JSON body, as JSON.
    pub async fn ci_patch(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.ci(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE /api/v1/ci{path}`; `null` when the answer is empty.
    pub async fn ci_delete(&self, path: &str) -> Result<Value, ApiError> {
        self.ci(Method::DELETE, path, None).await
    }

    /// `POST /api/v1/ci{path}` that starts a run, repeated like [`Api::post_once`].
    pub async fn ci_post_once(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: &HeaderValue,
    ) -> Result<Value, ApiError> {
        self.repeated(&format!("/api/v1/ci{path}"), body, idempotency_key)
            .await
    }

    async fn ci(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let path = format!("/api/v1/ci{path}");
        let response = self.send_to(method, &path, body, HeaderMap::new()).await?;
        self.read(response).await
    }

    async fn repeated(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: &HeaderValue,
    ) -> Result<Value, ApiError> {
        let mut retries = Retries::of_call();
        loop {
            let mut headers = HeaderMap::new();
            headers.insert(
                HeaderName::from_static("idempotency-key"),
                idempotency_key.clone(),
            );
            let sent = self.send_to(Method::POST, path, Some(body), headers).await;
            let answer = match sent {
                Ok(response) => self.read(response).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => retries.wait_after(error).await?,
            }
        }
    }

    /// Items of a list, page by page, at most `limit`.
    pub async fn list(&self, path: &str, limit: usize) -> Result<Page, ApiError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let per_page = limit.clamp(1, 100);
        let mut items = Vec::new();
        let mut number = 1;
        loop {
            let address = format!("{path}{joint}per_page={per_page}&page={number}");
            let response = self
                .send(Method::GET, &address, None, HeaderMap::new())
                .await?;
            let has_next = page::has_next(response.headers());
            match self.read(response).await? {
                Value::Array(page) => items.extend(page),
                other => return Err(ApiError::unexpected(format!("a list, but got {other}"))),
            }
            if !has_next || items.len() >= limit {
                let has_more = has_next || items.len() > limit;
                items.truncate(limit);
                return Ok(Page { items, has_more });
            }
            number += 1;
        }
    }

    /// `GET /api/v4{path}`, to be read piece by piece; `range` as in `Range`.
    pub async fn download(&self, path: &str, range: Option<&str>) -> Result<Response, ApiError> {
        let mut headers = HeaderMap::new();
        if let Some(range) = range.and_then(|range| range.parse().ok()) {
            headers.insert(reqwest::header::RANGE, range);
        }
        self.send(Method::GET, path, None, headers).await
    }

    /// Opens an event stream, behind the event `after` when it was broken off.
    pub async fn events(&self, path: &str, after: Option<&str>) -> Result<EventStream, ApiError> {
        let mut headers = HeaderMap::new();
        if let Some(after) = after.and_then(|after| after.parse().ok()) {
            headers.insert(HeaderName::from_static("last-event-id"), after);
        }
        let response = self.send(Method::GET, path, None, headers).await?;
        Ok(EventStream::new(response, self.server.clone()))
    }

    /// Whether `GET {path}` (not below `/api/v4`) is answered, and how.
    pub async fn probe(&self, path: &str) -> Result<u16, ApiError> {
        let url = format!("{}{path}", self.server);
        let response = self.http.get(url).send().await;
        Ok(response
            .map_err(|error| self.lost(&error))?
            .status()
            .as_u16())
    }

    async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: HeaderMap,
    ) -> Result<Value, ApiError> {
        let response = self.send(method, path, body, headers).await?;
        self.read(response).await
    }

    async fn read(&self, response: Response) -> Result<Value, ApiError> {
        let body = response.bytes().await.map_err(|error| self.lost(&error))?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_| {
            let start: String = String::from_utf8_lossy(&body).chars().take(60).collect();
            ApiError::unexpected(format!("JSON, but got `{start}`"))
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: HeaderMap,
    ) -> Result<Response, ApiError> {
        self.send_to(method, &format!("/api/v4{path}"), body, headers)
            .await
    }

    /// [`Api::send`] for any address of the server.
    async fn send_to(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: HeaderMap,
    ) -> Result<Response, ApiError> {
        let url = format!("{}{path}", self.server);
        let mut request = self.http.request(method, url).headers(headers);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.lost(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let retry_after = retry::retry_after(response.headers());
        let detail = response.headers().get("x-tappet-detail").cloned();
        let detail = detail.as_ref().and_then(|detail| detail.to_str().ok());
        let body = response.bytes().await.unwrap_or_default();
        let refused = ApiError::refused(status, &body, retry_after).detail(detail);
        Err(match self.token {
            Some(_) => refused,
            None => refused.if_missing(NO_TOKEN),
        })
    }

    fn lost(&self, error: &reqwest::Error) -> ApiError {
        ApiError::lost(&self.server, error)
    }
}

fn is_loopback(address: &url::Url) -> bool {
    match address.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
