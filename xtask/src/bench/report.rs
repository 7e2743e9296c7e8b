//! The table of one run, as Markdown and as JSON.

use std::fmt::Write as _;

use anyhow::Context;
use serde_json::{Value, json};

use crate::command::root;

/// How a figure compares with its target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Smaller is better.
    Lower,
    /// Larger is better.
    Higher,
}

/// One measured row.
pub struct Row {
    /// Number in the benchmark set.
    pub id: &'static str,
    /// What is measured.
    pub name: &'static str,
    /// Unit of all figures.
    pub unit: &'static str,
    /// Tappet's figure (a median where there are several samples).
    pub tappet: f64,
    /// More about it: percentiles, counts.
    pub detail: String,
    /// The bar.
    pub target: f64,
    /// Which side of the bar is good.
    pub better: Better,
    /// Buildbot's figure in the same run.
    pub buildbot: Option<f64>,
}

impl Row {
    fn reached(&self) -> bool {
        match self.better {
            Better::Lower => self.tappet <= self.target,
            Better::Higher => self.tappet >= self.target,
        }
    }

    /// How many times better than Buildbot.
    fn ratio(&self) -> Option<f64> {
        self.buildbot.map(|peer| match self.better {
            Better::Lower => peer / self.tappet,
            Better::Higher => self.tappet / peer,
        })
    }
}

/// All rows of one run.
pub struct Report {
    /// In the order in which they were measured.
    pub rows: Vec<Row>,
}

impl Report {
    /// Prints the table and writes both files below `bench/results/`.
    pub fn write(&self) -> anyhow::Result<()> {
        let table = self.markdown();
        println!("\n{table}");
        let directory = root().join("bench/results");
        std::fs::create_dir_all(&directory).context("cannot make bench/results")?;
        std::fs::write(directory.join("latest.md"), &table)?;
        let json = serde_json::to_string_pretty(&self.json())?;
        std::fs::write(directory.join("latest.json"), json + "\n")?;
        eprintln!("wrote bench/results/latest.md and latest.json");
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut text = format!("Measured on {}, {}.\n\n", today(), machine());
        text += "| # | row | Tappet | target | reached | Buildbot | ratio | detail |\n";
        text += "|---|---|---|---|---|---|---|---|\n";
        for row in &self.rows {
            let sign = if row.better == Better::Lower {
                "≤"
            } else {
                "≥"
            };
            let peer = row.buildbot.map_or("–".to_owned(), |peer| {
                format!("{} {}", figure(peer), row.unit)
            });
            let ratio = row
                .ratio()
                .map_or("–".to_owned(), |ratio| format!("{ratio:.0}×"));
            let reached = if row.reached() { "yes" } else { "**no**" };
            let _ = writeln!(
                text,
                "| {} | {} | {} {unit} | {sign} {} {unit} | {reached} | {peer} | {ratio} | {} |",
                row.id,
                row.name,
                figure(row.tappet),
                figure(row.target),
                row.detail,
                unit = row.unit,
            );
        }
        text
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "id": row.id,
                    "name": row.name,
                    "unit": row.unit,
                    "tappet": row.tappet,
                    "target": row.target,
                    "reached": row.reached(),
                    "buildbot": row.buildbot,
                    "ratio": row.ratio(),
                    "detail": row.detail,
                })
            })
            .collect();
        json!({ "date": today(), "machine": machine(), "rows": rows })
    }
}

fn figure(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn today() -> String {
    jiff::Zoned::now().date().to_string()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!("{cores} cores, load {load} at the end")
}
