//! A whole server on a free port with a fresh data directory, and a small HTTP
//! client, for scenario tests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::{Config, Server};

/// Root's access token on every test server.
pub const ROOT_TOKEN: &str = "glpat-test-root-token";

/// A running server. Without an embedded runner, so jobs wait until a test
/// takes them over the runner protocol.
pub struct TestServer {
    server: Option<Server>,
    app: SharedApp,
    dir: TempDir,
}

impl TestServer {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts one whose configuration was changed first.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = TempDir::new().expect("a temporary directory can be made");
        let server = Self::open(dir.path(), change).await;
        Self {
            app: server.app().clone(),
            server: Some(server),
            dir,
        }
    }

    async fn open(dir: &Path, change: impl FnOnce(&mut Config)) -> Server {
        let address = "127.0.0.1:0".parse().expect("the address is valid");
        let mut config = Config::new(address, dir.join("data"));
        config.slots = 0;
        config.root_token = Some(ROOT_TOKEN.to_owned());
        change(&mut config);
        Server::start(config).await.expect("the test server starts")
    }

    /// Stops the server and starts another one on the same data directory.
    pub async fn restart(&mut self) {
        self.restart_with(|_| {}).await;
    }

    /// The same, with another configuration.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        self.stop().await;
        let server = self.open_again(change).await;
        self.app = server.app().clone();
        self.server = Some(server);
    }

    /// Kills the server and starts another one on the same data directory.
    pub async fn crash(&mut self) {
        self.kill().await;
        let server = self.open_again(|_| {}).await;
        self.app = server.app().clone();
        self.server = Some(server);
    }

    /// On the same data directory, with the same clock.
    async fn open_again(&self, change: impl FnOnce(&mut Config)) -> Server {
        let clock = self.app.config.clock.clone();
        let change = |config: &mut Config| {
            config.clock = clock;
            change(config);
        };
        Self::open(self.dir.path(), change).await
    }

    /// Ends it as a killed process would; [`TestServer::restart`] goes on.
    pub async fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill().await;
        }
    }

    /// Stops it in an orderly way, at once.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            let hurry = CancellationToken::new();
            hurry.cancel();
            server.stop(hurry).await;
        }
    }

    /// The state behind the handlers.
    pub fn app(&self) -> &SharedApp {
        &self.app
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.app.config.data_dir
    }

    /// A directory for the test's own files.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        self.app.config.url("")
    }

    /// The embedded runner's token.
    pub fn runner_token(&self) -> String {
        let path = self.data_dir().join("runner-token");
        std::fs::read_to_string(path)
            .expect("the runner token exists")
            .trim()
            .to_owned()
    }

    /// A git repository `name` with one commit of these files on `main`.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = self.dir.path().join("repositories").join(name);
        std::fs::create_dir_all(&path).expect("a directory can be made");
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        commit(&path, files, "Initial commit");
        path
    }

    /// A project `path` over a new repository with these files; gives its id.
    pub async fn project(&self, path: &str, files: &[(&str, &str)]) -> i64 {
        let repository = self.repository(&path.replace('/', "-"), files);
        let body = serde_json::json!({ "path": path, "import_url": repository });
        let reply = self
            .post("/api/v4/projects")
            .root()
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["id"].as_i64().expect("a project has an id")
    }

    /// A trigger token of a project.
    pub async fn trigger(&self, project: i64) -> String {
        let path = format!("/api/v4/projects/{project}/triggers");
        let body = serde_json::json!({ "description": "test" });
        let reply = self.post(&path).root().json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["token"]
            .as_str()
            .expect("a trigger has a token")
            .to_owned()
    }

    /// A new user with an access token that reaches everything.
    pub async fn user(&self, username: &str) -> TestUser {
        let body = serde_json::json!({
            "username": username,
            "name": username,
            "email": format!("{username}@example.com"),
            "force_random_password": true,
        });
        let reply = self.post("/api/v4/users").root().json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let id = reply.json()["id"].as_i64().expect("a user has an id");
        TestUser {
            id,
            token: self.token_of(id, &["api"]).await,
        }
    }

    /// A new access token with these scopes.
    pub async fn token_of(&self, user: i64, scopes: &[&str]) -> String {
        let path = format!("/api/v4/users/{user}/personal_access_tokens");
        let body = serde_json::json!({ "name": "test", "scopes": scopes });
        let reply = self.post(&path).root().json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let token = reply.json()["token"].as_str().map(str::to_owned);
        token.expect("a new token is shown")
    }

    /// A new user who belongs to a project at this access level.
    pub async fn member(&self, project: i64, username: &str, level: u32) -> TestUser {
        let user = self.user(username).await;
        let path = format!("/api/v4/projects/{project}/members");
        let body = serde_json::json!({ "user_id": user.id, "access_level": level });
        let reply = self.post(&path).root().json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        user
    }

    /// A GET request.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request("GET", path)
    }

    /// A POST request.
    pub fn post(&self, path: &str) -> TestRequest {
        self.request("POST", path)
    }

    /// Any request; `path` is sent as it is.
    pub fn request(&self, method: &str, path: &str) -> TestRequest {
        TestRequest::new(self.app.config.listen, method, path)
    }
}

