//! What isolation and checkout cost; run with `--ignored --nocapture`.

use super::attempt::{job, source};
use super::workflow::{run, workflow};
use std::time::Instant;

#[tokio::test]
#[ignore = "a measurement"]
async fn cost_of_a_job() {
    let source = source(&[("a/b", "x"), ("c", "y"), ("d/e/f", "z")]);
    let rounds = 100;
    for (name, mark, checkout) in [
        ("mark", true, false),
        ("namespaces", false, false),
        ("mark + checkout", true, true),
        ("namespaces + checkout", false, true),
    ] {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let mut job = job(&["true"]).without_namespaces(mark);
            if checkout {
                job = job.checkout(source.url.clone(), &source.sha, "main");
            }
            let timed = super::attempt::prepared(job);
            let started = Instant::now();
            timed.await;
            times.push(started.elapsed());
        }
        times.sort();
        println!(
            "{name}: p50 {:?} p95 {:?}",
            times[rounds / 2],
            times[rounds * 95 / 100]
        );
    }
    let mut times = Vec::new();
    for _ in 0..rounds {
        let started = Instant::now();
        std::process::Command::new("bash")
            .args(["--norc", "--noprofile", "-c", "true"])
            .status()
            .unwrap();
        times.push(started.elapsed());
    }
    times.sort();
    println!("bare bash: p50 {:?}", times[rounds / 2]);
}

#[tokio::test]
#[ignore = "a measurement"]
async fn output_of_a_step() {
    let megabytes = 200;
    let script =
        format!("yes 'a line of ordinary length, as tools print it' | head -c {megabytes}000000");
    let started = Instant::now();
    let ran = workflow(vec![run(&script)]).run().await;
    let elapsed = started.elapsed();
    assert!(ran.log.len() > megabytes * 1_000_000);
    println!("{:.0} MB/s", megabytes as f64 / elapsed.as_secs_f64());
}
