//! One request for a page: who looks, at what, when.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::request::Parts;
use tappet_model::Timestamp;
use tappet_store::{Project, StoreError, User};

use super::assets;
use super::problem::{PageResult, Problem};
use super::session::session_user;
use crate::app::SharedApp;
use crate::clock;
use crate::rights::Right;

/// What all pages know.
pub struct Visit {
    /// The server.
    pub app: SharedApp,
    /// Who is signed in.
    pub user: Option<User>,
    /// One time for the whole page.
    pub now: Timestamp,
    /// Path and query below the prefix, to come back to after signing in.
    pub address: String,
}

impl Visit {
    /// Finds out who looks. When the store cannot say, the visit is one of nobody.
    pub async fn begin(app: SharedApp, parts: &Parts) -> Result<Self, (Self, StoreError)> {
        let address = parts
            .uri
            .path_and_query()
            .map_or("/", |both| both.as_str())
            .to_owned();
        let user = session_user(&app, &parts.headers).await;
        let mut visit = Self {
            app,
            user: None,
            now: clock::now(),
            address,
        };
        match user {
            Ok(user) => {
                visit.user = user;
                Ok(visit)
            }
            Err(error) => Err((visit, error)),
        }
    }

    /// A path for a link on a page: with the prefix in front. The home page of
    /// the prefix `/ci` is `/ci`.
    pub fn path(&self, path: &str) -> String {
        let prefix = self.app.config.path_prefix();
        let is_home = path == "/" || path.starts_with("/?");
        let path = if is_home && !prefix.is_empty() {
            &path[1..]
        } else {
            path
        };
        format!("{prefix}{path}")
    }

    /// A project that the visitor may see. One that exists but must not be seen
    /// looks as if it did not.
    pub async fn project(&self, path: &str) -> PageResult<Project> {
        let project = self.app.store.project_by_path(path).await?;
        if let Some(project) = project {
            let standing = self.app.standing(self.user.as_ref(), &project).await?;
            if standing.may(Right::ReadProject, &project) {
                return Ok(project);
            }
        }
        match self.user {
            Some(_) => Err(Problem::NotFound),
            None => Err(Problem::SignInFirst),
        }
    }

    /// The visitor may start, retry and cancel.
    pub async fn may_steer(&self, project: &Project) -> PageResult<bool> {
        let standing = self.app.standing(self.user.as_ref(), project).await?;
        Ok(standing.may(Right::SteerPipelines, project))
    }

    /// The visitor may change settings.
    pub async fn may_manage(&self, project: &Project) -> PageResult<bool> {
        let standing = self.app.standing(self.user.as_ref(), project).await?;
        Ok(standing.may(Right::ManageProject, project))
    }

    /// What the layout shows around a page.
    pub fn frame(&self, title: impl Into<String>) -> Frame {
        Frame {
            title: title.into(),
            prefix: self.app.config.path_prefix().to_owned(),
            home: self.path("/"),
            assets: self.path(&assets::folder()),
            username: self.user.as_ref().map(|user| user.username.clone()),
        }
    }
}

/// Filled into `layout.html`.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Of the window.
    pub title: String,
    /// Path prefix of every link.
    pub prefix: String,
    /// The home page.
    pub home: String,
    /// Folder of the assets, with the prefix.
    pub assets: String,
    /// Who is signed in.
    pub username: Option<String>,
}

/// A template as an answer.
pub fn html(template: &impl Template) -> PageResult<Response> {
    match template.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(error) => {
            tracing::error!(%error, "cannot render a page");
            Err(Problem::Broken)
        }
    }
}
