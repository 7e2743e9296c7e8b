//! Tappet's own calls for the forge of a project: where its pull requests are
//! discussed, and what came from there.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_forge::answer::{Api, BadBinding, api_url};
use tappet_model::ForgeKind;
use tappet_store::ForgeBinding;

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::forge::{Delivery, Forge};
use super::errors::{ApiError, ApiResult};
use super::field_errors::FieldErrors;
use super::pagination::{self, Pages};
use crate::api::operation::{self, Shape, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;
use crate::forge::binding;
use crate::outgoing::check_url;
use crate::rights::Right;

/// The longest secret of a webhook, in bytes.
const MAX_SECRET_BYTES: usize = 255;

/// The binding and what came in.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/forge")
                .id("getForge")
                .about("Shows where the pull requests of a project are discussed.")
                .replies::<Forge<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::put("/projects/{id}/forge")
                .id("setForge")
                .about(
                    "Binds a project to its forge; what it starts runs with the caller's rights.",
                )
                .body(
                    text("kind")
                        .required()
                        .about("github, gitlab, gitea or bitbucket."),
                )
                .body(text("api_url").about("Address of its API; that of the public forge."))
                .body(
                    text("repository")
                        .required()
                        .about("Its name there: acme/web."),
                )
                .body(text("token").about("May set statuses and comment; kept when absent."))
                .body(text("webhook_secret").about("Kept when absent, or made and shown once."))
                .replies::<Forge<'_>>(StatusCode::OK),
            put,
        )
        .add(
            operation::delete("/projects/{id}/forge")
                .id("deleteForge")
                .about("Forgets the forge: its webhooks are refused, and it is told nothing more.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
        .add(
            operation::get("/projects/{id}/forge/deliveries")
                .id("listForgeDeliveries")
                .about("Lists webhook calls of the forge that were accepted, newest first.")
                .paged()
                .replies_list::<Delivery<'_>>(StatusCode::OK),
            deliveries,
        )
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Access> {
    let access = access::open_project(app, call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::ManageHooks)?;
    Ok(access)
}

async fn open_forge(app: &SharedApp, call: &Call) -> ApiResult<(Access, ForgeBinding)> {
    let access = open(app, call).await?;
    let binding = app.store.forge_binding(access.project.id).await?;
    let binding = binding.ok_or_else(|| ApiError::missing("Forge"))?;
    Ok((access, binding))
}

async fn audit(app: &App, action: &str, access: &Access, binding: &ForgeBinding) {
    let entry = Entry::new(action, access.standing.user_id)
        .credential(access.caller.credential())
        .project(access.project.id)
        .details(json!({
            "kind": binding.kind, "api_url": binding.api_url, "repository": binding.repository,
        }));
    app.audit(entry).await;
}

/// `GET /projects/:id/forge`.
async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, binding) = open_forge(&app, &call).await?;
    let owner = app.store.user(binding.owner_id).await?;
    let failed = app.store.newest_forge_failure(access.project.id).await?;
    let error = failed.map(|(run, why)| format!("run {run}: {why}"));
    let shown = Forge::of(&app.config, &binding, owner.as_ref()).last_error(error);
    Ok(axum::Json(shown).into_response())
}

/// `PUT /projects/:id/forge`.
async fn put(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let owner = access.caller.require_user()?;
    let known = app.store.forge_binding(access.project.id).await?;
    let given = Given::read(&call)?;
    let set = given.check(&app, known.as_ref())?;
    let now = clock::now();
    let binding = ForgeBinding {
        project_id: access.project.id,
        kind: set.kind,
        api_url: set.api_url,
        repository: set.repository,
        sealed_token: binding::seal_token(&app.secrets, &set.token),
        sealed_webhook_secret: binding::seal_webhook_secret(&app.secrets, &set.webhook_secret),
        owner_id: owner.id,
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        updated_at: now,
    };
    app.store.set_forge_binding(binding.clone()).await?;
    app.forge.bound();
    let action = match known {
        Some(_) => "forge_changed",
        None => "forge_bound",
    };
    audit(&app, action, &access, &binding).await;
    let made = set.is_new_secret.then_some(set.webhook_secret);
    let shown = Forge::of(&app.config, &binding, Some(owner)).webhook_secret(made);
    Ok(axum::Json(shown).into_response())
}

