//! Variables kept in settings, for every level alike (GitLab:
//! `lib/api/ci/variables.rb`, `lib/api/group_variables.rb`,
//! `lib/api/admin/ci/variables.rb`).
//!
//! Who may do it is decided by the files of the levels: [`project_variables`],
//! [`group_variables`] and [`instance_variables`].
//!
//! [`project_variables`]: super::project_variables
//! [`group_variables`]: super::group_variables
//! [`instance_variables`]: super::instance_variables

mod input;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::json;
use tappet_store::{
    NewSettingsVariable, SettingsVariable as Stored, StoreError, VariableChange, VariableChanged,
    VariableLevel,
};

use super::BASE;
use super::auth::Caller;
use super::call::Call;
use super::entities::settings_variable::SettingsVariable;
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use crate::api::operation::{self, Audience, Operation, Shape, boolean, object, one_of, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::{clock, settings_variables};
use input::{Given, Wanted};

/// A kind of level: its addresses, its words, and who may manage its variables.
pub struct Kind {
    /// Address of the list below `/api/v4`.
    pub all: &'static str,
    /// Address of one variable.
    pub one: &'static str,
    /// Names of list, get, create, update and delete for generated clients.
    pub ids: [&'static str; 5],
    /// Who gets further than 401.
    pub audience: Audience,
    /// Whether its variables can be hidden and limited to environments.
    pub has_scopes: bool,
    /// Finds level and caller, or says why the caller may not manage it.
    pub open: Open,
}

/// See [`Kind::open`].
pub type Open = for<'a> fn(&'a SharedApp, &'a Call) -> BoxFuture<'a, ApiResult<Managed>>;

/// Level and caller of a call that may manage the level's variables.
pub struct Managed {
    /// Whose variables.
    pub level: VariableLevel,
    /// Who manages.
    pub caller: Caller,
}

impl Managed {
    /// What a missing variable is called (404).
    fn thing(&self) -> &'static str {
        match self.level {
            VariableLevel::Project(_) => "Variable",
            VariableLevel::Group(_) => "GroupVariable",
            VariableLevel::Instance => "InstanceVariable",
        }
    }

    /// How many variables a level may have, and what the limit is called.
    fn limit(&self) -> (u64, &'static str) {
        match self.level {
            VariableLevel::Project(_) => (8000, "project ci variables"),
            VariableLevel::Group(_) => (30_000, "group ci variables"),
            VariableLevel::Instance => (25, "ci instance level variables"),
        }
    }
}

/// The five routes of a kind of level.
pub fn routes(kind: &'static Kind) -> Routes {
    let [list_id, get_id, create_id, update_id, delete_id] = kind.ids;
    let open = kind.open;
    let described =
        |operation: Operation, id, about| operation.id(id).about(about).audience(kind.audience);
    Routes::under(BASE)
        .add(
            described(operation::get(kind.all), list_id, "Lists variables.")
                .paged()
                .replies_list::<SettingsVariable<'_>>(StatusCode::OK),
            async move |State(app): State<SharedApp>, call: Call| {
                list(&app, &call, &open(&app, &call).await?).await
            },
        )
        .add(
            kind.filter(described(
                operation::get(kind.one),
                get_id,
                "Shows a variable.",
            ))
            .replies::<SettingsVariable<'_>>(StatusCode::OK),
            async move |State(app): State<SharedApp>, call: Call| {
                get(&app, &call, &open(&app, &call).await?).await
            },
        )
        .add(
            kind.creation(described(
                operation::post(kind.all),
                create_id,
                "Adds a variable.",
            ))
            .replies::<SettingsVariable<'_>>(StatusCode::CREATED),
            async move |State(app): State<SharedApp>, call: Call| {
                create(&app, &call, &open(&app, &call).await?).await
            },
        )
        .add(
            kind.change(described(
                operation::put(kind.one),
                update_id,
                "Changes a variable.",
            ))
            .replies::<SettingsVariable<'_>>(StatusCode::OK),
            async move |State(app): State<SharedApp>, call: Call| {
                update(&app, &call, &open(&app, &call).await?).await
            },
        )
        .add(
            kind.filter(described(
                operation::delete(kind.one),
                delete_id,
                "Removes a variable.",
            ))
            .reply(StatusCode::NO_CONTENT, Shape::Empty),
            async move |State(app): State<SharedApp>, call: Call| {
                delete(&app, &call, &open(&app, &call).await?).await
            },
        )
}

impl Kind {
    /// The parameters of a new variable.
    fn creation(&self, operation: Operation) -> Operation {
        let key = text("key")
            .required()
            .about("At most 255 of A-Z, a-z, 0-9 and _.");
        let operation = operation.body(key).body(text("value").required());
        let operation = self.traits(operation);
        if !self.has_scopes {
            return operation;
        }
        let hidden = boolean("masked_and_hidden");
        operation.body(hidden.about("Masked, and the value is never shown again."))
    }

    /// The parameters of a change.
    fn change(&self, operation: Operation) -> Operation {
        self.filter(self.traits(operation.body(text("value"))))
    }

    fn traits(&self, operation: Operation) -> Operation {
        let operation = operation
            .body(one_of("variable_type", &["env_var", "file"]))
            .body(boolean("protected").about("Only for protected branches and tags."))
            .body(boolean("masked").about("Replaced in logs."))
            .body(boolean("raw").about("References in the value are not expanded."))
            .body(text("description"));
        if !self.has_scopes {
            return operation;
        }
        operation.body(text("environment_scope").about("`*`, or a name with stars."))
    }

    /// The parameter that tells variables of one name apart.
    fn filter(&self, operation: Operation) -> Operation {
        if !self.has_scopes {
            return operation;
        }
        operation.query(object("filter").about("`filter[environment_scope]=production`"))
    }
}

/// 200 with a page of the level's variables.
async fn list(app: &App, call: &Call, managed: &Managed) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    checks.finish()?;
    let listing = app.store.settings_variables(&managed.level, page).await?;
    let shown = listing
        .items
        .iter()
        .map(|stored| shown(app, stored))
        .collect::<ApiResult<Vec<_>>>()?;
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, call, pages, &shown))
}

