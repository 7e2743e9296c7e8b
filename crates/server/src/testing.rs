//! A whole server on a free port with a fresh data directory, and a small HTTP
//! client, for scenario tests.

mod events;
mod repository;
mod request;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::{Config, Server};

pub use events::{TestEvent, TestEvents};
pub use repository::{commit, git};
pub use request::{TestReply, TestRequest};

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

/// Somebody who can call.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// Id.
    pub id: i64,
    /// An access token with the scope `api`.
    pub token: String,
}
