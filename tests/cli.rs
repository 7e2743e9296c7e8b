//! Client verbs against the real server with its runner: exit codes, live logs,
//! and networks that fail.

mod support;

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rstest::rstest;
use support::{Gate, Tappet, output};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// `tappet …` as root of the server at `address`.
fn tappet(address: SocketAddr, line: &str) -> Command {
    let mut command = Tappet::command();
    command
        .args(line.split_whitespace())
        .env("TAPPET_SERVER", format!("http://{address}"))
        .env("TAPPET_TOKEN", support::ROOT_TOKEN);
    command
}

async fn run(tappet_server: &Tappet, line: &str) -> (ExitStatus, String) {
    output(tappet(tappet_server.address(), line)).await
}

#[rstest]
#[case("build:\n  script: echo made by hand\n", 0, "build │ made by hand")]
#[case("build:\n  script: exit 7\n", 1, "failed")]
#[case("build:\n  script: exit 7\n  allow_failure: true\n", 0, "failed")]
#[case(
    "ask:\n  script: make\n  when: manual\n  allow_failure: false\n",
    4,
    "manual"
)]
#[tokio::test]
async fn following_a_run_ends_with_its_code(
    #[case] pipeline: &str,
    #[case] code: i32,
    #[case] shown: &str,
) {
    let tappet = Tappet::start(1).await;
    tappet.project("web", pipeline).await;
    let line = "trigger run acme/web --ref main --follow";
    let (status, text) = run(&tappet, line).await;
    assert_eq!(status.code(), Some(code), "{text}");
    assert!(text.contains(shown), "{text}");
}

#[tokio::test]
async fn logs_are_there_afterwards_by_run_by_name_and_by_attempt() {
    let tappet = Tappet::start(1).await;
    let pipeline =
        "one:\n  script: printf '\\033[32mgreen\\033[0m\\n'\ntwo:\n  script: echo second\n";
    tappet.project("web", pipeline).await;
    let (status, text) = run(&tappet, "trigger run acme/web --ref main --wait").await;
    assert!(status.success(), "{text}");
    let (_, all) = run(&tappet, "logs 1").await;
    assert!(all.contains("── one (a1) success"), "{all}");
    assert!(
        all.contains("\ngreen\n") && all.contains("\nsecond\n"),
        "{all}"
    );
    assert!(!all.contains("section_start"), "{all}");
    let (_, one) = run(&tappet, "logs 1 one").await;
    assert!(
        one.contains("\ngreen\n") && !one.contains("second"),
        "{one}"
    );
    let (_, tail) = run(&tappet, "logs a2 --tail 1").await;
    assert_eq!(tail, "Job succeeded\n");
    let (_, raw) = run(&tappet, "logs a1 --raw").await;
    assert!(
        raw.contains("section_start:") && raw.contains("\x1b[32mgreen"),
        "{raw}"
    );
}

#[tokio::test]
async fn a_canceled_run_ends_its_followers_with_130() {
    let tappet = Tappet::start(1).await;
    let gate = Gate::new(tappet.scratch().join("gate"));
    let pipeline = format!("build:\n  script: [echo begun, cat {}]\n", gate.0.display());
    tappet.project("web", &pipeline).await;
    let mut follower = self::tappet(tappet.address(), "trigger run acme/web --ref main --follow")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    read_until(&mut follower, "begun").await;
    let (status, text) = run(&tappet, "cancel 1").await;
    assert!(status.success(), "{text}");
    let status = follower.wait().await.expect("it can be waited for");
    assert_eq!(status.code(), Some(130));
}

#[tokio::test]
async fn a_lost_answer_starts_no_second_run() {
    let tappet = Tappet::start(1).await;
    let project = tappet.project("web", "build:\n  script: 'true'\n").await;
    let proxy = Proxy::start(tappet.address()).await;
    proxy.lose_answers(1);
    let line = "trigger run acme/web --ref main";
    let (status, text) = output(self::tappet(proxy.address, line)).await;
    assert!(status.success(), "{text}");
    assert!(text.contains("trying again"), "{text}");
    assert!(text.contains("Started run 1 of acme/web"), "{text}");
    let runs = tappet.get(&project.path("/pipelines")).await;
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
}

#[tokio::test]
async fn following_goes_on_after_a_restart_of_the_server() {
    let mut tappet = Tappet::start(1).await;
    let gate = Gate::new(tappet.scratch().join("gate"));
    let pipeline = format!(
        "build:\n  script: [echo begun, cat {}, echo done]\n",
        gate.0.display()
    );
    tappet.project("web", &pipeline).await;
    let proxy = Proxy::start(tappet.address()).await;
    let mut follower = self::tappet(proxy.address, "trigger run acme/web --ref main --follow")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut seen = read_until(&mut follower, "│ begun").await;
    tappet.kill().await;
    tappet.restart().await;
    proxy.forward_to(tappet.address());
    gate.open().await;
    let mut out = follower.stdout.take().expect("piped");
    out.read_to_string(&mut seen).await.expect("text");
    let status = follower.wait().await.expect("it can be waited for");
    assert!(status.success(), "{seen}");
    assert_eq!(seen.matches("│ begun").count(), 1, "{seen}");
    assert_eq!(seen.matches("│ done").count(), 1, "{seen}");
}

/// Reads the output of a process until it holds `text`; gives all of it.
async fn read_until(process: &mut tokio::process::Child, text: &str) -> String {
    let out = process.stdout.as_mut().expect("piped");
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        let count = out.read_buf(&mut seen).await.expect("it can be read");
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&seen));
    }
    String::from_utf8(seen).expect("text")
}

/// Stands between client and server, and can lose what the server says.
struct Proxy {
    address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    to_lose: Arc<AtomicUsize>,
}

impl Proxy {
    async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let proxy = Self {
            address: listener.local_addr().expect("it listens"),
            target: Arc::new(Mutex::new(target)),
            to_lose: Arc::default(),
        };
        let (target, to_lose) = (proxy.target.clone(), proxy.to_lose.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let target = *target.lock().expect("nobody panics with it");
                tokio::spawn(pass(client, target, to_lose.clone()));
            }
        });
        proxy
    }

    /// The next answers never arrive.
    fn lose_answers(&self, count: usize) {
        self.to_lose.store(count, Ordering::SeqCst);
    }

    fn forward_to(&self, target: SocketAddr) {
        *self.target.lock().expect("nobody panics with it") = target;
    }
}

async fn pass(mut client: TcpStream, target: SocketAddr, to_lose: Arc<AtomicUsize>) {
    // A server that is away is a connection that ends.
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    let take_one = |left: usize| left.checked_sub(1);
    let loses = to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one);
    if loses.is_err() {
        let _ = copy_bidirectional(&mut client, &mut server).await;
        return;
    }
    let (mut from, mut to) = client.split();
    let (mut answers, mut calls) = server.split();
    let forward = tokio::io::copy(&mut from, &mut calls);
    let mut answer = [0; 1];
    tokio::select! {
        _ = forward => {}
        // Its first byte says that the server has done its work.
        _ = answers.read_exact(&mut answer) => { let _ = to.shutdown().await; }
    }
}
