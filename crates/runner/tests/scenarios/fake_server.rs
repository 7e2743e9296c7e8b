//! A server that speaks just enough of the protocol, and misbehaves on request.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tappet_runner::{EmbeddedSettings, run_embedded};
use tokio::net::UnixListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// What happens to the next PATCH.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The connection breaks before anything is stored.
    BreakBefore,
    /// Everything is stored, then the connection breaks.
    BreakAfter,
    /// Only so many bytes are stored, and said to be.
    Partial(usize),
    /// This status, nothing stored.
    Status(u16),
}

#[derive(Default)]
pub struct State {
    pub jobs: Mutex<VecDeque<Value>>,
    pub logs: Mutex<HashMap<i64, Vec<u8>>>,
    pub ends: Mutex<HashMap<i64, Value>>,
    pub faults: Mutex<VecDeque<Fault>>,
    pub statuses: Mutex<HashMap<i64, &'static str>>,
    pub verified: Mutex<Vec<String>>,
    pub uploads: Mutex<Vec<(String, Vec<u8>)>>,
    pub archives: Mutex<HashMap<i64, Vec<u8>>>,
    pub patches: Mutex<Vec<u16>>,
    pub changed: Notify,
}

pub struct FakeServer {
    pub dir: tempfile::TempDir,
    pub state: Arc<State>,
    listening: Option<JoinHandle<()>>,
    runner: Option<JoinHandle<()>>,
}

impl FakeServer {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("runner-token"), "glrt-test\n").unwrap();
        let mut server = Self {
            dir,
            state: Arc::default(),
            listening: None,
            runner: None,
        };
        server.listen();
        server
    }

    /// With a runner in this process.
    pub fn with_runner() -> Self {
        let mut server = Self::start();
        let mut settings = EmbeddedSettings::new(server.dir.path(), 1);
        settings.grace = Duration::from_secs(2);
        server.runner = Some(tokio::spawn(async move {
            run_embedded(settings).await.unwrap()
        }));
        server
    }

    pub fn listen(&mut self) {
        let path = self.dir.path().join("runner.sock");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(path).unwrap();
        let state = self.state.clone();
        self.listening = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = state.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let state = state.clone();
                        async move { answer(&state, request).await }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        }));
    }

    /// Breaks all connections and listens no more.
    pub async fn crash(&mut self) {
        let listening = self.listening.take().unwrap();
        listening.abort();
        let _ = listening.await;
    }

    pub fn offer(&self, id: i64, change: impl FnOnce(&mut Value)) {
        let mut job = json!({
            "id": id, "token": format!("token-{id}"),
            "job_info": {"project_full_path": "acme/web"},
            "variables": [{"key": "GIT_STRATEGY", "value": "none"}],
            "features": {"failure_reasons": ["job_canceled", "runner_interrupted"]},
            "steps": [],
        });
        change(&mut job);
        self.state.jobs.lock().unwrap().push_back(job);
        self.state.changed.notify_waiters();
    }

    pub fn offer_script(&self, id: i64, script: &str) {
        self.offer(id, |job| {
            job["steps"] = json!([{"name": "script", "script": [script]}])
        });
    }

    /// Waits until `look` finds something in the state.
    pub async fn until<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        let work = async {
            loop {
                let changed = self.state.changed.notified();
                if let Some(found) = look(&self.state) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), work)
            .await
            .expect("the runner does what is waited for")
    }

    /// The final PUT of a job.
    pub async fn end(&self, id: i64) -> Value {
        self.until(|state| state.ends.lock().unwrap().get(&id).cloned())
            .await
    }

    /// Waits until the log of a job holds `text`.
    pub async fn logged(&self, id: i64, text: &str) {
        self.until(|state| {
            let logs = state.logs.lock().unwrap();
            logs.get(&id)?
                .windows(text.len())
                .any(|window| window == text.as_bytes())
                .then_some(())
        })
        .await;
    }

    pub fn log(&self, id: i64) -> Vec<u8> {
        self.state
            .logs
            .lock()
            .unwrap()
            .get(&id)
            .cloned()
            .unwrap_or_default()
    }

    pub fn set_status(&self, id: i64, status: &'static str) {
        self.state.statuses.lock().unwrap().insert(id, status);
        self.state.changed.notify_waiters();
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn builds(&self) -> PathBuf {
        self.dir.path().join("builds")
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        for task in [self.listening.take(), self.runner.take()]
            .into_iter()
            .flatten()
        {
            task.abort();
        }
    }
}

type Reply = Response<Full<Bytes>>;

fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    Response::builder()
        .status(status)
        .body(Full::new(body.into()))
        .unwrap()
}

