//! Calls of a forge's API: one at a time, within their time, and without reading more
//! of the reply than anybody needs.

use http::Method;
use reqwest::Client;
use tappet_forge::answer::{ApiCall, Reply};

use super::Forge;
use crate::clock;
use crate::config::Config;
use crate::outgoing;

/// Replies are cut there.
const MAX_REPLY_BYTES: usize = 64 * 1024;

/// Lists of a hundred comments are longer.
const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;

impl Forge {
    /// Makes a call and reads what came of it.
    pub async fn call(&self, config: &Config, call: &ApiCall) -> Reply {
        let retry = |why: String| Reply::Retry { why };
        let client = match self.client(config) {
            Ok(client) => client,
            Err(error) => return retry(format!("cannot start an HTTP client: {error}")),
        };
        let url = match outgoing::address(config, &call.url) {
            Ok(url) => url,
            Err(why) => {
                let why = format!("{why}; an administrator may set allow_local_requests");
                return Reply::Refused { why };
            }
        };
        let mut request = client.request(call.method.clone(), url);
        request = request.headers(call.headers.clone());
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return retry(outgoing::reason(&error)),
        };
        let most = match call.method {
            Method::GET => MAX_LIST_BYTES,
            _ => MAX_REPLY_BYTES,
        };
        let mut body = Vec::new();
        while body.len() < most {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let left = most - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(left)]);
                }
                Ok(None) => break,
                Err(error) => return retry(outgoing::reason(&error)),
            }
        }
        let status = response.status().as_u16();
        call.read(status, response.headers(), &body, clock::now())
    }

    fn client(&self, config: &Config) -> Result<&Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = outgoing::client(config).build()?;
        Ok(self.client.get_or_init(|| client))
    }
}
