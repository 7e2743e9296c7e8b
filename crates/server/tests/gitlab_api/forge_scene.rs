//! A project that is bound to a forge, whose webhooks tell of its repository.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tappet_fake_forge::{Delivery, FakeForge, TOKEN};
use tappet_model::ForgeKind;
use tappet_server::testing::{TestReply, TestServer, git};

use super::Scene;

/// The secret of the webhook.
pub const SECRET: &str = "s3cret-of-the-webhook";

/// The newest commit in the recorded payloads.
const NEW: &str = "c58e2b71f04d9a6381b5e7f2094cda36e81f70b5";
/// Where the branch stood before, there.
const OLD: &str = "3f1c0a9be7d2648510ffb2c7a6d98e4b015c3d72";
/// Where the base branch stands, there.
const BASE: &str = "60d7fb1a2c3948e5b7061d9f8a4ce2573b90e1c8";

/// One job.
pub const ONE_JOB: (&str, &str) = (".gitlab-ci.yml", "unit: {script: make test}\n");

/// A server, a project and a forge that know each other.
pub struct ForgeScene {
    pub scene: Scene,
    pub forge: FakeForge,
    pub repository: PathBuf,
}

/// Commits to put in the place of the recorded ones.
#[derive(Clone, Debug)]
pub struct Commits {
    pub new: String,
    pub old: String,
    pub base: String,
}

impl ForgeScene {
    pub async fn new(kind: ForgeKind) -> Self {
        Self::with_file(kind, ONE_JOB).await
    }

    pub async fn with_file(kind: ForgeKind, file: (&str, &str)) -> Self {
        let server = TestServer::start_with(|config| {
            config.hook_rest = Duration::from_millis(60);
        })
        .await;
        let project = server.project("acme/web", &[file]).await;
        let scene = Scene { server, project };
        let forge = FakeForge::start(kind).await;
        let scene = Self {
            repository: scene.server.scratch().join("repositories/acme-web"),
            scene,
            forge,
        };
        let reply = scene.bind(&json!({})).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        scene
    }

    /// Binds the project, with some fields changed.
    pub async fn bind(&self, change: &Value) -> TestReply {
        let mut body = json!({
            "kind": self.forge.kind(), "api_url": self.forge.url(),
            "repository": self.forge.repository(), "token": TOKEN, "webhook_secret": SECRET,
        });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let path = self.scene.path("/forge");
        let request = self.scene.server.request("PUT", &path).root();
        request.json(&body).send().await
    }

    /// Where a ref stands now.
    pub fn sha(&self, name: &str) -> String {
        git(&self.repository, &["rev-parse", name])
    }

    /// The commits of a push to `main`.
    pub fn pushed(&self) -> Commits {
        Commits {
            new: self.sha("main"),
            old: "0".repeat(40),
            base: self.sha("main"),
        }
    }

    /// A recorded webhook, told of these commits.
    pub fn delivery(&self, name: &str, id: &str, commits: &Commits) -> Delivery {
        Delivery::recorded(self.forge.kind(), name, id, SECRET, |payload| {
            *payload = told_of(payload, commits);
        })
    }

    /// Sends it.
    pub async fn send(&self, delivery: &Delivery) -> TestReply {
        send(&self.scene.server, self.scene.project, delivery).await
    }

    /// The recorded push, of what `main` holds now.
    pub async fn push(&self, id: &str) -> TestReply {
        self.send(&self.delivery("push", id, &self.pushed())).await
    }

    /// What the project's forge shows.
    pub async fn shown(&self) -> Value {
        self.scene.get("/forge").await.json()
    }
}

/// The payload with other commits.
pub fn told_of(payload: &Value, commits: &Commits) -> Value {
    let text = payload.to_string();
    let text = text.replace(NEW, &commits.new).replace(OLD, &commits.old);
    let text = text.replace(BASE, &commits.base);
    // Bitbucket shortens those of pull requests.
    let text = text.replace(&NEW[..12], &commits.new[..12]);
    let text = text.replace(&BASE[..12], &commits.base[..12]);
    serde_json::from_str(&text).unwrap()
}

/// Sends a webhook to a project.
pub async fn send(server: &TestServer, project: i64, delivery: &Delivery) -> TestReply {
    let mut request = server.post(&format!("/-/hooks/forge/{project}"));
    for (name, value) in &delivery.headers {
        if name != "content-type" {
            request = request.header(name.as_str(), value.to_str().unwrap());
        }
    }
    let content_type = delivery.headers.get("content-type");
    let content_type = content_type.map_or("", |value| value.to_str().unwrap());
    request
        .body(content_type, delivery.body.clone())
        .send()
        .await
}
