//! B7: the lists of pipelines and jobs with their filters, and E2: that of runs of pull
//! requests, at ten thousand and at a million stored runs. Both servers run side by side and are asked in turn,
//! so that what else the machine does meets both.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use serde_json::json;

use super::buildbot::Buildbot;
use super::http::Connection;
use super::report::{Better, Row};
use super::statistics::percentile;
use super::tappet::{TOKEN, Tappet};
use crate::command::run as command;

/// How many runs there are, the smaller first.
const SIZES: [usize; 2] = [10_000, 1_000_000];
const SAMPLES: usize = 60;

/// Pipelines that wait for a runner, made over the API.
const WAITING: usize = 25;

/// Lists as clients ask for them, below `/api/v4/projects/1/` if not told
/// otherwise. `<half>` is the time in the middle of the history.
const QUERIES: [&str; 52] = [
    "pipelines",
    "pipelines?page=50",
    "pipelines?per_page=100",
    "pipelines?status=success",
    "pipelines?status=failed",
    "pipelines?status=canceled",
    "pipelines?status=running",
    "pipelines?scope=finished",
    "pipelines?scope=running",
    "pipelines?scope=pending",
    "pipelines?scope=branches",
    "pipelines?scope=tags",
    "pipelines?ref=main",
    "pipelines?ref=main&page=50",
    "pipelines?ref=branch-7",
    "pipelines?source=push",
    "pipelines?source=web",
    "pipelines?username=root",
    "pipelines?username=bob",
    "pipelines?sha=0000000000000000000000000000000000000007",
    "pipelines?name=nightly",
    "pipelines?yaml_errors=true",
    "pipelines?yaml_errors=false",
    "pipelines?updated_after=<half>",
    "pipelines?updated_before=<half>",
    "pipelines?created_after=<half>",
    "pipelines?created_before=<half>",
    "pipelines?sort=asc",
    "pipelines?order_by=updated_at",
    "pipelines?order_by=updated_at&sort=asc",
    "pipelines?order_by=status",
    "pipelines?order_by=ref",
    "pipelines?order_by=user_id",
    "pipelines?ref=main&status=success",
    "pipelines?ref=main&status=failed",
    "pipelines?ref=main&source=push",
    "pipelines?ref=main&scope=finished",
    "pipelines?ref=main&username=root",
    "pipelines?ref=main&updated_after=<half>",
    "pipelines?ref=main&order_by=updated_at",
    "pipelines?status=failed&source=schedule",
    "pipelines?status=failed&username=carl",
    "pipelines?status=success&order_by=updated_at",
    "jobs",
    "jobs?page=50",
    "jobs?scope[]=failed",
    "jobs?scope[]=running&scope[]=pending",
    "jobs?scope[]=success&scope[]=failed",
    "jobs?pagination=keyset&per_page=100",
    "jobs?ref=main",
    "/api/v3/projects/1/builds",
    "/api/v3/projects/1/builds?scope=failed",
];

/// The list of runs of pull requests as Datafold's clients and people ask for it.
/// `<head>` and `<number>` are those of a run in the middle.
const CI_RUNS: [&str; 5] = [
    "/api/v1/ci/1/runs",
    "/api/v1/ci/1/runs?limit=1",
    "/api/v1/ci/1/runs?limit=1&pr_sha=<head>",
    "/api/v1/ci/1/runs?pr_num=<number>",
    "/api/v1/ci/1/runs?limit=100&offset=1000",
];

/// The slowest query at a million runs, and the one that slows down most.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Vec<Row>> {
    let mut servers = Vec::new();
    for size in SIZES {
        servers.push(start(size).await?);
    }
    let [small, large] = &mut servers[..] else {
        anyhow::bail!("there are two sizes");
    };
    let mut times: Vec<[f64; 2]> = Vec::new();
    eprintln!("ms at {}, at {}:", SIZES[0], SIZES[1]);
    for query in QUERIES {
        let both = ask_both(small, large, query).await?;
        eprintln!("{:>8.2} {:>8.2}  {query}", both[0], both[1]);
        times.push(both);
    }
    let worst = largest(times.iter().map(|both| both[1]));
    let growth = largest(times.iter().map(|both| both[1] / both[0]));
    let mut order: Vec<usize> = (0..QUERIES.len()).collect();
    order.sort_by(|one, other| times[*other][1].total_cmp(&times[*one][1]));
    let slowest = order.iter().take(8).map(|&at| {
        let [small, large] = times[at];
        format!("`{}` {small:.2} → {large:.2}", QUERIES[at])
    });
    let slowest: Vec<String> = slowest.collect();
    let pull_requests = of_pull_requests(small, large).await?;
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
                "of {} lists, ms at 10,000 → 1,000,000: {}; median of all {:.2}; \
                 Buildbot with 100 builds",
                QUERIES.len(),
                slowest.join(", "),
                times[order[order.len() / 2]][1],
            ),
            target: 2.0,
            better: Better::Lower,
            buildbot,
        },
        Row {
            id: "B7b",
            name: "time at 1,000,000 runs / time at 10,000, worst list",
            unit: "×",
            tappet: growth.1,
            detail: format!("`{}`", QUERIES[growth.0]),
            target: 1.5,
            better: Better::Lower,
            buildbot: None,
        },
        pull_requests,
    ])
}

