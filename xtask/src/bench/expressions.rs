//! D2: reading and evaluating a thousand expressions of everyday workflows, in
//! one process.

use std::process::Command;

use anyhow::{Context, bail};

use super::report::{Better, Row};
use crate::command::root;

/// The median of many rounds. The reading is measured too, though a run reads
/// each expression once.
pub fn measure(samples: usize) -> anyhow::Result<Row> {
    let rounds = samples * 20;
    let output = Command::new("cargo")
        .args(["run", "--release", "--quiet", "--locked"])
        .args(["--package", "tappet-actions", "--example", "expressions"])
        .args(["--", &rounds.to_string()])
        .current_dir(root())
        .output()
        .context("cannot start the example `expressions`")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("the example `expressions` failed: {errors}");
    }
    let figure = String::from_utf8_lossy(&output.stdout);
    let milliseconds = figure.trim().parse();
    Ok(Row {
        id: "D2",
        name: "1,000 expressions read and evaluated",
        unit: "ms",
        tappet: milliseconds.with_context(|| format!("the example printed `{figure}`"))?,
        detail: format!("p50 of {rounds} rounds, 20 expressions in turn"),
        target: 5.0,
        better: Better::Lower,
        buildbot: None,
    })
}
