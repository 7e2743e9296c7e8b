//! Runs acknowledged after a synced commit, 64 clients: triggers of a pipeline
//! file (B4) and `CIService.Run` with the workflow in the call (D1).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::buildbot::Buildbot;
use super::report::{Better, Row};
use super::statistics::percentile;
use super::tappet::{TOKEN, Tappet};

const CLIENTS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(5);

const PIPELINE: &str = "\
stages: [build, test, deploy]
build: {stage: build, script: [make]}
test: {stage: test, script: [make test]}
deploy: {stage: deploy, script: [make deploy]}
";

/// The body of a call that sends its workflow along.
const WORKFLOW: &str = "\
on: push
jobs:
  build: {runs-on: ubuntu-latest, steps: [{run: make}]}
  test: {runs-on: ubuntu-latest, needs: build, steps: [{run: make test}]}
  deploy: {runs-on: ubuntu-latest, needs: test, steps: [{run: make deploy}]}
";

/// One call that starts a run.
struct Call {
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// What says that the run is there.
    status: u16,
}

/// What 64 clients saw.
struct Load {
    rate: f64,
    times: Vec<f64>,
}

/// Acknowledged triggers per second with `--slots 0`.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Row> {
    let tappet = Tappet::start(0).await?;
    let (project, token) = tappet.project(PIPELINE).await?;
    let call = Call {
        path: format!("/api/v4/projects/{project}/trigger/pipeline"),
        headers: vec![(
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        )],
        body: format!("token={token}&ref=main"),
        status: 201,
    };
    let load = load(&tappet, call).await?;
    drop(tappet);
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.accepted(8, TIME).await?),
        None => None,
    };
    Ok(Row {
        id: "B4",
        name: "triggers acknowledged durably, 64 clients, 3-job file",
        unit: "/s",
        tappet: load.rate,
        detail: format!("{}; Buildbot with 8 clients", load.latency()),
        target: 5000.0,
        better: Better::Higher,
        buildbot,
    })
}

/// Acknowledged calls of `Run` per second with `--slots 0`. No peer answers it.
pub async fn measure_workflows() -> anyhow::Result<Row> {
    let tappet = Tappet::start(0).await?;
    tappet.project(PIPELINE).await?;
    let body = serde_json::json!({ "repo": "bench/small", "workflowContent": [WORKFLOW] });
    let call = Call {
        path: "/depot.ci.v1.CIService/Run".to_owned(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("authorization", format!("Bearer {}", TOKEN)),
        ],
        body: body.to_string(),
        status: 200,
    };
    let load = load(&tappet, call).await?;
    Ok(Row {
        id: "D1",
        name: "CIService.Run acknowledged durably, 64 clients, 3-job workflow in the call",
        unit: "/s",
        tappet: load.rate,
        detail: load.latency(),
        target: 2000.0,
        better: Better::Higher,
        buildbot: None,
    })
}

async fn load(tappet: &Tappet, call: Call) -> anyhow::Result<Load> {
    let call = Arc::new(call);
    let count = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + WARM_UP + TIME;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut connection = tappet.connect().await?;
        let (call, count) = (Arc::clone(&call), Arc::clone(&count));
        clients.push(tokio::spawn(async move {
            let headers: Vec<(&str, &str)> = call
                .headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let mut times = Vec::new();
            while Instant::now() < end {
                let begun = Instant::now();
                let (status, reply) = connection
                    .send("POST", &call.path, &headers, call.body.clone())
                    .await?;
                if status == 429 {
                    anyhow::bail!("the queue limit was reached");
                }
                anyhow::ensure!(
                    status == call.status,
                    "{status} {}",
                    String::from_utf8_lossy(&reply)
                );
                count.fetch_add(1, Ordering::Relaxed);
                times.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            Ok(times)
        }));
    }
    tokio::time::sleep(WARM_UP).await;
    let (before, begun) = (count.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(TIME).await;
    let (after, seconds) = (count.load(Ordering::Relaxed), begun.elapsed().as_secs_f64());
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await??);
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = (after - before) as f64 / seconds;
    Ok(Load { rate, times })
}

impl Load {
    fn latency(&self) -> String {
        format!(
            "latency p50 {:.1} ms, p99 {:.1} ms; load generator on the same cores",
            percentile(&self.times, 0.5),
            percentile(&self.times, 0.99)
        )
    }
}
