//! A project among others.

use serde::Serialize;
use tappet_store::Project as ProjectRecord;
use utoipa::ToSchema;

use super::Time;
use crate::config::Config;

/// GitLab: `API::Entities::BasicProjectDetails`, the part that clients read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BasicProject<'a> {
    id: i64,
    description: &'a str,
    name: &'a str,
    name_with_namespace: String,
    path: &'a str,
    path_with_namespace: &'a str,
    created_at: Time,
    default_branch: Option<&'a str>,
    tag_list: [&'a str; 0],
    topics: [&'a str; 0],
    web_url: String,
    avatar_url: Option<&'a str>,
    forks_count: u32,
    star_count: u32,
    last_activity_at: Time,
    visibility: &'a str,
}

impl<'a> BasicProject<'a> {
    /// Shows a project.
    pub fn of(config: &Config, project: &'a ProjectRecord) -> Self {
        let (namespace, path) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
        Self {
            id: project.id.0,
            description: &project.description,
            name: &project.name,
            name_with_namespace: format!("{} / {}", namespace.replace('/', " / "), project.name),
            path,
            path_with_namespace: &project.path,
            created_at: Time(project.created_at),
            default_branch: project.default_branch.as_deref(),
            tag_list: [],
            topics: [],
            web_url: config.url(&format!("/{}", project.path)),
            avatar_url: None,
            forks_count: 0,
            star_count: 0,
            last_activity_at: Time(project.created_at),
            visibility: &project.visibility,
        }
    }
}
