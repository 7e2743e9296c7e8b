//! The peer from PyPI: a Buildbot master with SQLite and one local worker.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::Connection;
use super::statistics::percentile;
use super::tappet::{free_port, ready};
use crate::command::{exists, root, run as command};

const PACKAGES: [&str; 3] = [
    "buildbot==4.3.0",
    "buildbot-worker==4.3.0",
    "buildbot-www==4.3.0",
];

/// An installed Buildbot.
pub struct Buildbot {
    program: PathBuf,
}

/// The installed one: in `target/peers`, else on the PATH.
pub fn find(install: bool) -> anyhow::Result<Option<Buildbot>> {
    let venv = root().join("target/peers");
    let program = venv.join("bin/buildbot");
    if install && !program.exists() {
        command("python3", &["-m", "venv", &venv.to_string_lossy()])?;
        let pip = venv.join("bin/pip");
        let mut arguments = vec!["install", "--quiet"];
        arguments.extend(PACKAGES);
        command(&pip.to_string_lossy(), &arguments)?;
    }
    if program.exists() {
        Ok(Some(Buildbot { program }))
    } else if exists("buildbot") {
        Ok(Some(Buildbot {
            program: "buildbot".into(),
        }))
    } else {
        Ok(None)
    }
}

/// A running master.
pub struct Running {
    process: Child,
    address: SocketAddr,
    /// From before the start of the process to the first 200.
    pub ready_after: Duration,
    directory: TempDir,
}

impl Buildbot {
    /// Starts a master with two slots on a fresh directory.
    pub async fn start(&self) -> anyhow::Result<Running> {
        let directory = TempDir::new()?;
        let port = free_port()?;
        let master = directory.path().join("master");
        let status = Command::new(&self.program)
            .args(["create-master", "--quiet"])
            .arg(&master)
            .status()
            .context("cannot start buildbot")?;
        anyhow::ensure!(status.success(), "buildbot create-master failed");
        std::fs::write(
            master.join("master.cfg"),
            configuration(port, directory.path()),
        )?;
        let begun = Instant::now();
        let process = Command::new(&self.program)
            .args(["start", "--nodaemon", "--quiet"])
            .arg(&master)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let address = ([127, 0, 0, 1], port).into();
        let ready_after = ready(address, "/api/v2/masters", begun).await?;
        Ok(Running {
            process,
            address,
            ready_after,
            directory,
        })
    }
}

fn configuration(port: u16, directory: &Path) -> String {
    format!(
        r#"from buildbot.plugins import schedulers, steps, util, worker
c = BuildmasterConfig = {{}}
c['workers'] = [worker.LocalWorker('local', max_builds=2)]
c['protocols'] = {{'null': {{}}}}
def factory(command):
    return util.BuildFactory([steps.ShellCommand(command=['bash', '-c', command])])
c['builders'] = [
    util.BuilderConfig(name='line', workernames=['local'], collapseRequests=False,
                       factory=factory('echo $EPOCHREALTIME >> {0}/lines')),
    util.BuilderConfig(name='noop', workernames=['local'], collapseRequests=False,
                       factory=factory('true')),
    util.BuilderConfig(name='print', workernames=['local'], collapseRequests=False,
                       factory=factory('cat {0}/source')),
]
c['schedulers'] = [schedulers.ForceScheduler(name=name, builderNames=[name])
                   for name in ('line', 'noop', 'print')]
c['www'] = dict(port='tcp:{port}:interface=127.0.0.1', plugins={{}})
c['db'] = {{'db_url': 'sqlite:///state.sqlite'}}
c['buildbotURL'] = 'http://127.0.0.1:{port}/'
c['buildbotNetUsageData'] = None
"#,
        directory.display()
    )
}

impl Running {
    /// Process ids of the master and its children.
    pub fn processes(&self) -> Vec<u32> {
        super::memory::tree(self.process.id())
    }

