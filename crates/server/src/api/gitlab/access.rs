//! Who calls, and GitLab's answers to those who may not. What a person may do
//! at all is decided in [`crate::rights`].

use http::StatusCode;
use tappet_model::ProjectId;
use tappet_store::{Project, Run, StoreError};

use super::auth::{self, Caller, JobTokens};
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::rights::{Role, can_read_project, role_of};

/// A user, or nobody, in front of a project.
#[derive(Clone, Debug)]
pub struct Access {
    /// Which project.
    pub project: Project,
    /// Who.
    pub caller: Caller,
    /// As what.
    pub role: Option<Role>,
}

impl Access {
    fn new(project: Project, caller: Caller) -> Self {
        let role = caller
            .user
            .as_ref()
            .and_then(|user| role_of(user, &project));
        Self {
            project,
            caller,
            role,
        }
    }

    fn has(&self, role: Role) -> bool {
        self.role.is_some_and(|own| own >= role)
    }

    /// 403 unless the caller may start, retry and cancel.
    pub fn require_develop(&self) -> ApiResult<()> {
        allowed(self.has(Role::Developer))
    }

    /// 403 unless the caller may manage the project's settings.
    pub fn require_maintain(&self) -> ApiResult<()> {
        allowed(self.has(Role::Maintainer))
    }

    /// 403 unless the caller may see the values that a run was started with.
    pub fn require_read_variables(&self, run: &Run) -> ApiResult<()> {
        let started_it = self.caller.user.as_ref().map(|user| user.id) == Some(run.user_id);
        allowed(self.has(Role::Maintainer) || (started_it && self.has(Role::Developer)))
    }

    /// Whether the caller sees the whole token of a trigger of this owner.
    pub fn sees_token_of(&self, owner: tappet_model::UserId) -> bool {
        self.caller
            .user
            .as_ref()
            .is_some_and(|user| user.is_admin || user.id == owner)
    }
}

fn allowed(yes: bool) -> ApiResult<()> {
    if yes {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}

/// Whether a route wants to know who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Login {
    /// 401 for anybody without a credential, on public projects too.
    Required,
    /// Public projects answer to anybody.
    Optional,
}

/// The project of `:id`, for a caller who may see it; else 401 or 404.
pub async fn open_project(
    app: &SharedApp,
    call: &Call,
    login: Login,
    jobs: JobTokens,
) -> ApiResult<Access> {
    let caller = auth::authenticate(app, call, jobs).await?;
    if login == Login::Required {
        caller.require_user()?;
    }
    let project = find_project(app, call.path("id")).await?;
    let project = project
        .filter(|project| can_read_project(caller.user.as_ref(), project))
        .ok_or_else(|| ApiError::missing("Project"))?;
    if let Some(job) = &caller.job
        && job.project_id != project.id
    {
        return Err(foreign_job(app, job.project_id, &project).await?);
    }
    Ok(Access::new(project, caller))
}

async fn foreign_job(app: &App, from: ProjectId, to: &Project) -> ApiResult<ApiError> {
    let from = app.store.project(from).await?;
    let from = from.map_or_else(String::new, |project| project.path);
    Ok(ApiError::message(
        StatusCode::FORBIDDEN,
        format!(
            "403 Forbidden - Authentication by CI/CD job token not allowed from {from} to project #{}.",
            to.id
        ),
    ))
}

/// A project by number or by full path (decoded already).
pub async fn find_project(app: &App, id: &str) -> Result<Option<Project>, StoreError> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return match id.parse() {
            Ok(id) => app.store.project(id).await,
            Err(_) => Ok(None),
        };
    }
    if id.contains('/') {
        return app.store.project_by_path(id).await;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{Timestamp, UserId};
    use tappet_store::RepositorySource;

    use super::*;
    use crate::rights::can_run;
    use tappet_store::User;

    fn user(id: i64, is_admin: bool) -> User {
        User {
            id: UserId(id),
            username: format!("user{id}"),
            name: format!("User {id}"),
            email: String::new(),
            is_admin,
            is_blocked: false,
            created_at: Timestamp(0),
        }
    }

    fn project(visibility: &str) -> Project {
        Project {
            id: ProjectId(1),
            path: "acme/web".into(),
            name: "web".into(),
            description: String::new(),
            source: RepositorySource::Local("/srv/web".into()),
            default_branch: None,
            visibility: visibility.into(),
            creator_id: UserId(2),
            ci_config_path: ".gitlab-ci.yml".into(),
            timeout_s: 3600,
            ci_config_id: 1,
            created_at: Timestamp(0),
        }
    }

    fn access(user: User) -> Access {
        let caller = Caller {
            user: Some(user),
            ..Caller::default()
        };
        Access::new(project("private"), caller)
    }

    #[rstest]
    #[case("private", [false, false, true, true])]
    #[case("internal", [false, true, true, true])]
    #[case("public", [true, true, true, true])]
    fn visibility_decides_who_sees_a_project(
        #[case] visibility: &str,
        #[case] expected: [bool; 4],
    ) {
        let project = project(visibility);
        let [stranger, creator, admin] = [user(3, false), user(2, false), user(1, true)];
        let seen = [None, Some(&stranger), Some(&creator), Some(&admin)]
            .map(|user| can_read_project(user, &project));
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_trigger_token_shows_whole_to_its_owner_and_administrators_only() {
        let owner = UserId(3);
        assert!(access(user(3, false)).sees_token_of(owner));
        assert!(access(user(1, true)).sees_token_of(owner));
        assert!(!access(user(2, false)).sees_token_of(owner));
    }

    #[test]
    fn who_has_no_role_changes_nothing() {
        let stranger = access(user(3, false));
        assert!(stranger.require_develop().is_err() && stranger.require_maintain().is_err());
        let creator = access(user(2, false));
        assert!(creator.require_develop().is_ok() && creator.require_maintain().is_ok());
    }

    #[test]
    fn a_blocked_user_starts_nothing() {
        let mut owner = user(2, false);
        assert!(can_run(&owner, &project("private")));
        owner.is_blocked = true;
        assert!(!can_run(&owner, &project("private")));
        assert!(!can_run(&user(3, false), &project("public")));
    }
}
