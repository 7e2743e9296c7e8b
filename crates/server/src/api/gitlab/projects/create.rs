//! `POST /projects`: a git repository becomes a project.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_store::{NewProject, ProjectChange, StoreError, User};

use super::attributes::{self, Visibility, checked_branch, checked_description, checked_name};
use super::ci_settings::CiSettings;
use super::path::{full_path, taken};
use crate::api::gitlab::auth::{self, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::project::{Project, RepositoryFacts};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Operation, text};
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::clock;
use crate::rights::{self, Role};

/// What `POST /projects` takes and gives.
pub fn operation() -> Operation {
    let named = operation::post("/projects")
        .id("createProject")
        .about("Makes a project of a git repository.")
        .body(text("path").about("May hold slashes; one part alone goes below the caller's name."))
        .body(text("path_with_namespace"))
        .body(text("name"))
        .body(
            text("import_url")
                .required()
                .about("Any address that git can fetch, or an absolute path."),
        )
        .body(text("description"))
        .body(text("default_branch"));
    attributes::with_settings(named).replies::<Project<'_>>(StatusCode::CREATED)
}

/// What the caller asked for.
struct Asked {
    path: String,
    name: String,
    description: String,
    import_url: String,
    default_branch: Option<String>,
    visibility: Visibility,
    ci: CiSettings,
}

/// `POST /projects`.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
    let user = caller.require_user()?;
    let asked = validated(&call, user)?;
    if !rights::can_create_project(user) {
        return Err(ApiError::forbidden());
    }
    if app.store.project_by_path(&asked.path).await?.is_some() {
        return Err(taken());
    }
    let (source, repository) = app
        .repositories
        .check(&asked.import_url)
        .await
        .map_err(|message| ApiError::invalid("import_url", message))?;
    let new = NewProject {
        path: asked.path,
        name: asked.name,
        description: asked.description,
        source,
        default_branch: asked.default_branch,
        visibility: asked.visibility.as_str().to_owned(),
        creator_id: user.id,
        now: clock::now(),
    };
    let project = match app.store.create_project(new).await {
        Err(StoreError::Taken { .. }) => return Err(taken()),
        other => other?,
    };
    let change = ProjectChange {
        ci_config_path: asked.ci.config_path.clone(),
        timeout_s: asked
            .ci
            .timeout_s
            .and_then(|seconds| seconds.try_into().ok()),
        settings: Some(asked.ci.applied_to(project.settings.clone())),
        ..ProjectChange::default()
    };
    let is_plain = change.ci_config_path.is_none()
        && change.timeout_s.is_none()
        && change.settings.as_ref() == Some(&project.settings);
    let project = if is_plain {
        project
    } else {
        app.store
            .update_project(project.id, change, clock::now())
            .await?
    };
    let entry = Entry::new("project_created", Some(user.id))
        .credential(caller.credential())
        .project(project.id)
        .details(json!({ "path": project.path }));
    app.audit(entry).await;
    let facts = RepositoryFacts {
        default_branch: app.repositories.default_branch(&project, &repository).await,
        is_empty: repository.is_empty().await.unwrap_or(false),
    };
    let shown = Project::of(&app.config, &project, facts, Some(Role::Owner));
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

fn validated(call: &Call, user: &User) -> ApiResult<Asked> {
    let mut checks = call.checks();
    let path = checks.filled_text("path");
    let whole = checks.filled_text("path_with_namespace");
    let name = checks.filled_text("name");
    let description = checks.text("description").unwrap_or_default();
    let import_url = checks.required_filled_text("import_url");
    let default_branch = checks.filled_text("default_branch");
    let visibility = checks.one_of("visibility").unwrap_or(Visibility::Private);
    let ci = CiSettings::read(&mut checks);
    if path.is_none() && whole.is_none() && name.is_none() {
        checks.refuse("name, path are missing, at least one parameter must be provided");
    }
    checks.finish()?;
    attributes::refuse_unsupported(call)?;
    ci.validate()?;
    let path = match whole.or(path) {
        Some(path) => path.into_owned(),
        None => slug(name.as_deref().unwrap_or_default()),
    };
    let path = full_path(path, user)?;
    let name = match name {
        Some(name) => checked_name(&name)?,
        None => path.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    Ok(Asked {
        path,
        name,
        description: checked_description(&description)?,
        import_url: import_url.into_owned(),
        default_branch: default_branch.as_deref().map(checked_branch).transpose()?,
        visibility,
        ci,
    })
}

/// GitLab's way from a name to a path, close enough: `My App` → `my-app`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.trim().chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '/') {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("My App", "my-app")]
    #[case("  Über  App! ", "ber-app")]
    #[case("web.", "web")]
    fn a_name_makes_a_path(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(slug(name), expected);
    }
}
