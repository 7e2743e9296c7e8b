//! B1: process start → first HTTP 200 on a fresh data directory.

use super::buildbot::Buildbot;
use super::report::{Better, Row};
use super::statistics::percentile;
use super::tappet::Tappet;

/// The median of several starts.
pub async fn measure(samples: usize, peer: Option<&Buildbot>) -> anyhow::Result<Row> {
    let mut times = Vec::new();
    for _ in 0..samples {
        times.push(Tappet::start(2).await?.ready_after.as_secs_f64() * 1e3);
    }
    let buildbot = match peer {
        Some(peer) => Some(peer.start().await?.ready_after.as_secs_f64() * 1e3),
        None => None,
    };
    Ok(Row {
        id: "B1",
        name: "process start → first HTTP 200, fresh directory",
        unit: "ms",
        tappet: percentile(&times, 0.5),
        detail: format!(
            "min {:.1}, p95 {:.1}, {samples} starts",
            percentile(&times, 0.0),
            percentile(&times, 0.95)
        ),
        target: 6.0,
        better: Better::Lower,
        buildbot,
    })
}
