//! B11: kill −9 of the server with a thousand runs queued and two jobs running.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::report::{Better, Row};
use super::tappet::{TOKEN, Tappet};

const QUEUED: usize = 1000;

/// Time from the new start to the first job that was waiting; what was lost or
/// ran twice is an error.
pub async fn measure() -> anyhow::Result<Row> {
    let mut tappet = Tappet::start(2).await?;
    let lines = tappet.scratch("lines");
    // The first two hold their slots while the server dies.
    let pipeline = format!(
        "variables: {{GIT_STRATEGY: none}}\n\
         job:\n  script:\n    - echo \"$CI_PIPELINE_IID $EPOCHREALTIME\" >> {}\n    \
         - if [ \"$CI_PIPELINE_IID\" -le 2 ]; then sleep 2; fi\n",
        lines.display()
    );
    let (project, token) = tappet.project(&pipeline).await?;
    let mut connection = tappet.connect().await?;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let body = json!({ "token": token, "ref": "main" });
    for _ in 0..QUEUED + 2 {
        connection.json("POST", &path, &[], &body).await?;
    }
    while started(&lines).len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tappet.kill();
    let restarted = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    tappet.start_again().await?;
    let begun = Instant::now();
    let mut connection = tappet.connect().await?;
    let path = format!("/api/v4/projects/{project}/pipelines?scope=finished&per_page=100");
    while started(&lines).len() < QUEUED + 2 {
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(120), "runs were lost");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let headers = [("private-token", TOKEN)];
    connection.json("GET", &path, &headers, &json!({})).await?;
    let starts = started(&lines);
    let twice = starts.values().filter(|times| times.len() > 1).count();
    anyhow::ensure!(twice == 0, "{twice} jobs ran twice");
    // Both slots are held for two seconds; what counts is the time beyond.
    let held_until = [1, 2].map(|iid| starts[&iid][0] + 2.0);
    let free = held_until[0].min(held_until[1]).max(restarted);
    let first = starts
        .iter()
        .filter(|(iid, _)| **iid > 2)
        .map(|(_, times)| times[0])
        .fold(f64::INFINITY, f64::min);
    Ok(Row {
        id: "B11",
        name: "kill −9 with 1,000 runs queued and 2 jobs running → next job started",
        unit: "ms",
        tappet: (first - free) * 1e3,
        detail: format!(
            "0 lost, 0 ran twice, the 2 running jobs went on; counted from when a slot is free; \
             ready again after {:.0} ms",
            tappet.ready_after.as_secs_f64() * 1e3
        ),
        target: 1000.0,
        better: Better::Lower,
        buildbot: None,
    })
}

/// When each run's job started, by the run's number.
fn started(lines: &std::path::Path) -> HashMap<usize, Vec<f64>> {
    let text = std::fs::read_to_string(lines).unwrap_or_default();
    let mut starts: HashMap<usize, Vec<f64>> = HashMap::new();
    for line in text.lines() {
        if let Some((iid, time)) = line.split_once(' ')
            && let (Ok(iid), Ok(time)) = (iid.parse(), time.parse())
        {
            starts.entry(iid).or_default().push(time);
        }
    }
    starts
}
