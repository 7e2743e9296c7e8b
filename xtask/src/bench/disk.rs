//! B12: bytes on the disk for a finished run of three jobs, logs apart.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::buildbot::Buildbot;
use super::report::{Better, Row};
use super::tappet::{TOKEN, Tappet};

const RUNS: u32 = 300;

const PIPELINE: &str = "\
variables: {GIT_STRATEGY: none}
stages: [build, test, deploy]
build: {stage: build, script: ['true']}
test: {stage: test, script: ['true']}
deploy: {stage: deploy, script: ['true']}
";

/// Growth of the database per run, after a clean stop.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Row> {
    let mut tappet = Tappet::start(2).await?;
    let (project, token) = tappet.project(PIPELINE).await?;
    tappet.stop();
    let before = std::fs::metadata(tappet.database())?.len();
    tappet.start_again().await?;
    let mut connection = tappet.connect().await?;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let body = json!({ "token": token, "ref": "main" });
    for _ in 0..RUNS {
        connection.json("POST", &path, &[], &body).await?;
    }
    let path = format!("/api/v4/projects/{project}/pipelines?scope=finished&per_page=1");
    loop {
        let response = connection
            .start("GET", &path, &[("private-token", TOKEN)], "")
            .await?;
        let done: u32 = response
            .headers()
            .get("x-total")
            .context("the list is counted")?
            .to_str()?
            .parse()?;
        drop(response);
        connection = tappet.connect().await?;
        if done >= RUNS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(connection);
    tappet.stop();
    let after = std::fs::metadata(tappet.database())?.len();
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let each = (after - before) as f64 / f64::from(RUNS) / 1000.0;
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.kilobytes_per_build(30).await?),
        None => None,
    };
    Ok(Row {
        id: "B12",
        name: "database bytes per finished 3-job run",
        unit: "kB",
        tappet: each,
        detail: format!("{RUNS} runs; Buildbot per build of one step"),
        target: 1.0,
        better: Better::Lower,
        buildbot,
    })
}
