//! `GET /users`.

use std::borrow::Cow;
use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_store::{Listing, PeopleFilter, PeopleOrder, Span};

use crate::api::gitlab::auth;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::user::{Onlooker, User};
use crate::api::gitlab::entities::user_basic::UserBasic;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::pagination::{self, Pages};
use crate::api::gitlab::params::Checks;
use crate::api::operation::{self, Audience, Operation, boolean, one_of, text, time};
use crate::app::SharedApp;

/// Filters that would change the list and that we do not have.
const UNSUPPORTED: [&str; 4] = ["extern_uid", "provider", "public_email", "saml_provider_id"];

/// What `GET /users` takes and gives.
pub fn operation() -> Operation {
    operation::get("/users")
        .id("listUsers")
        .about("Lists people. Without a login only the one named by `username`.")
        .audience(Audience::Visitor)
        .query(text("username").about("Exactly this login name."))
        .query(text("search").about("A part of the names, or the whole address."))
        .query(boolean("active"))
        .query(boolean("blocked"))
        .query(boolean("external"))
        .query(boolean("humans"))
        .query(boolean("admins"))
        .query(boolean("exclude_active"))
        .query(boolean("exclude_external"))
        .query(boolean("exclude_humans"))
        .query(boolean("exclude_internal"))
        .query(boolean("without_project_bots"))
        .query(boolean("without_projects"))
        .query(one_of("two_factor", &["enabled", "disabled"]))
        .query(time("created_after"))
        .query(time("created_before"))
        .query(one_of(
            "order_by",
            &["id", "name", "username", "created_at"],
        ))
        .query(one_of("sort", &["asc", "desc"]))
        .paged()
        .replies_list::<User<'_>>(StatusCode::OK)
}

/// A word of `order_by`.
struct Order(Option<PeopleOrder>);

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "id" | "created_at" => Ok(Self(Some(PeopleOrder::Id))),
            "name" => Ok(Self(Some(PeopleOrder::Name))),
            "username" => Ok(Self(Some(PeopleOrder::Username))),
            "updated_at" => Ok(Self(None)),
            _ => Err(()),
        }
    }
}

/// Smallest first, or greatest.
struct Ascending(bool);

impl FromStr for Ascending {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "asc" => Ok(Self(true)),
            "desc" => Ok(Self(false)),
            _ => Err(()),
        }
    }
}

/// `GET /users`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate_for_people(&app, &call).await?;
    let is_admin = caller.user.as_ref().is_some_and(|user| user.is_admin);
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let wanted = wanted(&mut checks, is_admin);
    let order: Option<Order> = checks.one_of("order_by");
    checks.finish()?;
    if caller.user.is_none()
        && wanted
            .as_ref()
            .is_none_or(|filter| filter.username.is_none())
    {
        return Err(ApiError::forbidden_because(
            "Not authorized to access /api/v4/users",
        ));
    }
    refuse_unsupported(&call, order.as_ref())?;
    let listing = match wanted {
        None => Listing {
            items: Vec::new(),
            total: Some(0),
            has_next: false,
        },
        Some(mut filter) => {
            // Order is for administrators; others are not told that they got none.
            filter.order_by = order
                .and_then(|order| order.0)
                .filter(|_| is_admin)
                .unwrap_or_default();
            app.store.accounts(filter, page).await?
        }
    };
    let address = app.config.url(call.uri.path());
    let pages = Pages::of(page, &listing);
    let accounts = listing.items.iter();
    if is_admin {
        let shown: Vec<User<'_>> = accounts
            .map(|account| User::of(&app.config, account, Onlooker::Admin))
            .collect();
        return Ok(pagination::reply(&address, &call, pages, &shown));
    }
    let shown: Vec<UserBasic<'_>> = accounts
        .map(|account| UserBasic::of(&app.config, &account.user))
        .collect();
    Ok(pagination::reply(&address, &call, pages, &shown))
}

/// `None`: nobody can fit. Everybody here is human and has no second factor.
fn wanted(checks: &mut Checks<'_>, is_admin: bool) -> Option<PeopleFilter> {
    let is = |checks: &mut Checks<'_>, name: &str| checks.boolean(name).unwrap_or(false);
    let active = is(checks, "active");
    let inactive = is(checks, "blocked") | is(checks, "exclude_active");
    let external = is(checks, "external");
    let internal = is(checks, "exclude_external");
    for harmless in ["humans", "exclude_internal", "without_project_bots"] {
        is(checks, harmless);
    }
    let no_humans = is(checks, "exclude_humans");
    let two_factor = checks.word("two_factor", &["enabled", "disabled"]);
    let with_two_factor = two_factor == Some("enabled");
    let admins = is(checks, "admins");
    let without_projects = is(checks, "without_projects");
    let created = Span {
        after: checks.time("created_after"),
        before: checks.time("created_before"),
    };
    let ascending: Option<Ascending> = checks.one_of("sort");
    let username = checks.filled_text("username").map(Cow::into_owned);
    let search = checks.filled_text("search").map(Cow::into_owned);
    let contradicts = (active && inactive) || (external && internal);
    if contradicts || no_humans || (is_admin && with_two_factor) {
        return None;
    }
    Some(PeopleFilter {
        username,
        search,
        is_blocked: (active || inactive).then_some(inactive),
        is_external: (external || internal).then_some(external),
        is_admin: (admins && is_admin).then_some(true),
        without_projects: without_projects && is_admin,
        created: if is_admin { created } else { Span::default() },
        order_by: PeopleOrder::default(),
        ascending: is_admin && ascending.is_some_and(|ascending| ascending.0),
    })
}

fn refuse_unsupported(call: &Call, order: Option<&Order>) -> ApiResult<()> {
    let unsupported = |what: &str| {
        Err(ApiError::bad_request(format!(
            "{what} is not supported by this server; leave it out"
        )))
    };
    if order.is_some_and(|order| order.0.is_none()) {
        return unsupported("order_by=updated_at");
    }
    match UNSUPPORTED
        .iter()
        .find(|name| call.params.contains_key(**name))
    {
        Some(name) => unsupported(name),
        None => Ok(()),
    }
}
