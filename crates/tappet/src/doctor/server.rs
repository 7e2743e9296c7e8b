//! Whether a server answers, and which.

use tappet_server::{Config, data_dir};

use super::Finding;
use crate::api::{Api, ApiError};

const CHECK: &str = "server";

/// The server that was named, or the one on this machine.
pub async fn server(config: &Config, named: Option<&str>) -> Finding {
    let own = data_dir::owner(&config.data_dir).map(|owner| owner.url);
    let Some(address) = named.map(str::to_owned).or(own) else {
        return Finding::good(CHECK, "none runs here; start one with `tappet serve`");
    };
    let api = match Api::new(&address, None) {
        Ok(api) => api,
        Err(error) => return Finding::bad(CHECK, format!("{error:#}")),
    };
    finding(&address, api.probe("/-/readyz").await)
}

fn finding(address: &str, status: Result<u16, ApiError>) -> Finding {
    match status {
        Ok(200) => Finding::good(CHECK, format!("{address} is ready")),
        Ok(503) => Finding::bad(
            CHECK,
            format!("{address} answers but cannot work: its log says why"),
        ),
        Ok(status) => Finding::bad(
            CHECK,
            format!("{address} answers {status} to /-/readyz: is it a Tappet server?"),
        ),
        Err(error) => Finding::bad(CHECK, error.to_string()),
    }
}
