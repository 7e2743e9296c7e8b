//! Receivers of webhooks that mean harm: they lead elsewhere, keep the server
//! waiting, or never stop talking.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::{TestReply, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{PIPELINE, Scene, assert_reply};

/// Listens, and gives every connection to `serve` once something was received.
async fn receiver<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            tokio::spawn(serve(stream));
        }
    });
    url
}

/// Adds a webhook at this address and tries it.
async fn try_hook(url: &str) -> TestReply {
    let server = TestServer::start_with(|config| {
        config.allow_local_requests = true;
        config.hook_timeout = Duration::from_millis(500);
    })
    .await;
    let project = server.project("acme/web", &[PIPELINE]).await;
    let scene = Scene { server, project };
    scene.run().await;
    let request = scene.server.post(&scene.path("/hooks")).root();
    let hook = request.json(&json!({ "url": url })).send().await;
    let path = format!("/hooks/{}/test/pipeline_events", hook.json()["id"]);
    scene.post(&path).await
}

#[rstest]
#[case(301)]
#[case(302)]
#[case(303)]
#[case(307)]
#[case(308)]
#[tokio::test]
async fn a_redirect_is_not_followed(#[case] status: u16) {
    let reached = Arc::new(AtomicUsize::new(0));
    let count = reached.clone();
    let inner = receiver(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    })
    .await;
    let outer = receiver(move |mut stream| {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: {inner}\r\nContent-Length: 0\r\n\r\n"
        );
        async move {
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    let text = format!("Hook executed successfully but returned HTTP {status}");
    assert_reply(&try_hook(&outer).await, 422, &json!({ "message": text }));
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_receiver_that_answers_byte_by_byte_is_given_up() {
    let url = receiver(async |mut stream: TcpStream| {
        let answer = b"HTTP/1.1 200 OK\r\nX-Slow: "
            .iter()
            .chain(b"x".iter().cycle());
        for byte in answer {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let began = Instant::now();
    let text = "Hook execution failed: the receiver did not answer in time";
    assert_reply(&try_hook(&url).await, 422, &json!({ "message": text }));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn headers_without_end_are_not_read() {
    let url = receiver(async |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"X-More: xxxxxxxxxxxxxxxxxxxxxxxx\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    let reply = try_hook(&url).await;
    assert_eq!(reply.status, 422);
    assert!(
        reply.text().contains("Hook execution failed"),
        "{}",
        reply.text()
    );
}

/// Only the status counts; the connection is closed over the rest.
#[tokio::test]
async fn a_body_without_end_is_not_read() {
    let sent = Arc::new(AtomicUsize::new(0));
    let (done, mut closed) = tokio::sync::mpsc::channel(1);
    let count = sent.clone();
    let url = receiver(move |mut stream| {
        let (count, done) = (count.clone(), done.clone());
        async move {
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
            let _ = stream.write_all(head).await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {
                count.fetch_add(4096, Ordering::SeqCst);
            }
            let _ = done.send(()).await;
        }
    })
    .await;
    let reply = try_hook(&url).await;
    assert_reply(&reply, 201, &json!({ "message": "201 Created" }));
    let wait = tokio::time::timeout(Duration::from_secs(20), closed.recv());
    wait.await.expect("the connection is closed");
    // What the buffers of both sides hold, and far from all.
    assert!(sent.load(Ordering::SeqCst) < 64 << 20);
}

#[rstest]
#[case("gopher://example.com/")]
#[case("file:///etc/passwd")]
#[case("ftp://example.com/")]
#[case("unix:///run/docker.sock")]
#[case("https://user:secret@example.com/")]
#[case("https://user@example.com/")]
#[case("http://127.0.0.1/")]
#[case("http://127.1/")]
#[case("http://2130706433/")]
#[case("http://0x7f000001/")]
#[case("http://0177.0.0.1/")]
#[case("http://0.0.0.0/")]
#[case("http://localhost:8080/")]
#[case("http://LOCALHOST./")]
#[case("http://x.localhost/")]
#[case("http://10.1.2.3/")]
#[case("http://172.16.0.1/")]
#[case("http://192.168.1.1/")]
#[case("http://100.64.0.1/")]
#[case("http://169.254.169.254/latest/meta-data/")]
#[case("http://[::1]/")]
#[case("http://[::ffff:127.0.0.1]/")]
#[case("http://[::ffff:169.254.169.254]/")]
#[case("http://[64:ff9b::a00:1]/")]
#[case("http://[fd00:ec2::254]/")]
#[case("http://[fe80::1]/")]
#[case("http://①②⑦.0.0.1/")]
#[tokio::test]
async fn an_address_of_this_network_is_refused_when_set_and_when_changed(#[case] url: &str) {
    let server = TestServer::start_with(|config| config.allow_local_requests = false).await;
    let project = server.project("acme/web", &[]).await;
    let scene = Scene { server, project };
    let body = json!({ "url": url });
    let refused = json!({ "error": "Invalid url given" });
    let add = scene.server.post(&scene.path("/hooks")).root();
    assert_reply(&add.json(&body).send().await, 422, &refused);
    let good = scene.server.post(&scene.path("/hooks")).root();
    let good = good
        .json(&json!({ "url": "https://example.com/" }))
        .send()
        .await;
    let path = scene.path(&format!("/hooks/{}", good.json()["id"]));
    let change = scene.server.request("PUT", &path).root();
    assert_reply(&change.json(&body).send().await, 422, &refused);
}
