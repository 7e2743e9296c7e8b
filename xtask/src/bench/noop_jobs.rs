//! B5: no-op jobs finished per second with two slots.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::buildbot::Buildbot;
use super::report::{Better, Row};
use super::tappet::{TOKEN, Tappet};

/// Jobs of one run.
const JOBS: u32 = 500;
/// Runs, one after another.
const RUNS: u32 = 3;

/// Jobs per second from the trigger to the end of the run.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Row> {
    let mut pipeline = "variables: {GIT_STRATEGY: none}\n".to_owned();
    for job in 0..JOBS {
        let _ = writeln!(pipeline, "job{job}: {{script: ['true']}}");
    }
    let tappet = Tappet::start(2).await?;
    let (project, token) = tappet.project(&pipeline).await?;
    let mut connection = tappet.connect().await?;
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        let path = format!("/api/v4/projects/{project}/trigger/pipeline");
        let body = json!({ "token": token, "ref": "main" });
        let run = connection.json("POST", &path, &[], &body).await?;
        let path = format!("/api/v4/projects/{project}/pipelines/{}", run["id"]);
        let headers = [("private-token", TOKEN)];
        loop {
            let run = connection.json("GET", &path, &headers, &json!({})).await?;
            match run["status"].as_str() {
                Some("success") => break,
                Some("failed") => anyhow::bail!("a no-op job failed"),
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        rates.push(f64::from(JOBS) / begun.elapsed().as_secs_f64());
    }
    drop(tappet);
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.noop_jobs(30).await?),
        None => None,
    };
    Ok(Row {
        id: "B5",
        name: "no-op jobs finished, 2 slots, isolation on, `GIT_STRATEGY: none`",
        unit: "/s",
        tappet: super::statistics::percentile(&rates, 0.5),
        detail: format!(
            "{RUNS} runs of {JOBS} jobs: {}",
            rates
                .iter()
                .map(|rate| format!("{rate:.0}"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        target: 380.0,
        better: Better::Higher,
        buildbot,
    })
}
