//! A project.

use serde::Serialize;
use tappet_store::{
    BuildsAccess, CiConfigName, Project as ProjectRecord, RepositorySource, VariablesRole,
};
use utoipa::ToSchema;

use super::Time;
use crate::config::Config;
use crate::rights::Role;

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
    default_branch: Option<String>,
    tag_list: Vec<&'a str>,
    topics: Vec<&'a str>,
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
}

/// GitLab: `API::Entities::Project`, the part that clients read, and
/// `ci_configs` of our own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Project<'a> {
    #[serde(flatten)]
    basic: BasicProject<'a>,
    #[serde(rename = "_links")]
    links: Links,
    empty_repo: bool,
    archived: bool,
    jobs_enabled: bool,
    builds_access_level: &'static str,
    public_jobs: bool,
    ci_config_path: &'a str,
    updated_at: Time,
    creator_id: i64,
    permissions: Permissions,
    ci_configs: Vec<CiConfig<'a>>,
    #[serde(flatten)]
    managed: Option<Managed<'a>>,
}

/// What GitLab shows to maintainers.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Managed<'a> {
    /// Addresses may hold passwords, and say where things lie on the server.
    import_url: &'a str,
    build_timeout: u64,
    ci_pipeline_variables_minimum_override_role: &'static str,
    restrict_user_defined_variables: bool,
    keep_latest_artifact: bool,
    auto_cancel_pending_pipelines: &'static str,
    ci_job_token_scope_enabled: bool,
    shared_runners_enabled: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
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

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    members: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Permissions {
    project_access: Option<AccessLevel>,
    group_access: Option<AccessLevel>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct AccessLevel {
    access_level: u32,
    notification_level: u32,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct CiConfig<'a> {
    id: i64,
    name: &'a str,
}

impl<'a> CiConfig<'a> {
    fn of(config: &'a CiConfigName) -> Self {
        Self {
            id: config.id.0,
            name: &config.name,
        }
    }
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
        facts: RepositoryFacts,
        role: Option<Role>,
    ) -> Self {
        let settings = &project.settings;
        let link = |rest: &str| config.url(&format!("/api/v4/projects/{}{rest}", project.id));
        let managed = (role >= Some(Role::Maintainer)).then(|| Managed {
            import_url: address(project),
            build_timeout: project.timeout_s,
            ci_pipeline_variables_minimum_override_role: variables_role(settings.variables_role),
            restrict_user_defined_variables: settings.variables_role != VariablesRole::Developer,
            keep_latest_artifact: !settings.drops_latest_artifact,
            auto_cancel_pending_pipelines: "disabled",
            ci_job_token_scope_enabled: false,
            shared_runners_enabled: true,
        });
        Self {
            basic: BasicProject::of(config, project, facts.default_branch, role),
            links: Links {
                this: link(""),
                members: link("/members"),
            },
            empty_repo: facts.is_empty,
            archived: settings.is_archived,
            jobs_enabled: settings.builds_access != BuildsAccess::Disabled,
            builds_access_level: match settings.builds_access {
                BuildsAccess::Disabled => "disabled",
                BuildsAccess::Private => "private",
                BuildsAccess::Enabled => "enabled",
            },
            public_jobs: !settings.hides_pipelines,
            ci_config_path: &project.ci_config_path,
            updated_at: Time(project.updated_at),
            creator_id: project.creator_id.0,
            permissions: Permissions {
                project_access: role.map(|role| AccessLevel {
                    access_level: role.level(),
                    notification_level: 3,
                }),
                group_access: None,
            },
            ci_configs: project.ci_configs.iter().map(CiConfig::of).collect(),
            managed,
        }
    }

    /// The shorter shape, for `simple=true`.
    pub fn basic(self) -> BasicProject<'a> {
        self.basic
    }
}

impl<'a> BasicProject<'a> {
    fn of(
        config: &Config,
        project: &'a ProjectRecord,
        default_branch: Option<String>,
        role: Option<Role>,
    ) -> Self {
        let (namespace, path) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
        let last_of_namespace = namespace.rsplit('/').next().unwrap_or(namespace);
        let address = (role >= Some(Role::Maintainer)).then(|| address(project));
        let is_http = |address: &&str| address.starts_with("http");
        Self {
            id: project.id.0,
            description: &project.description,
            name: &project.name,
            name_with_namespace: format!("{} / {}", namespace.replace('/', " / "), project.name),
            path,
            path_with_namespace: &project.path,
            created_at: Time(project.created_at),
            default_branch,
            tag_list: Vec::new(),
            topics: Vec::new(),
            ssh_url_to_repo: address.filter(|address| !is_http(address)),
            http_url_to_repo: address.filter(is_http),
            web_url: config.url(&format!("/{}", project.path)),
            readme_url: None,
            forks_count: 0,
            avatar_url: None,
            star_count: 0,
            last_activity_at: Time(project.updated_at),
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
        }
    }
}

fn address(project: &ProjectRecord) -> &str {
    match &project.source {
        RepositorySource::Local(path) => path,
        RepositorySource::Remote(url) => url,
    }
}

/// GitLab's word.
fn variables_role(role: VariablesRole) -> &'static str {
    match role {
        VariablesRole::Developer => "developer",
        VariablesRole::Maintainer => "maintainer",
        VariablesRole::Owner => "owner",
        VariablesRole::NoOneAllowed => "no_one_allowed",
    }
}
