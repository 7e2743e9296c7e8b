//! What version 3 shows of records (GitLab: `lib/api/v3/entities.rb`).

use serde::Serialize;
use serde_json::{Map, Value};
use tappet_model::Timestamp;
use tappet_store::{Project as ProjectRecord, RepositorySource, Trigger as TriggerRecord, User};
use utoipa::ToSchema;

use crate::api::gitlab::entities::Time;
use crate::api::gitlab::entities::user_basic::UserBasic;
use crate::config::Config;
use crate::rights::Role;

/// A trigger that was fired. Its id is that of the run, so that a script can go
/// on to watch it; GitLab counted requests apart.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriggerRequest {
    /// Of the run.
    pub id: i64,
    /// As given.
    #[schema(value_type = Object)]
    pub variables: Map<String, Value>,
}

/// A trigger, known by its token.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = V3Trigger)]
pub struct Trigger<'a> {
    token: String,
    created_at: Time,
    updated_at: Time,
    deleted_at: Option<Time>,
    last_used: Option<Time>,
    owner: Option<UserBasic<'a>>,
}

impl<'a> Trigger<'a> {
    /// Shows a trigger; `token` is whole only for its owner and administrators.
    pub fn of(
        config: &Config,
        trigger: &TriggerRecord,
        token: String,
        owner: Option<&'a User>,
        deleted_at: Option<Timestamp>,
    ) -> Self {
        Self {
            token,
            created_at: Time(trigger.created_at),
            updated_at: Time(deleted_at.unwrap_or(trigger.updated_at)),
            deleted_at: deleted_at.map(Time),
            last_used: trigger.last_used_at.map(Time),
            owner: owner.map(|owner| UserBasic::of(config, owner)),
        }
    }
}

/// A project; what Tappet has nothing of is off.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = V3Project)]
pub struct Project<'a> {
    id: i64,
    description: &'a str,
    default_branch: Option<String>,
    tag_list: Vec<&'a str>,
    public: bool,
    archived: bool,
    visibility_level: u32,
    ssh_url_to_repo: Option<&'a str>,
    http_url_to_repo: Option<&'a str>,
    web_url: String,
    name: &'a str,
    name_with_namespace: String,
    path: &'a str,
    path_with_namespace: &'a str,
    container_registry_enabled: bool,
    issues_enabled: bool,
    merge_requests_enabled: bool,
    wiki_enabled: bool,
    builds_enabled: bool,
    snippets_enabled: bool,
    created_at: Time,
    last_activity_at: Time,
    shared_runners_enabled: bool,
    lfs_enabled: bool,
    creator_id: i64,
    namespace: Namespace<'a>,
    avatar_url: Option<&'a str>,
    star_count: u32,
    forks_count: u32,
    public_builds: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = V3Namespace)]
struct Namespace<'a> {
    id: Option<i64>,
    name: &'a str,
    path: &'a str,
    kind: &'static str,
    full_path: &'a str,
}

impl<'a> Project<'a> {
    /// Shows a project to somebody with this role; addresses of repositories may
    /// hold passwords and are for maintainers.
    pub fn of(
        config: &Config,
        project: &'a ProjectRecord,
        default_branch: Option<String>,
        role: Option<Role>,
    ) -> Self {
        let (namespace, path) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
        let last_of_namespace = namespace.rsplit('/').next().unwrap_or(namespace);
        let (RepositorySource::Local(address) | RepositorySource::Remote(address)) =
            &project.source;
        let address = (role >= Some(Role::Maintainer)).then_some(address.as_str());
        let is_http = |address: &&str| address.starts_with("http");
        Self {
            id: project.id.0,
            description: &project.description,
            default_branch,
            tag_list: Vec::new(),
            public: project.visibility == "public",
            archived: project.settings.is_archived,
            visibility_level: visibility_level(&project.visibility),
            ssh_url_to_repo: address.filter(|address| !is_http(address)),
            http_url_to_repo: address.filter(is_http),
            web_url: config.url(&format!("/{}", project.path)),
            name: &project.name,
            name_with_namespace: format!("{} / {}", namespace.replace('/', " / "), project.name),
            path,
            path_with_namespace: &project.path,
            container_registry_enabled: false,
            issues_enabled: false,
            merge_requests_enabled: false,
            wiki_enabled: false,
            builds_enabled: true,
            snippets_enabled: false,
            created_at: Time(project.created_at),
            last_activity_at: Time(project.created_at),
            shared_runners_enabled: true,
            lfs_enabled: false,
            creator_id: project.creator_id.0,
            namespace: Namespace {
                id: None,
                name: last_of_namespace,
                path: last_of_namespace,
                kind: "group",
                full_path: namespace,
            },
            avatar_url: None,
            star_count: 0,
            forks_count: 0,
            public_builds: !project.settings.hides_pipelines,
        }
    }
}

/// GitLab: `Gitlab::VisibilityLevel`.
fn visibility_level(visibility: &str) -> u32 {
    match visibility {
        "public" => 20,
        "internal" => 10,
        _ => 0,
    }
}