/// Runs git in a directory with an identity, or panics with its words.
pub fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("git can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Commits these files on the current branch; gives the commit id.
pub fn commit(repository: &Path, files: &[(&str, &str)], message: &str) -> String {
    for (name, content) in files {
        let path = repository.join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a parent"))
            .expect("a directory can be made");
        std::fs::write(path, content).expect("a file can be written");
    }
    git(repository, &["add", "--all"]);
    git(
        repository,
        &["commit", "--quiet", "--allow-empty", "--message", message],
    );
    git(repository, &["rev-parse", "HEAD"])
}

/// Somebody who can call.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// Id.
    pub id: i64,
    /// An access token with the scope `api`.
    pub token: String,
}

/// A request under construction.
pub struct TestRequest {
    address: SocketAddr,
    builder: http::request::Builder,
    body: Bytes,
}

impl TestRequest {
    /// A request to a server at `address`.
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let builder = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", address.to_string());
        Self {
            address,
            builder,
            body: Bytes::new(),
        }
    }

    /// As root.
    pub fn root(self) -> Self {
        self.header("private-token", ROOT_TOKEN)
    }

    /// As somebody.
    pub fn user(self, user: &TestUser) -> Self {
        self.header("private-token", &user.token)
    }

    /// As if the server were known by another name.
    pub fn host(mut self, host: &str) -> Self {
        let value = http::HeaderValue::from_str(host).expect("the name is visible ASCII");
        if let Some(headers) = self.builder.headers_mut() {
            headers.insert("host", value);
        }
        self
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a form body, already encoded.
    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body.to_owned())
    }

    /// With any body.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut request = self.header("content-type", content_type);
        request.body = body.into();
        request
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> TestReply {
        self.try_send().await.expect("the server answers")
    }

    /// The same, with an error when the connection fails or breaks off.
    pub async fn try_send(self) -> Result<TestReply, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = self.start().await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(TestReply {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    /// Sends it and follows the answer as server-sent events.
    pub async fn events(self) -> TestEvents {
        let response = self.start().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        TestEvents {
            body: response.into_body(),
            text: Vec::new(),
        }
    }

    async fn start(
        self,
    ) -> Result<http::Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = self.builder.body(Full::new(self.body))?;
        Ok(sender.send_request(request).await?)
    }
}

/// An open stream of server-sent events.
pub struct TestEvents {
    body: Incoming,
    text: Vec<u8>,
}

/// One event of the stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TestEvent {
    /// `id:`.
    pub id: String,
    /// `event:`.
    pub kind: String,
    /// `data:`.
    pub data: String,
}

impl TestEvents {
    /// The next event that has data; `None` at the end of the stream or when it
    /// breaks off.
    pub async fn next(&mut self) -> Option<TestEvent> {
        loop {
            while let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                let mut event = TestEvent::default();
                for line in String::from_utf8_lossy(&block).lines() {
                    match line.split_once(':') {
                        Some(("id", value)) => event.id = value.trim_start().to_owned(),
                        Some(("event", value)) => event.kind = value.trim_start().to_owned(),
                        Some(("data", value)) => event.data += value.trim_start(),
                        _ => {}
                    }
                }
                if !event.data.is_empty() {
                    return Some(event);
                }
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.text.extend_from_slice(&data);
            }
        }
    }
}

/// A whole answer.
pub struct TestReply {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: http::HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl TestReply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// One header as text, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