    async fn force(&self, connection: &mut Connection, builder: &str) -> anyhow::Result<()> {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "force",
            "params": { "builderNames": [builder], "owner": "bench" },
        });
        let path = format!("/api/v2/forceschedulers/{builder}");
        let reply = connection.json("POST", &path, &[], &body).await?;
        anyhow::ensure!(reply["error"].is_null(), "buildbot refused: {reply}");
        Ok(())
    }

    /// Median time in ms from the call to the line's own time stamp.
    pub async fn first_line(&self, samples: usize) -> anyhow::Result<f64> {
        let lines = self.directory.path().join("lines");
        let mut connection = Connection::open(self.address).await?;
        let mut times = Vec::new();
        for round in 0..samples + 2 {
            let begun = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
            self.force(&mut connection, "line").await?;
            let printed = loop {
                let text = std::fs::read_to_string(&lines).unwrap_or_default();
                if let Some(line) = text.lines().nth(round) {
                    break line.trim().parse::<f64>()?;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            };
            if round >= 2 {
                times.push((printed - begun) * 1e3);
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(percentile(&times, 0.5))
    }

    /// Accepted calls per second.
    pub async fn accepted(&self, clients: usize, time: Duration) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let calls = (0..clients).map(|_| async {
            let mut connection = Connection::open(self.address).await?;
            let mut count = 0u32;
            while begun.elapsed() < time {
                self.force(&mut connection, "noop").await?;
                count += 1;
            }
            Ok::<_, anyhow::Error>(count)
        });
        let mut total = 0;
        for count in join_all(calls).await {
            total += count?;
        }
        Ok(f64::from(total) / begun.elapsed().as_secs_f64())
    }

    /// Median time in ms of a page of builds, with this many stored.
    pub async fn list(&self, builds: u32) -> anyhow::Result<f64> {
        self.noop_jobs(builds).await?;
        let mut connection = Connection::open(self.address).await?;
        let mut times = Vec::new();
        for _ in 0..60 {
            let begun = Instant::now();
            let path = "/api/v2/builds?order=-buildid&limit=20";
            let (status, _) = connection.send("GET", path, &[], "").await?;
            anyhow::ensure!(status == 200, "buildbot answers {status}");
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        Ok(percentile(&times, 0.5))
    }

    /// Growth of the database per build, in kB.
    pub async fn kilobytes_per_build(&self, builds: u32) -> anyhow::Result<f64> {
        let database = self.directory.path().join("master/state.sqlite");
        let before = std::fs::metadata(&database)?.len();
        self.noop_jobs(builds).await?;
        let after = std::fs::metadata(&database)?.len();
        #[expect(clippy::cast_precision_loss, reason = "a size for people")]
        let bytes = after.saturating_sub(before) as f64;
        Ok(bytes / f64::from(builds) / 1000.0)
    }

    /// MB/s of a build that prints this file, and the peak memory in MB.
    pub async fn log(&self, source: &Path, bytes: usize) -> anyhow::Result<(f64, f64)> {
        std::fs::copy(source, self.directory.path().join("source"))?;
        let mut connection = Connection::open(self.address).await?;
        self.force(&mut connection, "print").await?;
        let begun = Instant::now();
        let mut peak: f64 = 0.0;
        loop {
            let now = self.processes().into_iter().map(super::memory::megabytes);
            peak = peak.max(now.sum());
            let path = "/api/v2/builds?complete=true&limit=1";
            let done: Value = connection.json("GET", path, &[], &json!({})).await?;
            if done["builds"]
                .as_array()
                .is_some_and(|builds| !builds.is_empty())
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = bytes as f64 / 1e6 / begun.elapsed().as_secs_f64();
        Ok((rate, peak))
    }

    /// Finished builds per second.
    pub async fn noop_jobs(&self, jobs: u32) -> anyhow::Result<f64> {
        let mut connection = Connection::open(self.address).await?;
        let begun = Instant::now();
        for _ in 0..jobs {
            self.force(&mut connection, "noop").await?;
        }
        loop {
            let done: Value = connection
                .json(
                    "GET",
                    "/api/v2/builds?complete=true&field=buildid&field=complete&limit=10000",
                    &[],
                    &json!({}),
                )
                .await?;
            let count = done["builds"].as_array().map_or(0, Vec::len);
            if count >= usize::try_from(jobs)? {
                return Ok(f64::from(jobs) / begun.elapsed().as_secs_f64());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
