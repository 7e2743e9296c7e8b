//! B7: the lists of pipelines and jobs with their filters, at ten thousand and at
//! a million stored runs. The runs are made by the store's own verbs.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use super::buildbot::Buildbot;
use super::report::{Better, Row};
use super::statistics::percentile;
use super::tappet::{TOKEN, Tappet};
use crate::command::run as command;

/// How many runs there are, the smaller first.
const SIZES: [usize; 2] = [10_000, 1_000_000];
const SAMPLES: usize = 60;

/// Filters of the two lists, as clients send them.
const QUERIES: [&str; 16] = [
    "pipelines",
    "pipelines?page=50",
    "pipelines?status=success",
    "pipelines?status=failed",
    "pipelines?scope=finished",
    "pipelines?scope=branches",
    "pipelines?ref=branch-7",
    "pipelines?ref=branch-0&status=failed",
    "pipelines?ref=branch-7&status=canceled",
    "pipelines?source=schedule",
    "pipelines?username=root",
    "pipelines?sha=0000000000000000000000000000000000000007",
    "pipelines?order_by=updated_at&sort=asc",
    "jobs",
    "jobs?scope[]=failed",
    "jobs?pagination=keyset&per_page=100",
];

/// The slowest query at a million runs, and how much slower it is than at ten thousand.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Vec<Row>> {
    let mut figures: Vec<Vec<f64>> = Vec::new();
    for size in SIZES {
        eprintln!("filling a database with {size} runs …");
        figures.push(at(size).await?);
    }
    let (small, large) = (&figures[0], &figures[1]);
    let worst = slowest(large.iter().copied());
    let growth = slowest(large.iter().zip(small).map(|(large, small)| large / small));
    let each: Vec<String> = QUERIES
        .iter()
        .zip(small.iter().zip(large))
        .map(|(query, (small, large))| format!("`{query}` {small:.2} → {large:.2}"))
        .collect();
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.list(100).await?),
        None => None,
    };
    Ok(vec![
        Row {
            id: "B7",
            name: "slowest list of pipelines or jobs at 1,000,000 runs, p50",
            unit: "ms",
            tappet: worst.1,
            detail: format!(
                "ms at 10,000 → 1,000,000: {}; Buildbot with 100 builds",
                each.join(", ")
            ),
            target: 2.0,
            better: Better::Lower,
            buildbot,
        },
        Row {
            id: "B7b",
            name: "time at 1,000,000 runs / time at 10,000, worst query",
            unit: "×",
            tappet: growth.1,
            detail: format!("`{}`", QUERIES[growth.0]),
            target: 1.5,
            better: Better::Lower,
            buildbot: None,
        },
    ])
}

fn slowest(times: impl Iterator<Item = f64>) -> (usize, f64) {
    times
        .enumerate()
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .unwrap_or((0, 0.0))
}

/// Medians of all queries, in milliseconds.
async fn at(size: usize) -> anyhow::Result<Vec<f64>> {
    let mut tappet = Tappet::start(0).await?;
    tappet.project("job: {script: [make]}").await?;
    tappet.stop();
    fill(&tappet.database(), size)?;
    tappet.start_again().await?;
    let mut connection = tappet.connect().await?;
    let mut medians = Vec::new();
    for query in QUERIES {
        let path = format!("/api/v4/projects/1/{query}");
        let mut times = Vec::new();
        for sample in 0..SAMPLES + 5 {
            let begun = Instant::now();
            let (status, body) = connection
                .send("GET", &path, &[("private-token", TOKEN)], "")
                .await?;
            let time = begun.elapsed().as_secs_f64() * 1e3;
            let text = || String::from_utf8_lossy(&body).into_owned();
            anyhow::ensure!(status == 200, "{path}: {status} {}", text());
            if sample >= 5 {
                times.push(time);
            }
        }
        medians.push(percentile(&times, 0.5));
    }
    Ok(medians)
}

fn fill(database: &Path, size: usize) -> anyhow::Result<()> {
    let database = database.to_str().context("the path is text")?;
    command(
        "cargo",
        &[
            "run",
            "--release",
            "--quiet",
            "--locked",
            "--package",
            "tappet-store",
            "--example",
            "fill",
            "--",
            database,
            &size.to_string(),
        ],
    )
}
