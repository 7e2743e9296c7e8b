//! B2 (idle part): summed proportional memory of server and embedded runner.

use std::collections::HashSet;

use super::buildbot::Buildbot;
use super::report::{Better, Row};
use super::tappet::Tappet;

/// One idle server that has answered one request.
pub async fn measure(peer: Option<&Buildbot>) -> anyhow::Result<Row> {
    let tappet = Tappet::start(2).await?;
    // The runner is a child: wait until it has asked for work and sits idle.
    while tappet.processes().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let processes = tappet.processes();
    let each: Vec<String> = processes
        .iter()
        .map(|id| format!("{:.1}", megabytes(*id)))
        .collect();
    let own = processes.iter().map(|id| megabytes(*id)).sum();
    let buildbot = match peer {
        Some(peer) => {
            let running = peer.start().await?;
            Some(running.processes().iter().map(|id| megabytes(*id)).sum())
        }
        None => None,
    };
    Ok(Row {
        id: "B2",
        name: "idle memory, server and embedded runner (PSS)",
        unit: "MB",
        tappet: own,
        detail: format!("{} MB", each.join(" + ")),
        target: 18.0,
        better: Better::Lower,
        buildbot,
    })
}

/// Proportional set size of a process in MB; 0 when it is gone.
pub fn megabytes(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let kilobytes: f64 = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("Pss:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        })
        .unwrap_or(0.0);
    kilobytes / 1000.0
}

/// A process and all its descendants.
pub fn tree(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let parent = stat
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            Some((id, parent))
        })
        .collect();
    let mut found = vec![root];
    let mut known: HashSet<u32> = HashSet::from([root]);
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        for (id, _) in parents.iter().filter(|(_, of)| *of == parent) {
            if known.insert(*id) {
                found.push(*id);
            }
        }
        at += 1;
    }
    found
}
