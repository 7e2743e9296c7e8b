//! A runner that does what a test says.

use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

/// A job that was handed out.
pub struct Taken<'a> {
    server: &'a TestServer,
    pub id: i64,
    pub token: String,
}

/// Takes the job that comes next.
pub async fn take(server: &TestServer) -> Taken<'_> {
    take_with_payload(server).await.0
}

/// The same, with all that the runner is told.
pub async fn take_with_payload(server: &TestServer) -> (Taken<'_>, Value) {
    let body = json!({
        "token": server.runner_token(),
        "system_id": "s_test",
        "info": { "features": { "cancel_gracefully": true } },
    });
    let reply = server.post("/api/v4/jobs/request").json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let payload: Value = reply.json();
    let job = Taken {
        server,
        id: payload["id"].as_i64().unwrap(),
        token: payload["token"].as_str().unwrap().to_owned(),
    };
    (job, payload)
}

impl Taken<'_> {
    /// Sends log bytes that begin at `start`.
    pub async fn log(&self, start: usize, bytes: &[u8]) {
        let end = start + bytes.len();
        let reply = self
            .server
            .request("PATCH", &format!("/api/v4/jobs/{}/trace", self.id))
            .header("job-token", &self.token)
            .header("content-range", &format!("{start}-{end}"))
            .body("text/plain", bytes.to_vec())
            .send()
            .await;
        assert_eq!(reply.status, 202, "{}", reply.text());
    }

    /// Ends the job with `success` or `failed`.
    pub async fn end(&self, state: &str) {
        let body = json!({ "token": self.token, "state": state });
        let reply = self
            .server
            .request("PUT", &format!("/api/v4/jobs/{}", self.id))
            .header("job-token", &self.token)
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Uploads an archive.
    pub async fn upload(&self, filename: &str, zip: &[u8]) -> TestReply {
        self.upload_as("archive", "zip", filename, zip).await
    }

    /// Uploads a file.
    pub async fn upload_as(
        &self,
        kind: &str,
        format: &str,
        filename: &str,
        content: &[u8],
    ) -> TestReply {
        let mut body = format!(
            "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--X--\r\n");
        let path = format!(
            "/api/v4/jobs/{}/artifacts?artifact_type={kind}&artifact_format={format}",
            self.id
        );
        self.server
            .post(&path)
            .header("job-token", &self.token)
            .body("multipart/form-data; boundary=X", body)
            .send()
            .await
    }
}
