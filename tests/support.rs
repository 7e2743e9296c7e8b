//! The real binary with a data directory of its own, for whole-program tests.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses its own part"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
pub use tappet_server::testing::{TestReply, TestRequest, commit, git};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// Root's access token on every server.
pub const ROOT_TOKEN: &str = "glpat-whole-program";

/// A `tappet serve` process.
pub struct Tappet {
    dir: TempDir,
    slots: u32,
    process: Option<Child>,
    address: SocketAddr,
}

impl Tappet {
    /// Starts one with this many slots.
    pub async fn start(slots: u32) -> Self {
        Self::start_with(slots, |_| {}).await
    }

    /// Starts one whose command line was changed first.
    pub async fn start_with(slots: u32, change: impl FnOnce(&mut Command)) -> Self {
        let mut tappet = Self::new(slots);
        tappet.launch(change).await;
        tappet
    }

    fn new(slots: u32) -> Self {
        Self {
            dir: TempDir::new().expect("a temporary directory can be made"),
            slots,
            process: None,
            address: ([127, 0, 0, 1], 1).into(),
        }
    }

    /// Starts one on a data directory that `prepare` makes.
    pub async fn start_on(slots: u32, prepare: impl AsyncFnOnce(&Path)) -> Self {
        let mut tappet = Self::new(slots);
        prepare(&tappet.data()).await;
        tappet.launch(|_| {}).await;
        tappet
    }

    /// A command line of the binary.
    pub fn command() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tappet"));
        command
            .env("TAPPET_ROOT_TOKEN", ROOT_TOKEN)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts the server (again) on the same data directory.
    pub async fn restart(&mut self) {
        self.launch(|_| {}).await;
    }

    async fn launch(&mut self, change: impl FnOnce(&mut Command)) {
        let mut command = Self::command();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--slots"])
            .arg(self.slots.to_string())
            .arg("--data")
            .arg(self.data())
            .stdout(Stdio::piped());
        change(&mut command);
        let mut process = command.spawn().expect("the binary starts");
        let output = process.stdout.take().expect("the output is piped");
        let mut lines = BufReader::new(output).lines();
        let ready = lines
            .next_line()
            .await
            .expect("the output is text")
            .expect("a first line");
        let (_, address) = ready
            .rsplit_once("http://")
            .expect("the first line names the address");
        self.address = address.parse().expect("the address is an address");
        // Kept open, or the server's next line would fail.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.process = Some(process);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A directory for the test's own files.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    fn pid(&self) -> Pid {
        let id = self
            .process
            .as_ref()
            .and_then(Child::id)
            .expect("the server runs");
        Pid::from_raw(i32::try_from(id).expect("a pid is an i32")).expect("a pid is not 0")
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the server can be signalled");
    }

    /// Waits for the end of the server.
    pub async fn wait(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the server runs");
        process.wait().await.expect("the server can be waited for")
    }

    /// kill −9, and the server is gone.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.wait().await;
    }

    /// The embedded runner's process.
    pub fn runner_pid(&self) -> Pid {
        let text = std::fs::read_to_string(self.data().join("runner.lock"))
            .expect("the runner wrote its lock");
        Pid::from_raw(text.trim().parse().expect("the lock holds a pid")).expect("not 0")
    }

    /// A request as root.
    pub fn request(&self, method: &str, path: &str) -> TestRequest {
        self.anonymous(method, path)
            .header("private-token", ROOT_TOKEN)
    }

    /// A request as nobody.
    pub fn anonymous(&self, method: &str, path: &str) -> TestRequest {
        TestRequest::new(self.address, method, path)
    }

    /// `GET path` as JSON.
    pub async fn get(&self, path: &str) -> Value {
        let reply = self.request("GET", path).send().await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    /// A repository with these files on `main`.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(&path).expect("a directory can be made");
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        commit(&path, files, "Initial commit");
        path
    }

    /// A project over a repository.
    pub async fn project_over(&self, repository: &Path) -> Project<'_> {
        let name = repository
            .file_name()
            .expect("a repository has a name")
            .to_string_lossy();
        let body = json!({ "path": format!("acme/{name}"), "import_url": repository });
        let reply = self
            .request("POST", "/api/v4/projects")
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let id = reply.json()["id"].as_i64().expect("a project has an id");
        let triggers = format!("/api/v4/projects/{id}/triggers");
        let reply = self
            .request("POST", &triggers)
            .json(&json!({ "description": "t" }))
            .send();
        let token = reply.await.json()["token"]
            .as_str()
            .expect("a token")
            .to_owned();
        Project {
            tappet: self,
            id,
            token,
        }
    }

    /// A project over a new repository with this pipeline file.
    pub async fn project(&self, name: &str, pipeline: &str) -> Project<'_> {
        self.project_over(&self.repository(name, &[(".gitlab-ci.yml", pipeline)]))
            .await
    }
}

/// The runner outlives its server by design, so a test has to end both.
impl Drop for Tappet {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.start_kill();
        }
        let lock = std::fs::read_to_string(self.data().join("runner.lock"));
        let pid = lock
            .ok()
            .and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// A project of a running server, with a trigger token.
