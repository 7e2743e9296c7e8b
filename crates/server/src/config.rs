//! What a server is told before it starts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::clock::Clock;
use crate::limits::Limits;
use crate::retention::Keep;
use crate::schedules::MissedSlots;

/// Settings of one server process.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the HTTP port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Everything that lasts lives here, mode 0700.
    pub data_dir: PathBuf,
    /// What people and clients type; links are built from it. May hold a path prefix.
    pub external_url: Option<Url>,
    /// Reverse proxies that are believed when they say from where a call comes.
    pub trusted_proxies: Vec<IpAddr>,
    /// Jobs that the embedded runner runs at once; 0 starts none.
    pub slots: u32,
    /// How long a stopping server lets running jobs go on.
    pub drain: Duration,
    /// How much of everything there may be.
    pub limits: Limits,
    /// What becomes of due times of schedules that passed while the server was down.
    pub missed_schedules: MissedSlots,
    /// What schedules go by.
    pub clock: Clock,
    /// Who reads `/-/metrics` must send this; without it anybody may.
    pub metrics_token: Option<String>,
    /// Root's access token instead of a random one.
    pub root_token: Option<String>,
    /// Projects may name a repository on this machine.
    pub allow_local_repositories: bool,
    /// Webhooks may reach this machine and private networks.
    pub allow_local_requests: bool,
    /// How long the receiver of a webhook may take.
    pub hook_timeout: Duration,
    /// The first rest of a failing webhook; each further failure doubles it.
    pub hook_rest: Duration,
    /// Bytes kept of one log.
    pub log_limit_bytes: u64,
    /// Bytes of one uploaded file.
    pub artifact_limit_bytes: u64,
    /// Runs of `CIService.Run` know their branch and the defaults of their inputs;
    /// without it they know neither, as at Depot.
    pub fills_api_runs: bool,
    /// Attempts that may wait for a runner before triggers answer 429.
    pub queue_limit: usize,
    /// How long runs, logs and audit entries stay.
    pub keep: Keep,
    /// The program that `runner embedded` is started with; the server's own by default.
    pub runner_program: Option<PathBuf>,
}

impl Config {
    /// The defaults of `tappet serve` for a data directory.
    pub fn new(listen: SocketAddr, data_dir: PathBuf) -> Self {
        Self {
            listen,
            data_dir,
            external_url: None,
            trusted_proxies: Vec::new(),
            slots: 2,
            drain: Duration::from_secs(30),
            limits: Limits::default(),
            missed_schedules: MissedSlots::default(),
            clock: Clock::default(),
            metrics_token: None,
            root_token: None,
            allow_local_repositories: listen.ip().is_loopback(),
            allow_local_requests: listen.ip().is_loopback(),
            hook_timeout: Duration::from_secs(10),
            hook_rest: Duration::from_secs(60),
            log_limit_bytes: 100 * 1024 * 1024,
            artifact_limit_bytes: 1024 * 1024 * 1024,
            fills_api_runs: true,
            queue_limit: 100_000,
            keep: Keep::default(),
            runner_program: None,
        }
    }

    /// The address of `path` (with a leading `/`) for people and clients.
    pub fn url(&self, path: &str) -> String {
        match &self.external_url {
            Some(url) => format!("{}{path}", url.as_str().trim_end_matches('/')),
            None => format!("http://{}{path}", self.listen),
        }
    }

    /// The address for clients on this machine, whatever the external one is.
    pub fn local_url(&self) -> String {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}{}", self.path_prefix())
    }

    /// The path under which everything lives: empty, or `/ci`.
    pub fn path_prefix(&self) -> &str {
        self.external_url
            .as_ref()
            .map_or("", |url| url.path().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_the_external_url_and_its_prefix() {
        let mut config = Config::new("127.0.0.1:8080".parse().unwrap(), "/tmp/x".into());
        assert_eq!(config.url("/a"), "http://127.0.0.1:8080/a");
        assert_eq!(config.path_prefix(), "");
        config.external_url = Some("https://ci.example.com/tools/".parse().unwrap());
        assert_eq!(config.url("/a"), "https://ci.example.com/tools/a");
        assert_eq!(config.path_prefix(), "/tools");
        assert_eq!(config.local_url(), "http://127.0.0.1:8080/tools");
        config.listen = "0.0.0.0:80".parse().unwrap();
        assert_eq!(config.local_url(), "http://127.0.0.1:80/tools");
    }
}
