//! Which server a client verb speaks to, and as whom. These flags are the same
//! for every client verb.
//!
//! Without `--server` it is the server that runs on this machine's data
//! directory: its lock file says where it listens. Only that server ever gets
//! the administrator's token out of that directory.

use std::path::PathBuf;

use clap::Args;
use tappet_server::data_dir::{self, Owner};

use crate::api::{Api, ApiError};
use crate::output::Output;
use crate::settings;

/// Flags of every client verb.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct Connection {
    /// Address of the server [default: the one that runs on the data directory]
    #[arg(long, env = "TAPPET_SERVER", value_name = "URL", global = true)]
    server: Option<String>,
    /// Access token [default: root's, when the server runs on the data directory]
    #[arg(
        long,
        env = "TAPPET_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        global = true
    )]
    token: Option<String>,
    /// Data directory of a server on this machine [default: ~/.local/share/tappet]
    #[arg(long, env = "TAPPET_DATA", value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// Print the API's JSON instead of text for people
    #[arg(long, global = true)]
    json: bool,
}

/// Flags of every list.
#[derive(Args, Clone, Copy, Debug)]
pub struct ListFlags {
    /// Show at most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub limit: usize,
}

impl Connection {
    /// A client of the server, and how to print.
    pub fn open(&self) -> anyhow::Result<(Api, Output)> {
        let data = settings::data_dir(self.data.clone())?;
        let local = data_dir::owner(&data);
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let server = match (given(&self.server), &local) {
            (Some(server), _) => server.trim_end_matches('/').to_owned(),
            (None, Some(owner)) => owner.url.clone(),
            (None, None) => return Err(ApiError::NoServer { data }.into()),
        };
        let token = given(&self.token).or_else(|| root_token(&data, &server, local.as_ref()?));
        Ok((Api::new(&server, token)?, self.output()))
    }

    /// How to print.
    pub fn output(&self) -> Output {
        if self.json {
            Output::Json
        } else {
            Output::Text
        }
    }
}

/// The token that `serve` wrote at its first start, for that server alone.
fn root_token(data: &std::path::Path, server: &str, local: &Owner) -> Option<String> {
    if local.url != server {
        return None;
    }
    let text = std::fs::read_to_string(data.join("root-token")).ok()?;
    Some(text.trim().to_owned()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_token_goes_to_its_own_server_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("root-token"), "glpat-x\n").unwrap();
        let local = Owner {
            pid: 1,
            url: "http://127.0.0.1:8080".to_owned(),
        };
        let token = |server: &str| root_token(dir.path(), server, &local);
        assert_eq!(token("http://127.0.0.1:8080").as_deref(), Some("glpat-x"));
        assert_eq!(token("http://127.0.0.1:9090"), None);
        assert_eq!(token("https://ci.example.com"), None);
    }
}
