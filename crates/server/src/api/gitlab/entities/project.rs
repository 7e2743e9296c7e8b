//! A project.

use serde::Serialize;
use tappet_store::{Project as ProjectRecord, RepositorySource};

use super::Time;
use crate::config::Config;
use crate::rights::Role;

/// GitLab: `API::Entities::Project`, the part that clients read, and
/// `ci_configs` of our own.
#[derive(Clone, Debug, Serialize)]
pub struct Project<'a> {
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
    ssh_url_to_repo: Option<&'a str>,
    http_url_to_repo: Option<&'a str>,
    web_url: String,
    readme_url: Option<&'a str>,
    forks_count: u32,
    avatar_url: Option<&'a str>,
    star_count: u32,
    last_activity_at: Time,
    visibility: &'a str,
    namespace: Namespace<'a>,
    #[serde(rename = "_links")]
    links: Links,
    empty_repo: bool,
    archived: bool,
    jobs_enabled: bool,
    builds_access_level: &'static str,
    public_jobs: bool,
    ci_config_path: &'a str,
    build_timeout: u64,
    import_url: Option<&'a str>,
    creator_id: i64,
    permissions: Permissions,
    ci_configs: [CiConfig; 1],
}

#[derive(Clone, Debug, Serialize)]
struct Namespace<'a> {
    id: Option<i64>,
    name: &'a str,
    path: &'a str,
    kind: &'static str,
    full_path: &'a str,
    parent_id: Option<i64>,
    avatar_url: Option<&'a str>,
    web_url: String,
}

#[derive(Clone, Debug, Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
}

#[derive(Clone, Debug, Serialize)]
struct Permissions {
    project_access: Option<AccessLevel>,
    group_access: Option<AccessLevel>,
}

#[derive(Clone, Debug, Serialize)]
struct AccessLevel {
    access_level: u32,
    notification_level: u32,
}

#[derive(Clone, Debug, Serialize)]
struct CiConfig {
    id: i64,
    name: &'static str,
}

/// What only the repository knows.
#[derive(Clone, Debug, Default)]
pub struct RepositoryFacts {
    /// Set on the project, else HEAD of the repository.
    pub default_branch: Option<String>,
    /// There is no commit yet.
    pub is_empty: bool,
}

impl<'a> Project<'a> {
    /// Shows a project to somebody with this role.
    pub fn of(
        config: &Config,
        project: &'a ProjectRecord,
        facts: &'a RepositoryFacts,
        role: Option<Role>,
    ) -> Self {
        let (namespace, path) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
        let last_of_namespace = namespace.rsplit('/').next().unwrap_or(namespace);
        let address = match &project.source {
            RepositorySource::Local(path) => path,
            RepositorySource::Remote(url) => url,
        };
        // Addresses may hold passwords, and say where things lie on the server.
        let address = (role >= Some(Role::Maintainer)).then_some(address.as_str());
        let is_http = |address: &&str| address.starts_with("http");
        Self {
            id: project.id.0,
            description: &project.description,
            name: &project.name,
            name_with_namespace: format!("{} / {}", namespace.replace('/', " / "), project.name),
            path,
            path_with_namespace: &project.path,
            created_at: Time(project.created_at),
            default_branch: facts.default_branch.as_deref(),
            tag_list: [],
            topics: [],
            ssh_url_to_repo: address.filter(|address| !is_http(address)),
            http_url_to_repo: address.filter(is_http),
            web_url: config.url(&format!("/{}", project.path)),
            readme_url: None,
            forks_count: 0,
            avatar_url: None,
            star_count: 0,
            last_activity_at: Time(project.created_at),
            visibility: &project.visibility,
            namespace: Namespace {
                id: None,
                name: last_of_namespace,
                path: last_of_namespace,
                kind: "group",
                full_path: namespace,
                parent_id: None,
                avatar_url: None,
                web_url: config.url(&format!("/{namespace}")),
            },
            links: Links {
                this: config.url(&format!("/api/v4/projects/{}", project.id)),
            },
            empty_repo: facts.is_empty,
            archived: false,
            jobs_enabled: true,
            builds_access_level: "enabled",
            public_jobs: true,
            ci_config_path: &project.ci_config_path,
            build_timeout: project.timeout_s,
            import_url: address,
            creator_id: project.creator_id.0,
            permissions: Permissions {
                project_access: role.map(|role| AccessLevel {
                    access_level: role.level(),
                    notification_level: 3,
                }),
                group_access: None,
            },
            ci_configs: [CiConfig {
                id: project.ci_config_id,
                name: "default",
            }],
        }
    }
}
