//! E1: runs of pull requests that Datafold's clients start, answered while others
//! wait for a runner.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;
use serde_json::{Value, json};

use super::http::Connection;
use super::report::{Better, Row};
use super::statistics::percentile;
use super::tappet::{TOKEN, Tappet};

/// Runs that wait from the start on.
const WAITING: usize = 100;

/// One job looks at what the pull request changes.
const PIPELINE: &str = "\
stages: [build, test, deploy]
build:
  stage: build
  script: [make]
  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]
test:
  stage: test
  script: [make test]
  rules: [{changes: [\"models/**/*\"]}]
deploy:
  stage: deploy
  script: [make deploy]
  rules: [{if: $CI_COMMIT_BRANCH == \"main\"}]
";

/// The commits of a pull request.
struct Commits {
    base: String,
    head: String,
}

/// The time of an answer with `--slots 0`, one client.
pub async fn measure(samples: usize) -> anyhow::Result<Row> {
    let tappet = Tappet::start(0).await?;
    let (project, _) = tappet.project(PIPELINE).await?;
    let commits = propose(&tappet.scratch("repository"))?;
    let mut connection = tappet.connect().await?;
    let headers = [("private-token", TOKEN)];
    let path = format!("/api/v4/projects/{project}");
    let shown = connection
        .json("GET", &path, &headers, &Value::Null)
        .await?;
    let config = shown["ci_configs"][0]["id"].as_i64();
    let runs = format!(
        "/api/v1/ci/{}",
        config.context("a project has a CI config")?
    );

    let mut times = Vec::new();
    for number in 1..=WAITING + samples {
        let time = trigger(&mut connection, &runs, &commits, number).await?;
        if number > WAITING {
            times.push(time);
        }
    }
    let mut again = Vec::new();
    for _ in 0..samples {
        again.push(trigger(&mut connection, &runs, &commits, WAITING).await?);
    }
    check(&mut connection, &runs, WAITING + samples).await?;
    Ok(Row {
        id: "E1",
        name: "run of a pull request triggered and answered, 100 runs waiting, p50",
        unit: "ms",
        tappet: percentile(&times, 0.5),
        detail: format!(
            "p99 {:.2}; the same commits again p50 {:.2}; one client",
            percentile(&times, 0.99),
            percentile(&again, 0.5)
        ),
        target: 10.0,
        better: Better::Lower,
        buildbot: None,
    })
}

/// Gives the repository a second commit on a branch of its own.
fn propose(repository: &Path) -> anyhow::Result<Commits> {
    let base = git(repository, &["rev-parse", "main"])?;
    git(repository, &["checkout", "--quiet", "-b", "faster"])?;
    std::fs::create_dir_all(repository.join("models"))?;
    std::fs::write(repository.join("models/users.sql"), "select 1\n")?;
    git(repository, &["add", "--all"])?;
    let identity = [
        "-c",
        "user.name=Bench",
        "-c",
        "user.email=bench@example.com",
    ];
    let commit = ["commit", "--quiet", "--message", "Load users faster"];
    git(repository, &[&identity[..], &commit].concat())?;
    let head = git(repository, &["rev-parse", "faster"])?;
    git(repository, &["checkout", "--quiet", "main"])?;
    Ok(Commits { base, head })
}

fn git(repository: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .current_dir(repository)
        .args(arguments)
        .output()
        .context("cannot start git")?;
    anyhow::ensure!(output.status.success(), "git {arguments:?} failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Milliseconds.
async fn trigger(
    connection: &mut Connection,
    runs: &str,
    commits: &Commits,
    number: usize,
) -> anyhow::Result<f64> {
    let body = json!({
        "pr_number": number,
        "base_branch": "main",
        "base_sha": commits.base,
        "pr_sha": commits.head,
        "pr_branch": "faster",
    });
    let path = format!("{runs}/trigger");
    let headers = [("private-token", TOKEN)];
    let begun = Instant::now();
    let reply = connection.json("POST", &path, &headers, &body).await?;
    let time = begun.elapsed().as_secs_f64() * 1e3;
    anyhow::ensure!(reply["ci_run_id"].is_i64(), "no run was started: {reply}");
    Ok(time)
}

/// The runs wait for a runner, and each pull request has one.
async fn check(connection: &mut Connection, runs: &str, expected: usize) -> anyhow::Result<()> {
    let headers = [("private-token", TOKEN)];
    let path = format!("{runs}/runs?limit=1000");
    let list = connection
        .json("GET", &path, &headers, &Value::Null)
        .await?;
    let list = list.as_array().context("a list of runs")?;
    let waiting = list.iter().filter(|run| run["status"] == "queued").count();
    anyhow::ensure!(
        waiting == expected.min(1000),
        "{waiting} of {expected} runs wait for a runner"
    );
    Ok(())
}
