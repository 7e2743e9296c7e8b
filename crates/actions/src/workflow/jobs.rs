//! `jobs`, and what they say about each other.

use std::collections::HashMap;

use tappet_model::Position;
use tappet_yaml::Node;

use crate::source::entry::Entry;
use crate::source::identifier::Identifiers;
use crate::source::report::Report;
use crate::workflow::job::{self, Inherited, Job};

const NO_FIRST_JOB: &str = "The workflow must contain at least one job with no dependencies.";

/// Reads all jobs, in file order.
pub(super) fn read(node: &Node, inherited: &Inherited, report: &mut Report) -> Vec<Job> {
    let Some(entry) = Entry::of(node, report) else {
        return Vec::new();
    };
    if entry.mapping.is_empty() {
        report.error(node.position, NO_FIRST_JOB);
    }
    let mut jobs = Vec::with_capacity(entry.mapping.len());
    let mut all_are_read = true;
    for (key, value) in entry.mapping.iter() {
        // That no id comes twice was seen with the other keys of the file.
        if let Err(reason) = Identifiers::default().take(&key.text) {
            report.error(key.position, reason);
        }
        match job::read(key, value, inherited, report) {
            Some(job) => jobs.push(job),
            None => all_are_read = false,
        }
    }
    if all_are_read {
        connect(&mut jobs, node.position, report);
    }
    jobs
}

/// Gives needs the spelling of the jobs they name; reports those that name none
/// and those that go round in a circle.
fn connect(jobs: &mut [Job], position: Position, report: &mut Report) {
    let places: HashMap<String, usize> = jobs
        .iter()
        .enumerate()
        .map(|(at, job)| (job.key.to_ascii_lowercase(), at))
        .collect();
    let keys: Vec<String> = jobs.iter().map(|job| job.key.clone()).collect();
    // By job: how many of its needs are not settled, and who needs it.
    let mut open: Vec<usize> = vec![0; jobs.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); jobs.len()];
    let mut all_are_known = true;
    for (at, job) in jobs.iter_mut().enumerate() {
        for need in &mut job.needs {
            open[at] += 1;
            match places.get(&need.text.to_ascii_lowercase()) {
                Some(&needed) => {
                    followers[needed].push(at);
                    need.text.clone_from(&keys[needed]);
                }
                None => {
                    all_are_known = false;
                    report.error(
                        need.position,
                        format!("Job '{}' depends on unknown job '{}'.", job.key, need.text),
                    );
                }
            }
        }
    }
    if all_are_known && !jobs.is_empty() && open.iter().all(|open| *open > 0) {
        report.error(position, NO_FIRST_JOB);
        return;
    }
    let mut settled: Vec<usize> = (0..jobs.len()).filter(|at| open[*at] == 0).collect();
    while let Some(at) = settled.pop() {
        for &follower in &followers[at] {
            open[follower] -= 1;
            if open[follower] == 0 {
                settled.push(follower);
            }
        }
    }
    for (at, job) in jobs.iter().enumerate() {
        for need in job.needs.iter().filter(|_| open[at] > 0) {
            let needed = places.get(&need.text.to_ascii_lowercase());
            if needed.is_some_and(|needed| open[*needed] > 0) {
                report.error(
                    need.position,
                    format!(
                        "Job '{}' depends on job '{}' which creates a cycle in the dependency graph.",
                        job.key, need.text
                    ),
                );
            }
        }
    }
}
