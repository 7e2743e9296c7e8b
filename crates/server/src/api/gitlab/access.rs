//! Who calls, and GitLab's answers to those who may not. What a person may do
//! at all is decided in [`crate::rights`].

use http::{Method, StatusCode};
use tappet_model::{ProjectId, UserId};
use tappet_store::{Project, ProtectedRef, Run, StoreError};

use super::auth::{self, Caller, JobTokens};
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::rights::{Right, Role, Standing, reads_run_values};

/// A user, or nobody, in front of a project.
#[derive(Clone, Debug)]
pub struct Access {
    /// Which project.
    pub project: Project,
    /// Who.
    pub caller: Caller,
    /// As what.
    pub standing: Standing,
}

impl Access {
    /// Whether the caller may do something here.
    pub fn may(&self, right: Right) -> bool {
        self.standing.may(right, &self.project)
    }

    /// 403 unless the caller may do something here.
    pub fn require(&self, right: Right) -> ApiResult<()> {
        allowed(self.may(right))
    }

    /// 403 unless the caller may run and steer on the ref of a run.
    pub async fn require_use_of(&self, app: &App, run: &Run) -> ApiResult<()> {
        let standing = Some(&self.standing);
        allowed(
            app.may_run_on(standing, &self.project, run.ref_kind, &run.ref_name)
                .await?,
        )
    }

    /// 403 unless the caller may see the values that a run was started with.
    pub fn require_read_variables(&self, run: &Run) -> ApiResult<()> {
        allowed(reads_run_values(&self.standing, &self.project, run))
    }

    /// Whether the caller may push to a branch that these rules protect.
    pub fn pushes(&self, rules: &[&ProtectedRef]) -> bool {
        let levels = rules
            .iter()
            .filter_map(|rule| Role::of_level(rule.push_level));
        let mut roles = levels.map(|role| self.standing.is(role));
        let is_open = rules.is_empty() && self.standing.is(Role::Developer);
        is_open || self.standing.is_admin || roles.any(|holds| holds)
    }

    /// Whether the caller sees the whole token of a trigger of this owner.
    pub fn sees_token_of(&self, owner: Option<UserId>) -> bool {
        let own = owner.is_some() && self.standing.user_id == owner;
        own || self.standing.is_admin
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

/// The project of `:id`, for a caller who may see it; else 401 or 404. For calls
/// without parameters, and for those few of which GitLab opens the project before
/// it validates them: webhooks, variables, and what a repository holds.
pub async fn open_project(
    app: &SharedApp,
    call: &Call,
    login: Login,
    jobs: JobTokens,
) -> ApiResult<Access> {
    let caller = authenticated(app, call, login, jobs).await?;
    opened(app, call, caller).await
}

/// The same for a call whose parameters were checked: what is wrong with them, or
/// with the numbers in the address, is told after a missing login and before
/// anything about the project.
pub async fn open_checked(
    app: &SharedApp,
    call: &Call,
    login: Login,
    jobs: JobTokens,
    checked: ApiResult<()>,
) -> ApiResult<Access> {
    let caller = authenticated(app, call, login, jobs).await?;
    call.require_numbers()?;
    checked?;
    opened(app, call, caller).await
}

async fn authenticated(
    app: &SharedApp,
    call: &Call,
    login: Login,
    jobs: JobTokens,
) -> ApiResult<Caller> {
    let caller = auth::authenticate(app, call, jobs).await?;
    if login == Login::Required {
        caller.require_user()?;
    }
    Ok(caller)
}

async fn opened(app: &SharedApp, call: &Call, caller: Caller) -> ApiResult<Access> {
    let asked = call.path("id");
    let project = find_project(app, asked).await?;
    let project = project.ok_or_else(|| ApiError::missing("Project"))?;
    let standing = app.standing(caller.user.as_ref(), &project).await?;
    if !standing.may(Right::ReadProject, &project) {
        return Err(ApiError::missing("Project"));
    }
    if asked.contains('/') && !asked.eq_ignore_ascii_case(&project.path) {
        return Err(moved(app, call, &project));
    }
    if let Some(job) = &caller.job
        && !app.lets_jobs_in(&project, job.project_id).await?
    {
        return Err(foreign_job(app, job.project_id, &project).await?);
    }
    Ok(Access {
        project,
        caller,
        standing,
    })
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

/// The answer to a call with the path that a project had before it was renamed:
/// reading leads to the number, changing does not.
fn moved(app: &App, call: &Call, project: &Project) -> ApiError {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return ApiError::message(
            StatusCode::METHOD_NOT_ALLOWED,
            "Non GET methods are not allowed for moved projects",
        );
    }
    let path = call.uri.path();
    // `/api/v4/projects/acme%2Fweb/…`
    let mut segments = path.splitn(6, '/');
    let version = segments.nth(2).unwrap_or("v4");
    let rest = segments
        .nth(2)
        .map_or(String::new(), |rest| format!("/{rest}"));
    let query = call
        .uri
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    let to = format!("/api/{version}/projects/{}{rest}{query}", project.id);
    ApiError::moved(app.config.url(&to))
}

/// A project by number, by full path (decoded already), or by a path that it had
/// before.
pub async fn find_project(app: &App, id: &str) -> Result<Option<Project>, StoreError> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return match id.parse() {
            Ok(id) => app.store.project(id).await,
            Err(_) => Ok(None),
        };
    }
    if id.contains('/') {
        return app.store.project_by_any_path(id).await;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_token_shows_whole_to_its_owner_and_administrators_only() {
        let access = |id: i64, is_admin: bool| Access {
            project: Project::example("acme/web"),
            caller: Caller::default(),
            standing: Standing {
                user_id: Some(UserId(id)),
                is_admin,
                ..Standing::default()
            },
        };
        let owner = Some(UserId(3));
        assert!(access(3, false).sees_token_of(owner));
        assert!(access(1, true).sees_token_of(owner));
        assert!(!access(2, false).sees_token_of(owner));
        assert!(!access(2, false).sees_token_of(None));
    }
}
