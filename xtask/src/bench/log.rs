//! B6 and the second half of B2: 50 MB of log from a job to the durable store,
//! the memory that it takes, and how far a live reader is behind.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::json;

use super::buildbot::Buildbot;
use super::memory::megabytes;
use super::report::{Better, Row};
use super::tappet::{TOKEN, Tappet};

const BYTES: usize = 50_000_000;

/// Three runs, the fastest counts; the highest memory of all.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Vec<Row>> {
    let tappet = Tappet::start(1).await?;
    let source = tappet.scratch("lines.txt");
    std::fs::write(&source, lines())?;
    let script = format!(
        "variables: {{GIT_STRATEGY: none}}\njob: {{script: ['cat {}']}}",
        source.display()
    );
    let (project, token) = tappet.project(&script).await?;
    let mut rates = Vec::new();
    let mut peak: f64 = 0.0;
    for _ in 0..3 {
        let one = one(&tappet, project, &token).await?;
        rates.push(one.0);
        peak = peak.max(one.1);
    }
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.log(&source, BYTES).await?),
        None => None,
    };
    let fastest = rates.iter().copied().fold(0.0, f64::max);
    let all: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    Ok(vec![
        Row {
            id: "B6",
            name: "50 MB log from the job to the durable store, read live",
            unit: "MB/s",
            tappet: fastest,
            detail: format!(
                "3 runs: {}; a reader followed to the last byte",
                all.join(", ")
            ),
            target: 200.0,
            better: Better::Higher,
            buildbot: buildbot.map(|both| both.0),
        },
        Row {
            id: "B2b",
            name: "peak memory while 50 MB of log streams, server and runner (PSS)",
            unit: "MB",
            tappet: peak,
            detail: "sampled every 10 ms, the job's own processes included".to_owned(),
            target: 32.0,
            better: Better::Lower,
            buildbot: buildbot.map(|both| both.1),
        },
    ])
}

/// 100 characters each.
fn lines() -> String {
    let line = format!("{}\n", "0123456789".repeat(10).split_at(99).0);
    line.repeat(BYTES / line.len())
}

/// MB/s from the job's start to its end, and the peak memory in MB.
async fn one(tappet: &Tappet, project: i64, token: &str) -> anyhow::Result<(f64, f64)> {
    let mut connection = tappet.connect().await?;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let body = json!({ "token": token, "ref": "main" });
    let run = connection.json("POST", &path, &[], &body).await?;
    let job = &run["id"];
    let base = format!("/api/v4/projects/{project}/jobs/{job}");
    let headers = [("private-token", TOKEN)];
    let mut reader = tappet.connect().await?;
    let mut live = reader
        .start("GET", &format!("{base}/trace/events"), &headers, "")
        .await?
        .into_body();
    let reading = tokio::spawn(async move {
        let mut first = None;
        while let Some(frame) = live.frame().await {
            frame?;
            first.get_or_insert_with(Instant::now);
        }
        let whole = first.map(|first: Instant| first.elapsed());
        Ok::<_, anyhow::Error>(whole.unwrap_or_default())
    });
    let mut peak: f64 = 0.0;
    while !reading.is_finished() {
        let now = tappet.processes().into_iter().map(megabytes).sum();
        peak = peak.max(now);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let time = reading.await??;
    let done = connection.json("GET", &base, &headers, &json!({})).await?;
    anyhow::ensure!(
        done["status"] == "success",
        "the job ended {}",
        done["status"]
    );
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = BYTES as f64 / 1e6 / time.as_secs_f64();
    Ok((rate, peak))
}
