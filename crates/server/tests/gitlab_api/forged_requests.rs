//! Requests that no honest client sends: from other sites, through made-up hosts,
//! too much of everything, and bytes that are no HTTP.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tappet_server::api::operation::Audience;
use tappet_server::api::routes_of_all;
use tappet_server::testing::{ROOT_TOKEN, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::operations::{self, address, call, first, is_stream, reads};
use super::{Scene, assert_reply};

/// The cookie of root's session in a browser.
async fn cookie(server: &TestServer) -> String {
    let reply = server
        .post("/-/sign_in")
        .header("sec-fetch-site", "same-origin")
        .form(&format!("token={ROOT_TOKEN}"))
        .send()
        .await;
    let cookie = reply.header("set-cookie");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_browsers_cookie_alone_changes_nothing_through_the_api() {
    let scene = Scene::new().await;
    operations::furnish(&scene).await;
    let cookie = cookie(&scene.server).await;
    let reading = scene.server.get("/api/v4/user").header("cookie", &cookie);
    assert_eq!(reading.send().await.status, 200);
    let before = operations::holdings(&scene).await;
    let project = scene.project.to_string();
    let mut wrong = Vec::new();
    for (base, operation) in routes_of_all().operations() {
        if reads(operation) || operation.audience == Audience::Anybody {
            continue;
        }
        let path = address(base, operation, |name| first(name, &project));
        let request = call(&scene.server, operation, &path).header("cookie", &cookie);
        let reply = request.send().await;
        // Whoever may look without signing in is nobody here.
        let is_nobody = operation.audience == Audience::Visitor && reply.status == 404;
        if reply.status != 401 && !is_nobody {
            wrong.push(format!("{} {path}: {}", operation.method, reply.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(operations::holdings(&scene).await, before);
}

#[tokio::test]
async fn reading_changes_nothing() {
    let scene = Scene::new().await;
    operations::furnish(&scene).await;
    let audit = async || {
        let path = "/api/v4/audit_events?per_page=100";
        let reply = scene.server.get(path).root().send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text()
    };
    let before = (operations::holdings(&scene).await, audit().await);
    let project = scene.project.to_string();
    for (base, operation) in routes_of_all().operations() {
        if reads(operation) && !is_stream(operation) {
            let path = address(base, operation, |name| first(name, &project));
            call(&scene.server, operation, &path).root().send().await;
        }
    }
    assert_eq!((operations::holdings(&scene).await, audit().await), before);
}

#[tokio::test]
async fn a_made_up_host_reaches_no_answer() {
    let scene = Scene::new().await;
    operations::furnish(&scene).await;
    let project = scene.project.to_string();
    let mut paths: Vec<String> = [
        "/",
        "/-/sign_in",
        "/projects",
        "/acme/web",
        "/acme/web/-/pipelines",
        "/acme/web/-/pipelines/1",
        "/acme/web/-/jobs/1",
        "/no/such/page",
    ]
    .map(str::to_owned)
    .to_vec();
    for (base, operation) in routes_of_all().operations() {
        if reads(operation) && !is_stream(operation) {
            paths.push(address(base, operation, |name| first(name, &project)));
        }
    }
    let cookie = cookie(&scene.server).await;
    for path in paths {
        let mut request = scene.server.get(&path).host("evil.example");
        for (name, value) in [
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-server", "evil.example"),
            ("x-forwarded-proto", "evil"),
            ("x-forwarded-prefix", "/evil.example"),
            ("x-original-url", "/evil.example"),
            ("forwarded", "host=evil.example;proto=evil"),
            ("cookie", &cookie),
        ] {
            request = request.header(name, value);
        }
        let reply = request.send().await;
        assert!(reply.status < 500, "{path}: {}", reply.text());
        assert!(!reply.text().contains("evil"), "{path}: {}", reply.text());
        let headers = format!("{:?}", reply.headers);
        assert!(!headers.contains("evil"), "{path}: {headers}");
    }
}

#[rstest]
#[case("/api/v4/user")]
#[case("/projects")]
#[case("/-/healthz")]
#[tokio::test]
async fn a_hundred_kilobytes_of_headers_are_too_many(#[case] path: &str) {
    let server = TestServer::start().await;
    let long = "x".repeat(100 * 1024);
    let reply = server.get(path).header("x-long", &long).send().await;
    assert_eq!(reply.status, 431);
    let mut request = server.get(path);
    for nth in 0..90 {
        request = request.header(&format!("x-{nth}"), &long[..1024]);
    }
    assert_eq!(request.send().await.status, 431);
    let fits = server.get(path).header("x-long", &long[..32 * 1024]);
    assert_ne!(fits.send().await.status, 431);
}

#[rstest]
#[case::fields("application/x-www-form-urlencoded", "a=1&".repeat(1_000_000), 400)]
#[case::nested_fields("application/x-www-form-urlencoded", format!("a{}=1", "[b]".repeat(10_000)), 400)]
#[case::lists("application/json", "[".repeat(1_000_000), 400)]
#[case::objects("application/json", "{\"a\":".repeat(500_000), 400)]
#[case::nested_json("application/json", format!("{{\"a\":{}{}}}", "[".repeat(120), "]".repeat(120)), 400)]
#[case::values("application/json", format!("{{\"a\":[{}1]}}", "1,".repeat(1_000_000)), 400)]
#[case::too_long("application/json", format!("{{\"a\":\"{}\"}}", "x".repeat(6 << 20)), 413)]
#[case::parts("multipart/form-data; boundary=X", format!("{}--X--\r\n", PART.repeat(50_000)), 400)]
#[tokio::test]
async fn more_than_anybody_needs_is_refused(
    #[case] content_type: &str,
    #[case] body: String,
    #[case] status: u16,
) {
    let scene = Scene::new().await;
    for path in [scene.path("/trigger/pipeline"), scene.path("/variables")] {
        let request = scene.server.post(&path).root();
        let reply = request.body(content_type, body.clone()).send().await;
        let text = reply.text();
        assert_eq!(reply.status, status, "{path}: {text:.200}");
        assert!(text.len() < 1000, "the answer repeats what was sent");
    }
}

const PART: &str = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";

#[tokio::test]
async fn a_query_without_end_is_refused() {
    let scene = Scene::new().await;
    let many = format!("/pipelines?{}", "a=1&".repeat(10_000));
    let reply = scene.get(&many).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let deep = format!("/pipelines?a{}=1", "[b]".repeat(5_000));
    let reply = scene.get(&deep).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
}

/// Sends bytes, then listens until the server hangs up or has nothing to add;
/// gives the status lines that came back.
async fn exchange(server: &TestServer, bytes: &str) -> Vec<String> {
    let address = server.app().config.listen;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    // No more is sent: what is not complete now stays so.
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let whole = stream.read_to_end(&mut answer);
    let ended = tokio::time::timeout(Duration::from_secs(20), whole).await;
    ended.expect("the server ends the exchange").ok();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let lines = text.lines().filter(|line| line.starts_with("HTTP/1."));
    lines.map(str::to_owned).collect()
}

const SMUGGLED: &str = "GET /api/v4/version HTTP/1.1\r\nHost: x\r\n\r\n";

#[rstest]
#[case::two_lengths("Content-Length: 3\r\nContent-Length: 30\r\n", "abc")]
#[case::signed_length("Content-Length: +3\r\n", "abc")]
#[case::negative_length("Content-Length: -3\r\n", "abc")]
#[case::length_of_words("Content-Length: three\r\n", "abc")]
#[case::list_of_lengths("Content-Length: 3, 30\r\n", "abc")]
#[case::not_chunked_last("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")]
#[case::unknown_encoding("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")]
#[case::space_before_colon("Content-Length : 3\r\n", "abc")]
#[case::folded("X-A: b\r\n c\r\n", "")]
#[case::bare_line_feed_in_value("X-A: b\nX-B\r\n", "")]
#[case::null_in_value("X-A: b\0c\r\n", "")]
#[tokio::test]
async fn a_request_that_can_be_read_in_two_ways_is_read_in_none(
    #[case] headers: &str,
    #[case] body: &str,
) {
    let server = TestServer::start().await;
    let request =
        format!("POST /api/v4/projects HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}{SMUGGLED}");
    let lines = exchange(&server, &request).await;
    assert_eq!(lines, ["HTTP/1.1 400 Bad Request"]);
}

#[rstest]
#[case::bad_size("zz\r\nabc\r\n0\r\n\r\n")]
#[case::huge_size("FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n")]
#[case::longer_than_said("2\r\nabcdef\r\n0\r\n\r\n")]
#[case::cut_off("5\r\nab")]
#[tokio::test]
async fn chunks_that_lie_are_refused(#[case] body: &str) {
    let scene = Scene::new().await;
    let path = scene.path("/variables");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nPrivate-Token: {ROOT_TOKEN}\r\n\
         Transfer-Encoding: chunked\r\n\r\n{body}"
    );
    let lines = exchange(&scene.server, &request).await;
    let refused = lines.iter().all(|line| line.starts_with("HTTP/1.1 400"));
    assert!(refused && lines.len() <= 1, "{lines:?}");
    assert_reply(&scene.get("/variables").await, 200, &json!([]));
}

/// A proxy that goes by the length would take the rest for another request.
#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    let server = TestServer::start().await;
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let request = format!(
            "POST /api/v4/projects HTTP/1.1\r\nHost: x\r\n{headers}\r\n0\r\n\r\n{SMUGGLED}"
        );
        let lines = exchange(&server, &request).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
}

#[rstest]
#[case("/debug/pprof/")]
#[case("/debug/vars")]
#[case("/-/debug")]
#[case("/-/profile")]
#[case("/-/backup")]
#[case("/-/config")]
#[case("/admin")]
#[case("/admin/logs")]
#[case("/metrics")]
#[case("/server-status")]
#[case("/.env")]
#[case("/.git/config")]
#[case("/tappet.db")]
#[case("/data/tappet.db")]
#[case("/secret.key")]
#[case("/root-token")]
#[case("/..%2ftappet.db")]
#[case("/../tappet.db")]
#[case("//etc/passwd")]
#[case("/%2e%2e/%2e%2e/etc/passwd")]
#[case("/-/assets/x/..%2f..%2ftappet.db")]
#[case("/-/assets/../../tappet.db")]
#[case("/acme/web/tappet.db")]
#[tokio::test]
async fn there_is_no_back_door(#[case] path: &str) {
    let scene = Scene::new().await;
    for request in [
        scene.server.get(path),
        scene.server.get(path).root(),
        scene.server.get(&format!("/api/v4{path}")),
    ] {
        let reply = request.send().await;
        // A project's page asks strangers to sign in, whether there is one or not.
        assert!(
            [303, 404].contains(&reply.status),
            "{path}: {}",
            reply.status
        );
        assert!(!reply.text().contains("root:"), "{path}");
        assert!(!reply.text().contains("SQLite format"), "{path}");
    }
}