/// `DELETE /projects/:id/forge`.
async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, binding) = open_forge(&app, &call).await?;
    app.store.delete_forge_binding(access.project.id).await?;
    audit(&app, "forge_removed", &access, &binding).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /projects/:id/forge/deliveries`.
async fn deliveries(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, _) = open_forge(&app, &call).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    checks.finish()?;
    let listing = app.store.forge_deliveries(access.project.id, page).await?;
    let items: Vec<Delivery<'_>> = listing.items.iter().map(Delivery::of).collect();
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &items))
}

/// What a caller sets, as it was given.
struct Given {
    kind: String,
    api_url: Option<String>,
    repository: String,
    token: Option<String>,
    webhook_secret: Option<String>,
}

/// The same, good for use.
struct Checked {
    kind: ForgeKind,
    api_url: String,
    repository: String,
    token: String,
    webhook_secret: String,
    is_new_secret: bool,
}

impl Given {
    fn read(call: &Call) -> ApiResult<Self> {
        let mut checks = call.checks();
        let given = Self {
            kind: checks.required_filled_text("kind").into_owned(),
            api_url: checks.filled_text("api_url").map(Into::into),
            repository: checks.required_filled_text("repository").trim().to_owned(),
            token: checks.filled_text("token").map(Into::into),
            webhook_secret: checks.filled_text("webhook_secret").map(Into::into),
        };
        checks.finish()?;
        Ok(given)
    }

    /// Looks at everything, so that all that is wrong is told at once. Token and secret
    /// stay when they are not given and the forge is the same: another one must not get
    /// to know them.
    fn check(self, app: &App, known: Option<&ForgeBinding>) -> ApiResult<Checked> {
        let mut errors = FieldErrors::default();
        let kind = self.kind.parse::<ForgeKind>();
        let kind = kind.inspect_err(|error| errors.add("kind", error.to_string()));
        let Ok(kind) = kind else {
            return Err(errors.into());
        };
        let address = match api_url(kind, self.api_url.as_deref()) {
            Ok(address) => address,
            Err(BadBinding { field, problem }) => {
                errors.add(field, problem);
                return Err(errors.into());
            }
        };
        if check_url(&address, app.config.allow_local_requests).is_err() {
            errors.add(
                "api_url",
                "leads to this machine or a private network: an administrator may set \
                 allow_local_requests",
            );
        }
        let same = known.filter(|known| known.kind == kind && known.api_url == address);
        let kept = same.and_then(|known| binding::token(&app.secrets, known));
        let token = self.token.or(kept).unwrap_or_else(|| {
            errors.add("token", "is missing: give one of this forge");
            String::new()
        });
        if !token.is_empty()
            && let Err(BadBinding { field, problem }) =
                Api::new(kind, &address, &self.repository, &token)
        {
            errors.add(field, problem);
        }
        let kept = same
            .and_then(|known| binding::webhook_secret(&app.secrets, &known.sealed_webhook_secret));
        let secret = self.webhook_secret.or(kept);
        let is_new_secret = secret.is_none();
        let webhook_secret = secret.unwrap_or_else(binding::new_webhook_secret);
        if webhook_secret.len() > MAX_SECRET_BYTES
            || !webhook_secret.bytes().all(|byte| byte.is_ascii_graphic())
        {
            errors.add(
                "webhook_secret",
                "must be 1 to 255 letters, digits and signs without spaces",
            );
        }
        errors.finish()?;
        Ok(Checked {
            kind,
            api_url: address,
            repository: self.repository,
            token,
            webhook_secret,
            is_new_secret,
        })
    }
}
