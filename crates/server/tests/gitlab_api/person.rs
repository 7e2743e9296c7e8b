//! People other than root.

use tappet_model::{ProjectId, UserId};
use tappet_server::testing::{TestRequest, TestServer};
use tappet_store::Member;

/// GitLab's access levels.
pub const REPORTER: u32 = 20;
pub const DEVELOPER: u32 = 30;
pub const MAINTAINER: u32 = 40;

/// Somebody with an access token.
pub struct Person {
    pub id: UserId,
    pub token: String,
}

impl Person {
    /// Makes somebody who belongs to nothing.
    pub async fn new(server: &TestServer, username: &str) -> Self {
        let user = server.user(username).await;
        Self {
            id: UserId(user.id),
            token: user.token,
        }
    }

    /// Makes a member of a project.
    pub async fn member(server: &TestServer, username: &str, project: i64, level: u32) -> Self {
        let person = Self::new(server, username).await;
        person.join(server, project, level).await;
        person
    }

    /// Makes them a member of a project.
    pub async fn join(&self, server: &TestServer, project: i64, level: u32) {
        let member = Member {
            project_id: ProjectId(project),
            user_id: self.id,
            level,
            expires_at: None,
            created_by: None,
            created_at: tappet_server::clock::now(),
        };
        server.app().store.add_member(member).await.unwrap();
    }

    /// Takes their membership away.
    pub async fn leave(&self, server: &TestServer, project: i64) {
        let store = &server.app().store;
        store
            .remove_member(ProjectId(project), self.id, tappet_server::clock::now())
            .await
            .unwrap();
    }

    /// A request with their token.
    pub fn with(&self, request: TestRequest) -> TestRequest {
        request.header("private-token", &self.token)
    }
}
