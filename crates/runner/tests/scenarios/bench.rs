//! How many empty jobs two slots finish; run with `--ignored --nocapture`.

use super::fake_server::FakeServer;
use std::process::{Command, Stdio};
use std::time::Instant;

#[tokio::test]
#[ignore = "a measurement"]
async fn empty_jobs_a_second() {
    let server = FakeServer::start();
    let mut runner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "scenarios::process::runner_process", "--ignored"])
        .env("TAPPET_TEST_RUNNER_DATA", server.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    server
        .until(|state| (!state.verified.lock().unwrap().is_empty()).then_some(()))
        .await;
    let jobs = 400;
    let started = Instant::now();
    for id in 1..=jobs {
        server.offer_script(id, "true");
    }
    server
        .until(|state| (state.ends.lock().unwrap().len() == jobs as usize).then_some(()))
        .await;
    let rate = jobs as f64 / started.elapsed().as_secs_f64();
    let patches = server.state.patches.lock().unwrap().len() as f64 / jobs as f64;
    println!("{rate:.0} jobs/s, {patches:.2} log calls a job");
    let status = std::fs::read_to_string(format!("/proc/{}/status", runner.id())).unwrap();
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("RssAnon"))
            .unwrap()
    );
    runner.kill().unwrap();
    runner.wait().unwrap();
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the kernel fills the structure; all processes of the runner have been waited for.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let millis = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    println!(
        "processor time a job: {:.2} ms in programs, {:.2} ms in the kernel",
        millis(usage.ru_utime) / jobs as f64,
        millis(usage.ru_stime) / jobs as f64
    );
}
