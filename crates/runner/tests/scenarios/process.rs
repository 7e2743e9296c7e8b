//! The runner as a process: killed, told to end, started again.

use super::fake_server::FakeServer;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tappet_runner::{EmbeddedSettings, holder, run_embedded};

const DATA: &str = "TAPPET_TEST_RUNNER_DATA";

/// No test waits it out: what must end before it does so by itself, on however busy a machine.
const GRACE: Duration = Duration::from_secs(300);

/// Not a test: the body of the runner processes below.
#[test]
#[ignore = "the other tests start it"]
fn runner_process() {
    let Some(data_dir) = std::env::var_os(DATA) else {
        return;
    };
    let mut settings = EmbeddedSettings::new(data_dir, 2);
    settings.grace = GRACE;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run_embedded(settings)).unwrap();
}

fn start(data_dir: &Path, isolation: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "scenarios::process::runner_process",
            "--ignored",
            "--nocapture",
        ])
        .env(DATA, data_dir)
        .env("TAPPET_ISOLATION", isolation)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn ended(mut child: Child) -> std::process::ExitStatus {
    tokio::task::spawn_blocking(move || child.wait().unwrap())
        .await
        .unwrap()
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: a plain signal to our own child.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

fn alive(needle: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(needle))
    })
}

async fn killed_runner_leaves_nothing(isolation: &str, needle: &str) {
    let server = FakeServer::start();
    let first = start(server.path(), isolation);
    let stubborn = format!(
        "trap '' TERM; (setsid -f bash -c 'trap \"\" TERM HUP; sleep {needle}' >/dev/null 2>&1 &); \
         until grep -qs {needle} /proc/[0-9]*/cmdline; do :; done; echo up-$((1+1)); sleep {needle}"
    );
    server.offer_script(7, &stubborn);
    server.logged(7, "up-2").await;
    assert!(alive(needle));
    assert_eq!(holder(server.path()).unwrap(), Some(first.id()));
    signal(&first, libc::SIGKILL);
    ended(first).await;
    let second = start(server.path(), isolation);
    server
        .until(|state| (state.verified.lock().unwrap().len() == 2).then_some(()))
        .await;
    assert!(
        !alive(needle),
        "the new runner speaks only after the old one's processes are gone"
    );
    let verified = server.state.verified.lock().unwrap().clone();
    assert_ne!(verified[0], verified[1]);
    server.offer_script(8, "echo next");
    assert_eq!(server.end(8).await["state"], "success");
    assert!(!server.builds().join("7").exists());
    signal(&second, libc::SIGTERM);
    assert!(ended(second).await.success());
    assert_eq!(holder(server.path()).unwrap(), None);
}

#[tokio::test]
async fn kill_9_takes_the_jobs_along() {
    killed_runner_leaves_nothing("auto", "4201").await;
}

#[tokio::test]
async fn kill_9_takes_the_jobs_along_without_namespaces() {
    killed_runner_leaves_nothing("mark", "4202").await;
}

#[tokio::test]
async fn an_idle_runner_ends_at_once_when_told() {
    let server = FakeServer::start();
    let runner = start(server.path(), "auto");
    server
        .until(|state| (!state.verified.lock().unwrap().is_empty()).then_some(()))
        .await;
    let told = std::time::Instant::now();
    signal(&runner, libc::SIGTERM);
    assert!(ended(runner).await.success());
    assert!(told.elapsed() < GRACE);
}

#[tokio::test]
async fn a_busy_runner_reports_the_interruption_before_it_ends() {
    let server = FakeServer::start();
    let runner = start(server.path(), "auto");
    server.offer_script(
        7,
        "trap 'echo cleaned; exit 1' TERM; echo up-$((1+1)); while :; do sleep 0.02; done",
    );
    server.logged(7, "up-2").await;
    signal(&runner, libc::SIGTERM);
    assert!(ended(runner).await.success());
    assert_eq!(server.end(7).await["failure_reason"], "runner_interrupted");
    assert!(
        String::from_utf8(server.log(7))
            .unwrap()
            .contains("\ncleaned\n")
    );
}

#[tokio::test]
async fn a_second_word_ends_it_without_grace() {
    let server = FakeServer::start();
    let runner = start(server.path(), "auto");
    server.offer_script(
        7,
        "trap 'echo told-$((1+1))' TERM; echo up-$((1+1)); while :; do sleep 4203 & wait; done",
    );
    server.logged(7, "up-2").await;
    signal(&runner, libc::SIGTERM);
    server.logged(7, "told-2").await;
    signal(&runner, libc::SIGTERM);
    assert!(!ended(runner).await.success());
    let path = server.path().to_owned();
    tokio::task::spawn_blocking(move || tappet_runner::RunnerLock::acquire(&path).unwrap())
        .await
        .unwrap();
    assert!(!alive("4203"));
}
