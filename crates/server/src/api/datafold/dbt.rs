//! What dbt left behind, from Datafold's clients: uploads, whether they are there, and
//! the primary keys that a manifest tells.

mod archive;
mod primary_keys;
mod upload;

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::open_config;
use super::call::{Call, Head, unread};
use super::caller::{Reach, identify};
use super::json::Json as Value;
use super::refusal::{Refused, Reply};
use super::validation::{Checks, Place, Problem};
use crate::api::operation::{self, one_of, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::rights::Right;
use crate::whole_body;

use primary_keys::{KeyOfTable, keys_of};

/// What a build of dbt was for.
const RUN_TYPES: &[&str] = &["production", "pull_request"];

/// Characters of a commit, a branch or a key.
const LONGEST_NAME: usize = 1024;

/// All of it.
pub fn routes() -> Routes {
    let dbt = Routes::under("/api/v1/dbt")
        .add(
            operation::post("/submit_artifacts/{ci_config_id}")
                .id("submitDbtArtifacts")
                .about("Keeps the target folder of dbt as a zip archive; one of a pull request lets its waiting runs go.")
                .body(text("commit_sha").required().about("Of which commit."))
                .body(one_of("run_type", RUN_TYPES).required().about("What dbt was run for."))
                .body(text("run_id").about("Links the two uploads of a pull request."))
                .body(text("artifacts").required().about("The archive, as a file."))
                .replies::<Outcome>(StatusCode::OK),
            upload::submit,
        )
        .add(
            operation::post("/post_upload_check_artifacts/{ci_config_id}")
                .id("checkDbtArtifacts")
                .about("Tells whether artifacts of a commit are there.")
                .body(text("commit_sha").required().about("Of which commit."))
                .body(one_of("run_type", RUN_TYPES).required().about("What dbt was run for."))
                .body(text("branch").about("Looked at by nobody: a commit is enough."))
                .replies::<Outcome>(StatusCode::OK),
            check,
        );
    let internal = Routes::under("/api/internal").add(
        operation::post("/ci/{ci_config_id}/check_pks_in_dbt_manifest")
            .id("checkDbtPrimaryKeys")
            .about("Tells the primary keys that a manifest of dbt knows.")
            .body_bytes("application/json")
            .replies_list::<KeyOfTable>(StatusCode::OK),
        check_primary_keys,
    );
    dbt.and(internal)
}

/// Whether it went well; clients know only `ok`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Outcome {
    /// `ok`, or `missing`.
    status: &'static str,
}

/// `dbt check-post-upload-dbt-artifacts`.
async fn check(State(app): State<SharedApp>, call: Call) -> Reply<Json<Outcome>> {
    let caller = identify(&app, &call, Reach::Reads).await?;
    let mut checks = Checks::default();
    let config = call.path_integer(&mut checks, "ci_config_id");
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(call.bytes())
        .into_owned()
        .collect();
    let form = Form::read(&mut checks, &pairs);
    checks.finish()?;
    let (access, config) = open_config(&app, &caller, &config).await?;
    access.require(Right::ReadPipelines)?;
    let upload = app
        .store
        .dbt_upload(config.id, form.commit_sha, form.run_type.to_owned())
        .await?;
    let is_there = match upload {
        Some(upload) => app.dbt_files.holds(&upload.sha256).await,
        None => false,
    };
    let status = if is_there { "ok" } else { "missing" };
    Ok(Json(Outcome { status }))
}

/// What goes with a file, or asks for it.
struct Form {
    commit_sha: String,
    run_type: &'static str,
    run_key: Option<String>,
}

impl Form {
    /// Of fields, of which the last one of a name counts.
    fn read(checks: &mut Checks, fields: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let mut named = fields.iter().rev().filter(|(key, _)| key == name);
            named.next().map(|(_, value)| Value::Text(value.clone()))
        };
        let place = |name: &str| Place::body().field(name);
        let mut required = |name: &str| {
            let value = value(name);
            if value.is_none() {
                checks.missing(place(name));
            }
            value
        };
        let (commit_sha, run_type) = (required("commit_sha"), required("run_type"));
        Self {
            commit_sha: commit_sha
                .map(|value| checks.filled_text(place("commit_sha"), &value, LONGEST_NAME))
                .unwrap_or_default(),
            run_type: run_type
                .and_then(|value| checks.one_of(place("run_type"), &value, RUN_TYPES))
                .unwrap_or_default(),
            run_key: value("run_id")
                .map(|value| checks.text(place("run_id"), &value, LONGEST_NAME)),
        }
    }
}

/// `dbt check-primary-keys`: the manifest as it is, without a content type.
async fn check_primary_keys(
    State(app): State<SharedApp>,
    request: Request,
) -> Reply<Json<Vec<KeyOfTable>>> {
    let (mut parts, body) = request.into_parts();
    let head = Head::from_request_parts(&mut parts, &app).await?;
    if let Err(refused) = may_look(&app, &head).await {
        whole_body::discard(&head.headers, body).await;
        return Err(refused);
    }
    let limit = usize::try_from(app.config.limits.dbt_manifest_bytes).unwrap_or(usize::MAX);
    let manifest = whole_body::read(&head.headers, body, limit).await;
    let manifest = manifest.map_err(|error| unread(error, limit))?;
    let keys = tokio::task::spawn_blocking(move || keys_of(&manifest)).await;
    let keys = keys.map_err(|error| Refused::broken("reading a manifest", error))?;
    let keys = keys.map_err(|error| {
        let text = format!("the body is no manifest of dbt: {error}");
        Refused::invalid(vec![Problem::value(Place::body(), text, &Value::Null)])
    })?;
    Ok(Json(keys))
}

async fn may_look(app: &SharedApp, head: &Head) -> Reply<()> {
    let caller = identify(app, head, Reach::Reads).await?;
    let mut checks = Checks::default();
    let config = head.path_integer(&mut checks, "ci_config_id");
    checks.finish()?;
    let (access, _) = open_config(app, &caller, &config).await?;
    access.require(Right::ReadPipelines)
}
