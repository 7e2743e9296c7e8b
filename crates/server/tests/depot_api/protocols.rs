//! gRPC over HTTP/2 without TLS, and gRPC-web, on the same port.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tappet_server::testing::{ROOT_TOKEN, TestServer};
use tokio::net::TcpStream;

use super::envelopes::{envelope, frames};
use super::{Scene, request};

/// Status, headers, body and trailers of a call by HTTP/2 with prior knowledge.
async fn h2c(
    server: &TestServer,
    method: &str,
    kind: &str,
    body: Vec<u8>,
) -> (u16, HeaderMap, Bytes, HeaderMap) {
    let address = server.app().config.listen;
    let stream = TcpStream::connect(address).await.unwrap();
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{address}/depot.ci.v1.CIService/{method}"))
        .header("content-type", kind)
        .header("te", "trailers")
        .header("authorization", format!("Bearer {ROOT_TOKEN}"))
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    (
        head.status.as_u16(),
        head.headers,
        body.to_bytes(),
        trailers,
    )
}

#[tokio::test]
async fn the_cli_speaks_connect_over_h2c() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let body = [b"\x0a\x02".as_slice(), format!("r{run}").as_bytes()].concat();
    let (status, headers, body, _) = h2c(&scene.server, "GetRun", "application/proto", body).await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "application/proto");
    let text = String::from_utf8_lossy(&body);
    assert!(
        text.contains("acme/web") && text.contains("queued"),
        "{text}"
    );
}

#[tokio::test]
async fn grpc_tells_its_status_in_trailers() {
    let scene = Scene::new().await;
    scene.start().await;
    let call = async |body: &[u8]| {
        let body = envelope(0, body);
        h2c(&scene.server, "GetRun", "application/grpc", body).await
    };
    let (status, headers, body, trailers) = call(b"\x0a\x02r1").await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "application/grpc+proto");
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(frames(&body).len(), 1);
    let (status, headers, _, trailers) = call(b"\x0a\x02r9").await;
    assert_eq!(status, 200);
    let code = trailers.get("grpc-status").or(headers.get("grpc-status"));
    assert_eq!(code.unwrap(), "5");
}

#[tokio::test]
async fn grpc_web_ends_with_a_frame_of_trailers() {
    let scene = Scene::new().await;
    scene.start().await;
    let body = envelope(0, json!({ "runId": "r1" }).to_string().as_bytes());
    let call = request(&scene.server, "GetRun").header("x-grpc-web", "1");
    let reply = call.body("application/grpc-web+json", body).send().await;
    assert_eq!(reply.status, 200);
    let frames = frames(&reply.body);
    let message: serde_json::Value = serde_json::from_slice(frames[0].1).unwrap();
    assert_eq!(message["runId"], "r1");
    let (flags, trailers) = frames[1];
    assert_eq!(flags, 0x80);
    assert!(String::from_utf8_lossy(trailers).contains("grpc-status: 0"));
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_who_wants_it() {
    let scene = Scene::new().await;
    scene.start().await;
    let log: String = (0..2000).map(|n| format!("line {n}\n")).collect();
    let attempt = scene.work(&log, "success").await;
    let call = request(&scene.server, "GetJobAttemptLogs").header("accept-encoding", "gzip");
    let reply = call.json(&json!({ "attemptId": attempt })).send().await;
    assert_eq!(reply.header("content-encoding"), "gzip");
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&reply.body[..]);
    std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
    assert!(text.contains("line 1999"));
}