#[derive(Clone)]
pub struct Project<'a> {
    pub tappet: &'a Tappet,
    pub id: i64,
    pub token: String,
}

impl Project<'_> {
    /// The project's API address.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v4/projects/{}{rest}", self.id)
    }

    /// The trigger call, ready to be changed.
    pub fn trigger_call(&self, body: &Value) -> TestRequest {
        self.tappet
            .anonymous("POST", &self.path("/trigger/pipeline"))
            .json(body)
    }

    /// Starts a run of `main`; gives its id.
    pub async fn trigger(&self) -> i64 {
        self.trigger_with("main", json!({})).await
    }

    /// Starts a run with variables.
    pub async fn trigger_with(&self, ref_name: &str, variables: Value) -> i64 {
        let body = json!({ "token": self.token, "ref": ref_name, "variables": variables });
        let reply = self.trigger_call(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["id"].as_i64().expect("a run has an id")
    }

    /// Jobs of a run by id.
    pub async fn jobs(&self, run: i64) -> Vec<Value> {
        let path = self.path(&format!(
            "/pipelines/{run}/jobs?per_page=100&include_retried=true"
        ));
        let mut jobs = self
            .tappet
            .get(&path)
            .await
            .as_array()
            .expect("a list")
            .clone();
        jobs.sort_by_key(|job| job["id"].as_i64());
        jobs
    }

    /// The only job of a run.
    pub async fn job(&self, run: i64) -> Value {
        let jobs = self.jobs(run).await;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs[0].clone()
    }

    /// The stored log of a job.
    pub async fn log(&self, job: i64) -> String {
        let path = self.path(&format!("/jobs/{job}/trace"));
        self.tappet.request("GET", &path).send().await.text()
    }

    /// The stored log of a job as a list of jobs shows it.
    pub async fn log_of(&self, job: &Value) -> String {
        self.log(job["id"].as_i64().expect("a job has an id")).await
    }

    /// Follows a run's events until its status is one of these; gives it.
    pub async fn run_until(&self, run: i64, statuses: &[&str]) -> String {
        let path = self.path(&format!("/pipelines/{run}"));
        let mut events = self
            .tappet
            .request("GET", &format!("{path}/events"))
            .events()
            .await;
        loop {
            let status = self.tappet.get(&path).await["status"]
                .as_str()
                .expect("a run has a status")
                .to_owned();
            if statuses.contains(&status.as_str()) {
                return status;
            }
            if events.next().await.is_none() {
                events = self
                    .tappet
                    .request("GET", &format!("{path}/events"))
                    .events()
                    .await;
            }
        }
    }

    /// Waits for the end of a run; gives its status.
    pub async fn ended(&self, run: i64) -> String {
        self.run_until(run, &["success", "failed", "canceled", "skipped"])
            .await
    }

    /// Starts a run of `main` that has to end with this status; gives its id.
    pub async fn run_to(&self, status: &str) -> i64 {
        let run = self.trigger().await;
        assert_eq!(self.ended(run).await, status, "run {run}");
        run
    }

    /// Follows a job's log until it holds `text`.
    pub async fn log_until(&self, job: i64, text: &str) -> String {
        let path = self.path(&format!("/jobs/{job}/trace/events"));
        let mut events = self.tappet.request("GET", &path).events().await;
        let mut log = String::new();
        while !log.contains(text) {
            let event = events
                .next()
                .await
                .unwrap_or_else(|| panic!("the log ended: {log}"));
            assert_ne!(event.kind, "end", "the log ended without {text:?}: {log}");
            let chunk: Value = serde_json::from_str(&event.data).expect("chunks are JSON");
            log.push_str(chunk["text"].as_str().expect("a chunk has text"));
        }
        log
    }
}

/// A named pipe: a job that reads it waits until the test writes.
pub struct Gate(pub PathBuf);

impl Gate {
    /// Makes the pipe.
    pub fn new(path: PathBuf) -> Self {
        let status = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(status.expect("mkfifo starts").success());
        Self(path)
    }

    /// Lets one reader go on; waits until it is there.
    pub async fn open(&self) {
        tokio::fs::write(&self.0, "go\n")
            .await
            .expect("the gate can be opened");
    }
}

/// Whether any process has `mark` in its environment or command line.
pub fn is_alive(mark: &str) -> bool {
    let own = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .expect("there is /proc")
        .flatten()
        .any(|entry| {
            let id = entry.file_name();
            let is_other = id
                .to_str()
                .is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && id != own);
            is_other
                && ["environ", "cmdline"].iter().any(|file| {
                    std::fs::read(entry.path().join(file))
                        .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(mark))
                })
        })
}

/// The whole output of a finished command.
pub async fn output(mut command: Command) -> (ExitStatus, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut out = child.stdout.take().expect("piped");
    let mut err = child.stderr.take().expect("piped");
    let (mut text, mut errors) = (String::new(), String::new());
    let read = tokio::join!(
        out.read_to_string(&mut text),
        err.read_to_string(&mut errors)
    );
    read.0.and(read.1).expect("the output is text");
    (
        child.wait().await.expect("it can be waited for"),
        text + &errors,
    )
}
