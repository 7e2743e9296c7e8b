//! `GET /personal_access_tokens`.

use std::borrow::Cow;
use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_model::UserId;
use tappet_store::{Span, TokenFilter, TokenOrder};

use crate::api::gitlab::auth::{self, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::personal_access_token::PersonalAccessToken;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::pagination::{self, Pages};
use crate::api::gitlab::params::Checks;
use crate::api::operation::{self, Operation, boolean, integer, one_of, text, time};
use crate::app::SharedApp;
use crate::clock;

const ORDERS: &[&str] = &[
    "created_asc",
    "created_desc",
    "expires_asc",
    "expires_desc",
    "last_used_asc",
    "last_used_desc",
    "name_asc",
    "name_desc",
];

/// What `GET /personal_access_tokens` takes and gives.
pub fn operation() -> Operation {
    operation::get("/personal_access_tokens")
        .id("listPersonalAccessTokens")
        .about("Lists the caller's tokens; administrators see all.")
        .query(integer("user_id"))
        .query(one_of("state", &["active", "inactive"]))
        .query(boolean("revoked"))
        .query(text("search").about("A part of the name."))
        .query(time("created_after"))
        .query(time("created_before"))
        .query(time("last_used_after"))
        .query(time("last_used_before"))
        .query(time("expires_after"))
        .query(time("expires_before"))
        .query(one_of("sort", ORDERS))
        .paged()
        .replies_list::<PersonalAccessToken<'_>>(StatusCode::OK)
}

/// A word of `state`.
struct Active(bool);

impl FromStr for Active {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "active" => Ok(Self(true)),
            "inactive" => Ok(Self(false)),
            _ => Err(()),
        }
    }
}

/// A word of `sort`.
struct Order(TokenOrder);

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(Self(match text {
            "created_asc" => TokenOrder::CreatedAsc,
            "created_desc" => TokenOrder::CreatedDesc,
            "expires_asc" => TokenOrder::ExpiresAsc,
            "expires_desc" => TokenOrder::ExpiresDesc,
            "last_used_asc" => TokenOrder::LastUsedAsc,
            "last_used_desc" => TokenOrder::LastUsedDesc,
            "name_asc" => TokenOrder::NameAsc,
            "name_desc" => TokenOrder::NameDesc,
            _ => return Err(()),
        }))
    }
}

/// `GET /personal_access_tokens`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
    let user = caller.require_user()?;
    let now = clock::now();
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let asked_user = checks.integer("user_id").map(UserId);
    let active: Option<Active> = checks.one_of("state");
    let order: Option<Order> = checks.one_of("sort");
    let filter = TokenFilter {
        user_id: asked_user,
        is_revoked: checks.boolean("revoked"),
        is_active: active.map(|active| (active.0, now)),
        search: checks.filled_text("search").map(Cow::into_owned),
        created: span(&mut checks, "created_after", "created_before"),
        last_used: span(&mut checks, "last_used_after", "last_used_before"),
        expires: span(&mut checks, "expires_after", "expires_before"),
        order: order.map(|order| order.0).unwrap_or_default(),
    };
    checks.finish()?;
    let filter = match asked_user {
        Some(id) if user.is_admin => {
            let account = app.store.account(id).await?;
            account.ok_or_else(ApiError::not_found)?;
            filter
        }
        None if user.is_admin => filter,
        Some(id) if id != user.id => return Err(ApiError::unauthorized()),
        _ => TokenFilter {
            user_id: Some(user.id),
            ..filter
        },
    };
    let listing = app.store.access_tokens(filter, page).await?;
    let tokens = listing.items.iter();
    let shown: Vec<PersonalAccessToken<'_>> = tokens
        .map(|token| PersonalAccessToken::of(token, now))
        .collect();
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}

fn span(checks: &mut Checks<'_>, after: &str, before: &str) -> Span {
    Span {
        after: checks.time(after),
        before: checks.time(before),
    }
}
