//! B4: triggers acknowledged after a synced commit, 64 clients, three jobs each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::buildbot::Buildbot;
use super::report::{Better, Row};
use super::statistics::percentile;
use super::tappet::Tappet;

const CLIENTS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(5);

const PIPELINE: &str = "\
stages: [build, test, deploy]
build: {stage: build, script: [make]}
test: {stage: test, script: [make test]}
deploy: {stage: deploy, script: [make deploy]}
";

/// Acknowledged triggers per second with `--slots 0`.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Row> {
    let tappet = Tappet::start(0).await?;
    let (project, token) = tappet.project(PIPELINE).await?;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let body = format!("token={token}&ref=main");
    let count = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + WARM_UP + TIME;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut connection = tappet.connect().await?;
        let (path, body, count) = (path.clone(), body.clone(), Arc::clone(&count));
        clients.push(tokio::spawn(async move {
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            let mut times = Vec::new();
            while Instant::now() < end {
                let begun = Instant::now();
                let (status, reply) = connection
                    .send("POST", &path, &headers, body.clone())
                    .await?;
                if status == 429 {
                    anyhow::bail!("the queue limit was reached");
                }
                anyhow::ensure!(
                    status == 201,
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
    drop(tappet);
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.accepted(8, TIME).await?),
        None => None,
    };
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = (after - before) as f64 / seconds;
    Ok(Row {
        id: "B4",
        name: "triggers acknowledged durably, 64 clients, 3-job file",
        unit: "/s",
        tappet: rate,
        detail: format!(
            "latency p50 {:.1} ms, p99 {:.1} ms; load generator on the same cores; Buildbot with 8 clients",
            percentile(&times, 0.5),
            percentile(&times, 0.99)
        ),
        target: 5000.0,
        better: Better::Higher,
        buildbot,
    })
}