/// The slowest of the lists of runs of pull requests, which a quarter of all runs are.
async fn of_pull_requests(small: &mut Filled, large: &mut Filled) -> anyhow::Result<Row> {
    let mut slowest: f64 = 0.0;
    let mut each = Vec::new();
    for query in CI_RUNS {
        let [few, many] = ask_both(small, large, query).await?;
        eprintln!("{few:>8.2} {many:>8.2}  {query}");
        slowest = slowest.max(many);
        each.push(format!("`{query}` {few:.2} → {many:.2}"));
    }
    Ok(Row {
        id: "E2",
        name: "slowest list of runs of pull requests at 1,000,000 runs, p50",
        unit: "ms",
        tappet: slowest,
        detail: format!("ms at 10,000 → 1,000,000: {}", each.join(", ")),
        target: 2.0,
        better: Better::Lower,
        buildbot: None,
    })
}

fn largest(values: impl Iterator<Item = f64>) -> (usize, f64) {
    values
        .enumerate()
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .unwrap_or((0, 0.0))
}

/// A server with a long history.
struct Filled {
    connection: Connection,
    /// In the middle of it.
    half: String,
    /// Head and number of a pull request.
    head: String,
    number: String,
    /// Goes last: it ends the server.
    _tappet: Tappet,
}

async fn start(size: usize) -> anyhow::Result<Filled> {
    eprintln!("filling a database with {size} runs …");
    let mut tappet = Tappet::start(0).await?;
    tappet.project("job: {script: [make]}").await?;
    tappet.stop();
    add_refs(&tappet.scratch("repository"), size)?;
    fill(&tappet.database(), size)?;
    tappet.start_again().await?;
    let mut connection = tappet.connect().await?;
    let headers = [("private-token", TOKEN)];
    for _ in 0..WAITING {
        let body = json!({ "ref": "main" });
        let path = "/api/v4/projects/1/pipeline";
        connection.json("POST", path, &headers, &body).await?;
    }
    let path = format!("/api/v4/projects/1/pipelines/{}", size / 2);
    let middle = connection
        .json("GET", &path, &headers, &json!(null))
        .await?;
    let half = middle["created_at"]
        .as_str()
        .context("a time of creation")?;
    let path = "/api/v1/ci/1/runs?limit=1&offset=1000";
    let runs = connection.json("GET", path, &headers, &json!(null)).await?;
    let told = |field: &str| {
        let text = runs[0][field].as_str();
        text.map(str::to_owned)
            .with_context(|| format!("{field} of a run of a pull request"))
    };
    Ok(Filled {
        head: told("pr_sha")?,
        number: told("pr_num")?,
        connection,
        half: half.to_owned(),
        _tappet: tappet,
    })
}

/// The refs of the history that still exist.
fn add_refs(repository: &Path, size: usize) -> anyhow::Result<()> {
    let mut git = Command::new("git")
        .current_dir(repository)
        .args(["update-ref", "--stdin"])
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start git")?;
    let mut input = git.stdin.take().context("git reads refs")?;
    for number in 0..200 {
        writeln!(input, "create refs/heads/branch-{number} HEAD")?;
    }
    for number in size - 500..size {
        writeln!(input, "create refs/tags/v{number} HEAD")?;
    }
    drop(input);
    anyhow::ensure!(git.wait()?.success(), "git update-ref failed");
    Ok(())
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

/// Medians in milliseconds.
async fn ask_both(small: &mut Filled, large: &mut Filled, query: &str) -> anyhow::Result<[f64; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for sample in 0..SAMPLES + 5 {
        for (server, times) in [&mut *small, &mut *large].into_iter().zip(&mut times) {
            let time = ask(server, query).await?;
            if sample >= 5 {
                times.push(time);
            }
        }
    }
    Ok(times.map(|times| percentile(&times, 0.5)))
}

async fn ask(server: &mut Filled, query: &str) -> anyhow::Result<f64> {
    let mut path = query
        .replace("<half>", &server.half)
        .replace("<head>", &server.head)
        .replace("<number>", &server.number);
    if !path.starts_with('/') {
        path = format!("/api/v4/projects/1/{path}");
    }
    let headers = [("private-token", TOKEN)];
    let begun = Instant::now();
    let (status, body) = server.connection.send("GET", &path, &headers, "").await?;
    let time = begun.elapsed().as_secs_f64() * 1e3;
    let text = || String::from_utf8_lossy(&body).into_owned();
    anyhow::ensure!(status == 200, "{path}: {status} {}", text());
    Ok(time)
}
