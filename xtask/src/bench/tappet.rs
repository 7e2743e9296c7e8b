//! The release binary with a fresh data directory.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;
use tempfile::TempDir;

use super::http::Connection;
use crate::command::root;

/// Root's token on every measured server.
pub const TOKEN: &str = "glpat-benchmark-token";

/// A measured server.
pub struct Tappet {
    process: Child,
    slots: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// From before the start of the process to the first 200 of `/-/readyz`.
    pub ready_after: Duration,
    directory: TempDir,
}

impl Tappet {
    /// Starts one on a free port.
    pub async fn start(slots: u32) -> anyhow::Result<Self> {
        let directory = TempDir::new()?;
        let port = free_port()?;
        let address: SocketAddr = ([127, 0, 0, 1], port).into();
        let begun = Instant::now();
        let process = spawn(address, slots, directory.path())?;
        let ready_after = ready(address, "/-/readyz", begun).await?;
        Ok(Self {
            process,
            slots,
            address,
            ready_after,
            directory,
        })
    }

    /// Starts the same server again after it was stopped or killed.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        self.process = spawn(self.address, self.slots, self.directory.path())?;
        self.ready_after = ready(self.address, "/-/readyz", begun).await?;
        Ok(())
    }

    /// Ends it as it ends on SIGTERM.
    pub fn stop(&mut self) {
        signal(&self.process, libc::SIGTERM);
        let _ = self.process.wait();
    }

    /// kill −9.
    pub fn kill(&mut self) {
        signal(&self.process, libc::SIGKILL);
        let _ = self.process.wait();
    }

    /// Its database file.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("data/tappet.db")
    }

    /// A path beside the data directory, gone with the server.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A kept-alive connection.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address).await
    }

    /// A project over a new repository with this pipeline file: its id and a trigger token.
    pub async fn project(&self, pipeline: &str) -> anyhow::Result<(i64, String)> {
        let repository = self.directory.path().join("repository");
        std::fs::create_dir_all(&repository)?;
        std::fs::write(repository.join(".gitlab-ci.yml"), pipeline)?;
        std::fs::write(repository.join("README.md"), "# Small\n")?;
        git(&repository, &["init", "--quiet", "--initial-branch=main"])?;
        git(&repository, &["add", "--all"])?;
        git(&repository, &["commit", "--quiet", "--message", "Small"])?;
        let mut connection = self.connect().await?;
        let headers = [("private-token", TOKEN)];
        let body = json!({ "path": "bench/small", "import_url": repository });
        let project = connection
            .json("POST", "/api/v4/projects", &headers, &body)
            .await?;
        let id = project["id"].as_i64().context("a project has an id")?;
        let path = format!("/api/v4/projects/{id}/triggers");
        let body = json!({ "description": "bench" });
        let trigger = connection.json("POST", &path, &headers, &body).await?;
        let token = trigger["token"]
            .as_str()
            .context("a trigger has a token")?
            .to_owned();
        Ok((id, token))
    }

    /// Process ids of the server and its descendants.
    pub fn processes(&self) -> Vec<u32> {
        super::memory::tree(self.process.id())
    }
}

impl Drop for Tappet {
    fn drop(&mut self) {
        // A server that was stopped already is no child of ours any more.
        if matches!(self.process.try_wait(), Ok(None)) {
            signal(&self.process, libc::SIGTERM);
            signal(&self.process, libc::SIGTERM);
            let _ = self.process.wait();
        }
    }
}

fn spawn(address: SocketAddr, slots: u32, directory: &Path) -> anyhow::Result<Child> {
    Command::new(binary())
        .args([
            "serve",
            "--listen",
            &address.to_string(),
            "--slots",
            &slots.to_string(),
        ])
        .arg("--data")
        .arg(directory.join("data"))
        .env("TAPPET_ROOT_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start the release binary")
}

fn signal(process: &Child, signal: i32) {
    let id = i32::try_from(process.id()).expect("a pid is an i32");
    // SAFETY: plain signal to our own child, which has not been waited for.
    #[expect(unsafe_code, reason = "kill(2) has no safe form in std")]
    unsafe {
        libc::kill(id, signal);
    }
}

/// The release binary.
pub fn binary() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("release/tappet")
}

/// A port that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

/// Asks until the answer is 200; the time since `begun`.
pub async fn ready(address: SocketAddr, path: &str, begun: Instant) -> anyhow::Result<Duration> {
    while begun.elapsed() < Duration::from_secs(60) {
        if let Ok(mut connection) = Connection::open(address).await
            && let Ok((200, _)) = connection.send("GET", path, &[], "").await
        {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    bail!("{address} did not answer within a minute")
}

fn git(directory: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("git")
        .current_dir(directory)
        .args([
            "-c",
            "user.name=Bench",
            "-c",
            "user.email=bench@example.com",
        ])
        .args(arguments)
        .status()
        .context("cannot start git")?;
    anyhow::ensure!(status.success(), "git {arguments:?} failed");
    Ok(())
}