/// 200 with one variable.
async fn get(app: &App, call: &Call, managed: &Managed) -> ApiResult<Response> {
    let stored = find(app, call, managed).await?;
    Ok(axum::Json(shown(app, &stored)?).into_response())
}

/// 201 with the new variable.
async fn create(app: &App, call: &Call, managed: &Managed) -> ApiResult<Response> {
    let mut checks = call.checks();
    let (key, given) = Given::read_new(&mut checks, &managed.level);
    checks.finish()?;
    let wanted = given.create(key);
    let mut errors = input::check(&wanted, &managed.level, None);
    let (limit, name) = managed.limit();
    if app.store.count_settings_variables(&managed.level).await? >= limit {
        errors.add(
            "base",
            format!("Maximum number of {name} ({limit}) exceeded"),
        );
    }
    errors.finish()?;
    let new = NewSettingsVariable {
        level: managed.level.clone(),
        sealed_value: settings_variables::seal(&app.secrets, &wanted.value),
        key: wanted.key.clone(),
        is_hidden: wanted.is_hidden,
        traits: wanted.traits.clone(),
        now: clock::now(),
    };
    let stored = app.store.create_settings_variable(new).await;
    let stored = stored.map_err(|error| taken(error, &wanted))?;
    note(app, managed, "variable_created", &stored).await;
    Ok((StatusCode::CREATED, axum::Json(shown(app, &stored)?)).into_response())
}

/// 200 with the changed variable. A name cannot be changed; a key in the body is
/// overruled by the path.
async fn update(app: &App, call: &Call, managed: &Managed) -> ApiResult<Response> {
    let old = find(app, call, managed).await?;
    let mut checks = call.checks();
    let given = Given::read(&mut checks, &managed.level);
    checks.finish()?;
    let has_value = given.has_value();
    let wanted = given.change(&old, value_of(app, &old)?);
    input::check(&wanted, &managed.level, Some(&old)).finish()?;
    let change = VariableChange {
        id: old.id,
        revision: old.revision,
        sealed_value: has_value.then(|| settings_variables::seal(&app.secrets, &wanted.value)),
        traits: wanted.traits.clone(),
        now: clock::now(),
    };
    let changed = app.store.change_settings_variable(change).await;
    match changed.map_err(|error| taken(error, &wanted))? {
        VariableChanged::Changed(stored) => {
            note(app, managed, "variable_updated", &stored).await;
            Ok(axum::Json(shown(app, &stored)?).into_response())
        }
        VariableChanged::Stale => Err(ApiError::message(
            StatusCode::CONFLICT,
            "409 Conflict: Resource lock",
        )),
    }
}

/// 204.
async fn delete(app: &App, call: &Call, managed: &Managed) -> ApiResult<Response> {
    let stored = find(app, call, managed).await?;
    if !app.store.delete_settings_variable(stored.id).await? {
        return Err(ApiError::missing(managed.thing()));
    }
    note(app, managed, "variable_removed", &stored).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The variable of `:key`, and of `filter[environment_scope]` when it is given.
async fn find(app: &App, call: &Call, managed: &Managed) -> ApiResult<Stored> {
    let mut checks = call.checks();
    let filter = checks.object("filter").cloned().unwrap_or_default();
    checks.finish()?;
    let mut checks = super::params::Checks::new(&filter);
    let scope = checks.filled_text("environment_scope");
    if checks.finish().is_err() {
        return Err(ApiError::param("filter[environment_scope] is invalid"));
    }
    let key = call.path("key");
    let mut found = app
        .store
        .settings_variables_named(&managed.level, key)
        .await?;
    if let Some(scope) = scope {
        found.retain(|one| one.traits.environment_scope == scope);
    }
    if found.len() > 1 {
        return Err(ApiError::message(
            StatusCode::CONFLICT,
            "There are multiple variables with provided parameters. \
             Please use 'filter[environment_scope]'",
        ));
    }
    found
        .pop()
        .ok_or_else(|| ApiError::missing(managed.thing()))
}

fn taken(error: StoreError, wanted: &Wanted) -> ApiError {
    match error {
        StoreError::Taken { .. } => {
            ApiError::invalid("key", format!("({}) has already been taken", wanted.key))
        }
        other => other.into(),
    }
}

fn shown<'a>(app: &App, stored: &'a Stored) -> ApiResult<SettingsVariable<'a>> {
    Ok(SettingsVariable::of(stored, value_of(app, stored)?))
}

fn value_of(app: &App, stored: &Stored) -> ApiResult<String> {
    settings_variables::unseal(&app.secrets, stored)
        .map_err(|error| ApiError::broken("decrypting a variable", error))
}

async fn note(app: &App, managed: &Managed, action: &str, stored: &Stored) {
    let actor = managed.caller.user.as_ref().map(|user| user.id);
    let mut details = json!({
        "key": stored.key,
        "environment_scope": stored.traits.environment_scope,
    });
    let mut entry = Entry::new(action, actor).credential(managed.caller.credential());
    match &managed.level {
        VariableLevel::Project(id) => entry = entry.project(*id),
        VariableLevel::Group(path) => details["group"] = json!(path),
        VariableLevel::Instance => details["instance"] = json!(true),
    }
    app.audit(entry.details(details)).await;
}
