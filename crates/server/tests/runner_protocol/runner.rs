//! A runner process that does what a test says.

use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestRequest, TestServer};

/// A process of the embedded runner.
#[derive(Clone)]
pub struct Runner {
    system_id: String,
    cancels_gracefully: bool,
    holding: Option<Vec<i64>>,
    runs_steps: bool,
}

impl Default for Runner {
    fn default() -> Self {
        Self::named("r_first")
    }
}

impl Runner {
    /// With this `system_id`.
    pub fn named(system_id: &str) -> Self {
        Self {
            system_id: system_id.to_owned(),
            cancels_gracefully: true,
            holding: None,
            runs_steps: false,
        }
    }

    /// Knows nothing of `canceling`.
    pub fn abrupt(mut self) -> Self {
        self.cancels_gracefully = false;
        self
    }

    /// Runs the jobs of workflows, as only our own runner does.
    pub fn with_steps(mut self) -> Self {
        self.runs_steps = true;
        self
    }

    /// Says what it has in its hands.
    pub fn holding(mut self, ids: &[i64]) -> Self {
        self.holding = Some(ids.to_vec());
        self
    }

    /// The request for a job.
    pub fn request(&self, server: &TestServer) -> TestRequest {
        let mut body = json!({
            "token": server.runner_token(),
            "system_id": self.system_id,
            "info": { "features": {
                "cancel_gracefully": self.cancels_gracefully,
                "tappet_steps": self.runs_steps,
            } },
        });
        if let Some(holding) = &self.holding {
            body["tappet"] = json!({ "holding": holding });
        }
        server.post("/api/v4/jobs/request").json(&body)
    }

    /// Asks for a job, which must come.
    pub async fn take(&self, server: &TestServer) -> Taken {
        Taken::from(&self.request(server).send().await)
    }
}

/// A job that was handed out.
pub struct Taken {
    pub id: i64,
    pub token: String,
    pub payload: Value,
}

impl Taken {
    /// The job in a reply.
    #[track_caller]
    pub fn from(reply: &TestReply) -> Self {
        assert_eq!(reply.status, 201, "{}", reply.text());
        let payload = reply.json();
        Self {
            id: payload["id"].as_i64().unwrap(),
            token: payload["token"].as_str().unwrap().to_owned(),
            payload,
        }
    }

    /// A variable as sent; the last one of this name wins.
    pub fn variable(&self, key: &str) -> Option<&Value> {
        let variables = self.payload["variables"].as_array().unwrap();
        variables.iter().rev().find(|one| one["key"] == key)
    }

    pub fn value(&self, key: &str) -> Option<&str> {
        self.variable(key)?["value"].as_str()
    }

    /// A PATCH of the log without body, `Content-Range` and token.
    pub fn bare_patch(&self, server: &TestServer) -> TestRequest {
        server.request("PATCH", &format!("/api/v4/jobs/{}/trace", self.id))
    }

    /// Sends log bytes with this `Content-Range`.
    pub async fn patch(&self, server: &TestServer, range: &str, bytes: &str) -> TestReply {
        self.bare_patch(server)
            .header("job-token", &self.token)
            .header("content-range", range)
            .body("text/plain", bytes.to_owned())
            .send()
            .await
    }

    /// Sends log bytes that begin at `start`, as gitlab-runner does.
    pub async fn log(&self, server: &TestServer, start: usize, bytes: &str) -> TestReply {
        let end = (start + bytes.len()).saturating_sub(1);
        self.patch(server, &format!("{start}-{end}"), bytes).await
    }

    /// A PUT with these keys beside the token.
    pub async fn put(&self, server: &TestServer, update: Value) -> TestReply {
        self.put_to(server, "", update).send().await
    }

    /// The same, not yet sent, with a query.
    pub fn put_to(&self, server: &TestServer, query: &str, mut update: Value) -> TestRequest {
        update["token"] = json!(self.token);
        let path = format!("/api/v4/jobs/{}{query}", self.id);
        server.request("PUT", &path).json(&update)
    }

    /// Reports a final or other state, which must be taken.
    pub async fn report(&self, server: &TestServer, state: &str) {
        let reply = self.put(server, json!({ "state": state })).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Uploads a form of these parts with options in the query.
    pub async fn upload(&self, server: &TestServer, query: &str, parts: &[Part<'_>]) -> TestReply {
        let body: String = parts.iter().map(Part::text).collect();
        server
            .post(&format!("/api/v4/jobs/{}/artifacts{query}", self.id))
            .header("job-token", &self.token)
            .body("multipart/form-data; boundary=X", body + "--X--\r\n")
            .send()
            .await
    }

    /// Fetches the archive of the attempt `source`.
    pub async fn download(&self, server: &TestServer, source: i64) -> TestReply {
        server
            .get(&format!("/api/v4/jobs/{source}/artifacts"))
            .header("job-token", &self.token)
            .send()
            .await
    }
}

/// A part of a form.
pub enum Part<'a> {
    /// Name and content of the part `file`.
    File(&'a str, &'a str),
    /// Name and value.
    Field(&'a str, &'a str),
}

impl Part<'_> {
    fn text(&self) -> String {
        match self {
            Part::File(name, content) => format!(
                "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n{content}\r\n"
            ),
            Part::Field(name, value) => {
                format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            }
        }
    }
}
