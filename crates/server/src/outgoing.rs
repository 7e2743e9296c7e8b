//! Calls that this server makes to others: within their time, without following
//! redirects, and to the open internet only, unless the server may reach its own
//! network.

mod address;

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use url::{Host, Url};

use crate::config::Config;
use address::{GuardedResolver, is_local};

pub use address::check_url;

/// A client with the guards; this reads the certificates that the machine trusts
/// when it is built.
pub fn client(config: &Config) -> ClientBuilder {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(config.hook_timeout)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(30))
        .dns_resolver(GuardedResolver {
            allow_local: config.allow_local_requests,
        })
}

/// The address to call. A literal one does not pass the client's resolver, so it is
/// checked here.
///
/// # Errors
/// Why it may not be called.
pub fn address(config: &Config, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let literal: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        _ => None,
    };
    if !config.allow_local_requests && literal.is_some_and(is_local) {
        return Err("it leads to this machine or a private network".to_owned());
    }
    Ok(url)
}

/// Why there was no answer. The innermost cause says most. Addresses may hold
/// secrets in their query, so none is told.
pub fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver did not answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let kind = if error.is_connect() {
        "cannot connect"
    } else {
        "cannot send"
    };
    format!("{kind}: {cause}")
}
