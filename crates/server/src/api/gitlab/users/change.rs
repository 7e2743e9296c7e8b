//! `POST /users` and `PUT /users/:id`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::UserId;
use tappet_store::{NewUser, PeopleFilter, Profile, StoreError, UserChange};

use super::attributes::{self, Attributes};
use super::{ROOT, entry, find};
use crate::api::gitlab::BASE;
use crate::api::gitlab::auth;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::user::{Onlooker, User};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Audience, Operation, boolean, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::clock;

/// Adding and changing people.
pub fn routes() -> Routes {
    let create = operation::post("/users")
        .id("createUser")
        .about("Adds a person.")
        .audience(Audience::Admin)
        .body(text("email").required())
        .body(text("username").required())
        .body(text("name").required())
        .body(boolean("reset_password").about("No password for now; there is no mail."))
        .body(boolean("force_random_password").about("A password that nobody knows."))
        .body(boolean("skip_confirmation").about("Accounts need no confirmation here."))
        .replies::<User<'_>>(StatusCode::CREATED);
    let update = operation::put("/users/{id}")
        .id("updateUser")
        .about("Changes a person.")
        .audience(Audience::Admin)
        .body(text("email"))
        .body(text("username"))
        .body(text("name"))
        .body(boolean("skip_reconfirmation").about("Addresses need no confirmation here."))
        .replies::<User<'_>>(StatusCode::OK);
    Routes::under(BASE)
        .add(with_attributes(create), create_user)
        .add(with_attributes(update), update_user)
}

fn with_attributes(operation: Operation) -> Operation {
    operation
        .body(text("password").about("8 to 128 characters."))
        .body(boolean("admin"))
        .body(boolean("external"))
        .body(boolean("private_profile"))
        .body(text("bio"))
        .body(text("location"))
        .body(text("skype"))
        .body(text("linkedin"))
        .body(text("twitter"))
        .body(text("discord"))
        .body(text("github"))
        .body(text("website_url"))
        .body(text("organization"))
        .body(text("job_title"))
        .body(text("pronouns"))
        .body(text("note"))
}

/// `POST /users`.
pub async fn create_user(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate_for_people(&app, &call).await?;
    caller.require_user()?;
    let mut checks = call.checks();
    let email = checks.required_text("email");
    // Read in GitLab's order, so that the complaints come in it.
    if !["password", "reset_password", "force_random_password"]
        .iter()
        .any(|name| checks.names(name))
    {
        checks.refuse(
            "password, reset_password, force_random_password are missing, \
             at least one parameter must be provided",
        );
    }
    let name = checks.required_text("name");
    let username = checks.required_text("username");
    let resets = checks.boolean("reset_password") == Some(true);
    let is_random = checks.boolean("force_random_password") == Some(true);
    checks.boolean("skip_confirmation");
    let mut asked = Attributes::read(&mut checks);
    checks.finish()?;
    caller.require_admin()?;
    attributes::refuse_unsupported(&call)?;
    // There is no mail, so a password that is to be reset is none.
    if resets || is_random {
        asked.password = None;
    }
    asked.email = Some(email);
    asked.name = Some(name);
    asked.username = Some(username);
    let is_open = asked.password.is_some() || resets || is_random;
    validate(&app, &asked, None, is_open).await?;

    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("").to_owned();
    let new = NewUser {
        username: text(&asked.username),
        name: text(&asked.name),
        email: text(&asked.email),
        is_admin: asked.is_admin.unwrap_or(false),
        is_external: asked.is_external.unwrap_or(false),
        password: hashed(&app, &asked).await,
        profile: asked.applied_to(Profile::default()),
        now: clock::now(),
    };
    let account = app.store.create_user(new).await.map_err(taken)?;
    let user = &account.user;
    let details = json!({ "user_id": user.id, "username": user.username, "admin": user.is_admin });
    app.audit(entry("user_created", &caller).details(details))
        .await;
    let shown = User::of(&app.config, &account, Onlooker::Admin);
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

/// `PUT /users/:id`.
pub async fn update_user(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let id = UserId(call.route_number("id")?);
    let caller = auth::authenticate_for_people(&app, &call).await?;
    caller.require_user()?;
    let mut checks = call.checks();
    let email = checks.text("email");
    let name = checks.text("name");
    let username = checks.text("username");
    checks.boolean("skip_reconfirmation");
    let mut asked = Attributes::read(&mut checks);
    checks.finish()?;
    asked.email = email;
    asked.name = name;
    asked.username = username;
    caller.require_admin()?;
    attributes::refuse_unsupported(&call)?;
    let account = find(&app, id).await?;
    validate(&app, &asked, Some(id), true).await?;
    let is_renamed = asked.username.as_deref().is_some_and(|name| name != ROOT);
    if account.user.username == ROOT && (is_renamed || asked.is_admin == Some(false)) {
        let field = if is_renamed { "username" } else { "admin" };
        return Err(ApiError::invalid(
            field,
            "of the built-in administrator cannot be changed",
        ));
    }
    let own = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let change = UserChange {
        username: own(&asked.username),
        name: own(&asked.name),
        email: own(&asked.email),
        is_admin: asked.is_admin,
        is_external: asked.is_external,
        password: hashed(&app, &asked).await,
        profile: Some(asked.applied_to(account.profile)),
    };
    let details = json!({
        "user_id": id,
        "username": change.username,
        "email": change.email.as_ref().map(|_| "changed"),
        "admin": change.is_admin,
        "external": change.is_external,
        "password": change.password.as_ref().map(|_| "changed"),
    });
    let account = app.store.update_user(id, change).await.map_err(taken)?;
    app.audit(entry("user_updated", &caller).details(details))
        .await;
    let shown = User::of(&app.config, &account, Onlooker::Admin);
    Ok(axum::Json(shown).into_response())
}

async fn hashed(app: &App, asked: &Attributes<'_>) -> Option<String> {
    match &asked.password {
        Some(password) => Some(app.passwords.hash(password.as_ref().to_owned()).await),
        None => None,
    }
}

/// What is taken counts before what is wrong, as in GitLab.
async fn validate(
    app: &App,
    asked: &Attributes<'_>,
    own: Option<UserId>,
    is_open: bool,
) -> ApiResult<()> {
    let mut errors = asked.errors();
    if !is_open {
        errors.add("password", "can't be blank");
    }
    if errors.is_empty() {
        return Ok(());
    }
    if let Some(email) = asked.email.as_deref().filter(|email| !email.is_empty()) {
        let filter = PeopleFilter {
            search: Some(email.to_owned()),
            ..PeopleFilter::default()
        };
        let same = app.store.accounts(filter, Default::default()).await?;
        let is_taken = same.items.iter().any(|account| {
            account.user.email.eq_ignore_ascii_case(email) && Some(account.user.id) != own
        });
        if is_taken {
            return Err(taken(StoreError::Taken { field: "email" }));
        }
    }
    if let Some(username) = asked.username.as_deref()
        && let Some(user) = app.store.user_by_username(username).await?
        && Some(user.id) != own
    {
        return Err(taken(StoreError::Taken { field: "username" }));
    }
    Err(errors.into())
}

fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Taken { field: "email" } => ApiError::conflict("Email has already been taken"),
        StoreError::Taken { field: "username" } => {
            ApiError::conflict("Username has already been taken")
        }
        other => other.into(),
    }
}
