//! `POST /projects`: a git repository becomes a project.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::RefName;
use tappet_store::{NewProject, StoreError, User};

use crate::api::gitlab::auth::{self, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::project::{Project, RepositoryFacts};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::SharedApp;
use crate::clock;
use crate::rights::{self, Role};

/// First segments that belong to the server itself.
const RESERVED: [&str; 3] = ["api", "ci", "-"];

/// Settings of GitLab that would change what runs and that cannot be set yet.
const UNSUPPORTED: [&str; 6] = [
    "namespace_id",
    "ci_config_path",
    "build_timeout",
    "initialize_with_readme",
    "template_name",
    "mirror",
];

const MAX_PATH_BYTES: usize = 255;
const MAX_DESCRIPTION_BYTES: usize = 10_000;

/// What the caller asked for.
struct Asked {
    path: String,
    name: String,
    description: String,
    import_url: String,
    default_branch: Option<String>,
    visibility: String,
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
        visibility: asked.visibility,
        creator_id: user.id,
        now: clock::now(),
    };
    let project = match app.store.create_project(new).await {
        Err(StoreError::Taken { .. }) => return Err(taken()),
        other => other?,
    };
    let facts = RepositoryFacts {
        default_branch: app.repositories.default_branch(&project, &repository).await,
        is_empty: repository.is_empty().await.unwrap_or(false),
    };
    let shown = Project::of(&app.config, &project, &facts, Some(Role::Owner));
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

fn taken() -> ApiError {
    ApiError::invalid("path", "has already been taken")
}

fn validated(call: &Call, user: &User) -> ApiResult<Asked> {
    let mut checks = call.checks();
    let path = checks.filled_text("path");
    let full_path = checks.filled_text("path_with_namespace");
    let name = checks.filled_text("name");
    let description = checks.text("description").unwrap_or_default();
    let import_url = checks.required_filled_text("import_url");
    let default_branch = checks.filled_text("default_branch");
    let visibility = checks.filled_text("visibility").unwrap_or("private".into());
    if path.is_none() && full_path.is_none() && name.is_none() {
        checks.refuse("name, path are missing, at least one parameter must be provided");
    }
    if !matches!(&*visibility, "private" | "internal" | "public") {
        checks.refuse("visibility does not have a valid value");
    }
    checks.finish()?;
    if let Some(unsupported) = UNSUPPORTED
        .iter()
        .find(|name| call.params.contains_key(**name))
    {
        return Err(ApiError::bad_request(format!(
            "{unsupported} cannot be set on this server yet; leave it out"
        )));
    }
    if description.len() > MAX_DESCRIPTION_BYTES {
        return Err(ApiError::invalid(
            "description",
            "is too long (maximum is 10000 bytes)",
        ));
    }
    let path = match full_path.or(path) {
        Some(path) => path.into_owned(),
        None => slug(name.as_deref().unwrap_or_default()),
    };
    let path = full(path, user)?;
    let name = match name {
        Some(name) => checked_name(&name)?,
        None => path.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    Ok(Asked {
        path,
        name,
        description: description.into_owned(),
        import_url: import_url.into_owned(),
        default_branch: default_branch.as_deref().map(checked_branch).transpose()?,
        visibility: visibility.into_owned(),
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

/// Puts a path of one segment under the user's name, and checks all segments.
fn full(path: String, user: &User) -> ApiResult<String> {
    let path = if path.contains('/') {
        path
    } else {
        format!("{}/{path}", user.username)
    };
    let refuse = |text: &str| Err(ApiError::invalid("path", text));
    if path.len() > MAX_PATH_BYTES {
        return refuse("is too long (maximum is 255 characters)");
    }
    let mut segments = path.split('/');
    if !segments.clone().all(is_segment) {
        return refuse(
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or '.', \
             end in '.git', '.atom' or '.', or hold an empty part.",
        );
    }
    let first = segments.next().unwrap_or_default().to_ascii_lowercase();
    if RESERVED.contains(&first.as_str()) || first.starts_with("depot.") {
        return refuse(&format!("{first} is a reserved name"));
    }
    Ok(path)
}

fn is_segment(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase();
    !segment.is_empty()
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !segment.starts_with(['-', '.'])
        && ![".git", ".atom", "."]
            .iter()
            .any(|end| lower.ends_with(end))
}

fn checked_name(name: &str) -> ApiResult<String> {
    if name.len() > 255 {
        return Err(ApiError::invalid(
            "name",
            "is too long (maximum is 255 characters)",
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(ApiError::invalid("name", "cannot hold control characters"));
    }
    Ok(name.to_owned())
}

fn checked_branch(branch: &str) -> ApiResult<String> {
    match RefName::new(branch) {
        Ok(name) => Ok(name.split().1.to_owned()),
        Err(error) => Err(ApiError::invalid("default_branch", error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{Timestamp, UserId};

    use super::*;

    fn root() -> User {
        User {
            id: UserId(1),
            username: "root".into(),
            name: "Administrator".into(),
            email: String::new(),
            is_admin: true,
            is_blocked: false,
            created_at: Timestamp(0),
        }
    }

    #[rstest]
    #[case("acme/web", Some("acme/web"))]
    #[case("a/b/c.d_e-f", Some("a/b/c.d_e-f"))]
    #[case("web", Some("root/web"))]
    #[case("apis/web", Some("apis/web"))]
    #[case("api/web", None)]
    #[case("CI/web", None)]
    #[case("depot.ci.v1/web", None)]
    #[case("-/web", None)]
    #[case("acme/", None)]
    #[case("/acme", None)]
    #[case("acme//web", None)]
    #[case("acme/../web", None)]
    #[case("acme/-web", None)]
    #[case("acme/web.git", None)]
    #[case("acme/we b", None)]
    #[case("acme/wéb", None)]
    fn paths_are_plain(#[case] asked: &str, #[case] expected: Option<&str>) {
        assert_eq!(full(asked.to_owned(), &root()).ok().as_deref(), expected);
    }

    #[rstest]
    #[case("My App", "my-app")]
    #[case("  Über  App! ", "ber-app")]
    #[case("web.", "web")]
    fn a_name_makes_a_path(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(slug(name), expected);
    }
}
