//! The log reaches the server byte for byte, whatever happens on the way.

use super::fake_server::{FakeServer, Fault};

fn checksum(log: &[u8]) -> String {
    format!("crc32:{:08x}", crc32fast::hash(log))
}

#[tokio::test]
async fn a_job_is_run_and_told() {
    let server = FakeServer::with_runner();
    server.offer_script(7, "echo hello; exit 3");
    let end = server.end(7).await;
    assert_eq!(end["state"], "failed");
    assert_eq!(end["failure_reason"], "script_failure");
    assert_eq!(end["exit_code"], 3);
    assert_eq!(end["token"], "token-7");
    let log = server.log(7);
    assert_eq!(end["output"]["bytesize"], log.len());
    assert_eq!(end["output"]["checksum"], checksum(&log));
    assert!(String::from_utf8(log).unwrap().contains("\nhello\n"));
    server.offer_script(8, "true");
    let end = server.end(8).await;
    assert_eq!(
        (&end["state"], end.get("exit_code")),
        (&"success".into(), Some(&serde_json::Value::Null))
    );
    assert_eq!(server.state.verified.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_first_line_does_not_wait_for_the_rest() {
    let server = FakeServer::with_runner();
    server.offer_script(
        7,
        &format!(
            "echo first-$((1+1)); until [ -e {}/go ]; do sleep 0.01; done",
            server.path().display()
        ),
    );
    server.logged(7, "first-2").await;
    std::fs::write(server.path().join("go"), "").unwrap();
    assert_eq!(server.end(7).await["state"], "success");
}

#[tokio::test]
async fn broken_connections_and_half_stored_pieces_lose_and_repeat_nothing() {
    let server = FakeServer::with_runner();
    server.state.faults.lock().unwrap().extend([
        Fault::BreakBefore,
        Fault::Partial(10),
        Fault::BreakAfter,
        Fault::Status(503),
        Fault::Partial(0),
        Fault::Status(409),
        Fault::BreakAfter,
    ]);
    server.offer_script(7, "for i in {1..2000}; do echo line $i; done");
    let end = server.end(7).await;
    let log = server.log(7);
    assert_eq!(end["output"]["checksum"], checksum(&log));
    assert_eq!(end["output"]["bytesize"], log.len());
    let text = String::from_utf8(log).unwrap();
    assert_eq!(text.matches("\nline ").count(), 2000);
    assert!(server.state.patches.lock().unwrap().contains(&416));
}

#[tokio::test]
async fn a_job_outlives_its_server() {
    let mut server = FakeServer::with_runner();
    let go = server.path().join("go");
    server.offer_script(
        7,
        &format!(
            "echo before-$((1+1)); until [ -e {} ]; do sleep 0.01; done; echo after; touch {}.done",
            go.display(),
            go.display()
        ),
    );
    server.logged(7, "before-2").await;
    server.crash().await;
    std::fs::write(&go, "").unwrap();
    let done = server.path().join("go.done");
    while !done.exists() {
        tokio::task::yield_now().await;
    }
    server.listen();
    let end = server.end(7).await;
    assert_eq!(end["state"], "success");
    let log = server.log(7);
    assert_eq!(end["output"]["checksum"], checksum(&log));
    assert_eq!(
        String::from_utf8(log).unwrap().matches("\nafter\n").count(),
        1
    );
    assert_eq!(
        server.state.verified.lock().unwrap().len(),
        1,
        "the same runner goes on"
    );
}

#[tokio::test]
async fn strange_bytes_and_an_endless_line_pass_unchanged() {
    let server = FakeServer::with_runner();
    server.offer_script(
        7,
        "printf 'a\\0b\\xff\\n'; head -c 10000000 /dev/zero | tr '\\0' x",
    );
    let end = server.end(7).await;
    let log = server.log(7);
    assert_eq!(end["output"]["checksum"], checksum(&log));
    assert!(log.windows(5).any(|window| window == b"a\0b\xff\n"));
    assert_eq!(
        log.iter().filter(|byte| **byte == b'x').count() / 10_000_000,
        1
    );
}
