//! B3: trigger over a kept-alive connection → the first line that the job's own
//! script prints, as seen by a client that follows the log.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use http_body_util::BodyExt;
use serde_json::json;

use super::buildbot::Buildbot;
use super::http::Connection;
use super::report::{Better, Row};
use super::statistics::percentile;
use super::tappet::{TOKEN, Tappet};

/// Printed with the time, so that a peer without a log stream compares too.
const SCRIPT: &str = "job: {script: ['echo \"first-\"\"line $EPOCHREALTIME\"']}";

/// Without and with a fresh checkout.
pub async fn measure(samples: usize, peer: Option<&Buildbot>) -> anyhow::Result<Vec<Row>> {
    let none = format!("variables: {{GIT_STRATEGY: none}}\n{SCRIPT}");
    let plain = Figures::of(&none, samples).await?;
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.first_line(samples.min(15)).await?),
        None => None,
    };
    let checkout = Figures::of(SCRIPT, samples).await?;
    Ok(vec![
        plain.row(
            "B3",
            "trigger → first log line, `GIT_STRATEGY: none`, p50",
            5.0,
            buildbot,
        ),
        checkout.row(
            "B3b",
            "trigger → first log line, fresh checkout, p50",
            15.0,
            None,
        ),
    ])
}

struct Figures {
    /// Until the client saw the line, ms.
    seen: Vec<f64>,
    /// Until the script printed it, ms.
    printed: Vec<f64>,
}

impl Figures {
    async fn of(pipeline: &str, samples: usize) -> anyhow::Result<Self> {
        let tappet = Tappet::start(1).await?;
        let (project, token) = tappet.project(pipeline).await?;
        let mut trigger = tappet.connect().await?;
        let mut figures = Self {
            seen: Vec::new(),
            printed: Vec::new(),
        };
        // The first runs open the repository and the caches.
        for round in 0..samples + 5 {
            let mut reader = tappet.connect().await?;
            let one = one(&mut trigger, &mut reader, project, &token).await?;
            if round >= 5 {
                figures.seen.push(one.0.as_secs_f64() * 1e3);
                figures.printed.push(one.1 * 1e3);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(figures)
    }

    fn row(self, id: &'static str, name: &'static str, target: f64, buildbot: Option<f64>) -> Row {
        Row {
            id,
            name,
            unit: "ms",
            tappet: percentile(&self.seen, 0.5),
            detail: format!(
                "p95 {:.1}; printed by the script after p50 {:.1}, p95 {:.1} (what Buildbot's \
                 figure is); {} runs",
                percentile(&self.seen, 0.95),
                percentile(&self.printed, 0.5),
                percentile(&self.printed, 0.95),
                self.seen.len()
            ),
            target,
            better: Better::Lower,
            buildbot,
        }
    }
}

/// One trigger: time until the line was seen, and until it was printed (s).
async fn one(
    trigger: &mut Connection,
    reader: &mut Connection,
    project: i64,
    token: &str,
) -> anyhow::Result<(Duration, f64)> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    let begun = Instant::now();
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let body = json!({ "token": token, "ref": "main" });
    let run = trigger.json("POST", &path, &[], &body).await?;
    // One job a run, so both count alike.
    let job = run["id"].as_i64().context("a run has an id")?;
    let path = format!("/api/v4/projects/{project}/jobs/{job}/trace/events");
    let mut body = reader
        .start("GET", &path, &[("private-token", TOKEN)], "")
        .await?
        .into_body();
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            text.push_str(&String::from_utf8_lossy(&data));
        }
        if let Some((_, rest)) = text.split_once("first-line ")
            && let Some(end) = rest.find(|c: char| !c.is_ascii_digit() && c != '.')
        {
            let seen = begun.elapsed();
            let printed: f64 = rest[..end].parse()?;
            return Ok((seen, printed - wall));
        }
    }
    anyhow::bail!("the log ended without the line: {text}")
}
