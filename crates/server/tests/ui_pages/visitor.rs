//! Somebody with a browser.

use tappet_server::testing::{ROOT_TOKEN, TestReply, TestRequest, TestServer};

/// Two stages with a job each, and one that rules leave out.
pub const PIPELINE: &str = "\
stages: [build, test]
compile:
  stage: build
  script: [make]
unit:
  stage: test
  script: [make test]
nightly:
  stage: test
  script: [make night]
  rules:
    - if: $CI_PIPELINE_SOURCE == \"schedule\"
";

/// A signed-in browser.
pub struct Visitor<'a> {
    server: &'a TestServer,
    pub cookie: String,
}

/// Signs root in.
pub async fn root(server: &TestServer) -> Visitor<'_> {
    let reply = sign_in(server, ROOT_TOKEN, "").await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    Visitor {
        server,
        cookie: cookie_of(&reply),
    }
}

/// Sends the sign-in form.
pub async fn sign_in(server: &TestServer, token: &str, to: &str) -> TestReply {
    server
        .post("/-/sign_in")
        .header("sec-fetch-site", "same-origin")
        .form(&format!("token={token}&to={to}"))
        .send()
        .await
}

/// The cookie that an answer sets, as a browser sends it back.
pub fn cookie_of(reply: &TestReply) -> String {
    let set = reply.header("set-cookie");
    set.split(';').next().unwrap_or_default().to_owned()
}

impl Visitor<'_> {
    /// Looks at a page that exists.
    pub async fn look(&self, path: &str) -> String {
        let reply = self.get(path).send().await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }

    /// A GET with the session.
    pub fn get(&self, path: &str) -> TestRequest {
        self.server.get(path).header("cookie", &self.cookie)
    }

    /// Sends a form of one of our pages.
    pub async fn send(&self, path: &str, form: &str) -> TestReply {
        self.server
            .post(path)
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .form(form)
            .send()
            .await
    }

    /// Presses a button of one of our pages.
    pub async fn press(&self, path: &str) -> TestReply {
        self.server
            .post(path)
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .send()
            .await
    }
}

/// Starts a run with a trigger; gives its id.
pub async fn trigger_run(server: &TestServer, project: i64, body: serde_json::Value) -> i64 {
    let token = server.trigger(project).await;
    let mut body = body;
    body["token"] = token.into();
    body["ref"] = "main".into();
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let reply = server.post(&path).json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["id"].as_i64().unwrap()
}

/// A project `acme/web` with [`PIPELINE`].
pub async fn project(server: &TestServer) -> i64 {
    server
        .project("acme/web", &[(".gitlab-ci.yml", PIPELINE)])
        .await
}