/// An error breaks the connection.
async fn answer(state: &State, request: Request<Incoming>) -> Result<Reply, String> {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let (token, range, prefer) = (
        header("job-token"),
        header("content-range"),
        header("prefer"),
    );
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    let job: i64 = path
        .split('/')
        .nth(4)
        .and_then(|id| id.parse().ok())
        .unwrap_or_default();
    let reply = match (method, path.as_str()) {
        (Method::POST, "/api/v4/runners/verify") => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["token"], "glrt-test");
            state
                .verified
                .lock()
                .unwrap()
                .push(body["system_id"].as_str().unwrap().to_owned());
            reply(200, "{}")
        }
        (Method::POST, "/api/v4/jobs/request") => next_job(state).await,
        (Method::PATCH, _) => {
            assert_eq!(token, format!("token-{job}"));
            return patch(state, job, &range, &body);
        }
        (Method::PUT, _) => {
            put(
                state,
                job,
                &serde_json::from_slice(&body).unwrap(),
                !prefer.is_empty(),
            )
            .await
        }
        (Method::POST, _) if query.contains("artifact_type=artifact&") => {
            assert!(String::from_utf8_lossy(&body).contains("filename=\"dist.zip\""));
            let archive = content(&body).to_vec();
            let told = named(&archive);
            state.archives.lock().unwrap().insert(job, archive);
            state.uploads.lock().unwrap().push((query, Vec::new()));
            reply(
                201,
                json!({"message": "201 Created", "artifact": told}).to_string(),
            )
        }
        (Method::GET, path) if path.ends_with("/tappet/artifacts") => {
            let archives = state.archives.lock().unwrap();
            let all: Vec<Value> = archives.get(&job).map(|it| named(it)).into_iter().collect();
            reply(200, json!(all).to_string())
        }
        (Method::GET, path) if path.ends_with("/tappet/patch") => reply(
            200,
            format!("--- /dev/null\n+++ b/patched\n@@ -0,0 +1 @@\n+{query}\n"),
        ),
        (Method::POST, _) => {
            state.uploads.lock().unwrap().push((query, body.to_vec()));
            reply(201, "{}")
        }
        (Method::GET, _) => match state.archives.lock().unwrap().get(&job) {
            Some(archive) => reply(200, archive.clone()),
            None => reply(404, ""),
        },
        _ => reply(405, ""),
    };
    state.changed.notify_waiters();
    Ok(reply)
}

/// The file in a form.
pub fn content(body: &[u8]) -> &[u8] {
    let end_of_head = |body: &[u8]| body.windows(4).position(|window| window == b"\r\n\r\n");
    let start = end_of_head(body).unwrap() + 4;
    let boundary = body.iter().position(|byte| *byte == b'\r').unwrap();
    &body[start..body.len() - boundary - "\r\n--\r\n".len()]
}

fn named(archive: &[u8]) -> Value {
    let digest = Sha256::digest(archive);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"id": 77, "name": "dist", "size": archive.len(), "digest": digest})
}

async fn next_job(state: &State) -> Reply {
    loop {
        let changed = state.changed.notified();
        if let Some(job) = state.jobs.lock().unwrap().pop_front() {
            return reply(201, job.to_string());
        }
        changed.await;
    }
}

fn with_status(state: &State, job: i64, mut reply: Reply) -> Reply {
    let status = state
        .statuses
        .lock()
        .unwrap()
        .get(&job)
        .copied()
        .unwrap_or("running");
    reply
        .headers_mut()
        .insert("job-status", status.parse().unwrap());
    reply
}

fn patch(state: &State, job: i64, range: &str, body: &[u8]) -> Result<Reply, String> {
    let (start, end) = range.split_once('-').unwrap();
    let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
    assert_eq!(end + 1 - start, body.len(), "Content-Range is inclusive");
    let fault = state.faults.lock().unwrap().pop_front();
    let mut logs = state.logs.lock().unwrap();
    let log = logs.entry(job).or_default();
    let take = match fault {
        Some(Fault::BreakBefore) => return Err("broken".into()),
        Some(Fault::Status(status)) => {
            state.patches.lock().unwrap().push(status);
            return Ok(with_status(state, job, reply(status, "")));
        }
        Some(Fault::Partial(count)) => count.min(body.len()),
        _ => body.len(),
    };
    let status = if start == log.len() { 202 } else { 416 };
    if status == 202 {
        log.extend_from_slice(&body[..take]);
    }
    let total = log.len();
    drop(logs);
    state.patches.lock().unwrap().push(status);
    state.changed.notify_waiters();
    if matches!(fault, Some(Fault::BreakAfter)) {
        return Err("broken".into());
    }
    let mut reply = reply(status, "");
    reply
        .headers_mut()
        .insert("range", format!("0-{total}").parse().unwrap());
    Ok(with_status(state, job, reply))
}

async fn put(state: &State, job: i64, body: &Value, hold: bool) -> Reply {
    if body["state"] != "running" {
        state.ends.lock().unwrap().insert(job, body.clone());
        return with_status(state, job, reply(200, ""));
    }
    let changed = async {
        loop {
            let changed = state.changed.notified();
            if state.statuses.lock().unwrap().contains_key(&job) {
                return;
            }
            changed.await;
        }
    };
    if hold {
        let _ = tokio::time::timeout(Duration::from_secs(10), changed).await;
    }
    let mut reply = with_status(state, job, reply(200, ""));
    reply
        .headers_mut()
        .insert("preference-applied", "wait".parse().unwrap());
    reply
}
