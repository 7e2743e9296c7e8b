//! Pipeline schedules (GitLab: `lib/api/ci/pipeline_schedules.rb`).
//!
//! Only a schedule's owner changes it, because it runs with the owner's rights;
//! everybody else has to take ownership first.

mod act;
mod policy;
mod save;
mod variables;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::str::FromStr;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::{ScheduleId, UserId};
use tappet_store::{PageRequest, Run, RunFilter, Schedule, User};

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::pipeline_basic::PipelineBasic;
use super::entities::pipeline_schedule::{PipelineSchedule, PipelineScheduleDetails};
use super::entities::variable::Variable;
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use super::params::{Checks, Params};
use super::pipelines::filter;
use crate::api::operation::{self, Shape, boolean, objects, one_of, text, time};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::rights::Right;
use crate::schedules;

const ALL: &str = "/projects/{id}/pipeline_schedules";
const ONE: &str = "/projects/{id}/pipeline_schedules/{pipeline_schedule_id}";
const RUNS: &str = "/projects/{id}/pipeline_schedules/{pipeline_schedule_id}/pipelines";
const OWNERSHIP: &str = "/projects/{id}/pipeline_schedules/{pipeline_schedule_id}/take_ownership";
const PLAY: &str = "/projects/{id}/pipeline_schedules/{pipeline_schedule_id}/play";
const VARIABLES: &str = "/projects/{id}/pipeline_schedules/{pipeline_schedule_id}/variables";
const VARIABLE: &str = "/projects/{id}/pipeline_schedules/{pipeline_schedule_id}/variables/{key}";

/// Parameters of the list of a schedule's runs; GitLab ignores all others.
const RUN_FILTERS: &[&str] = &[
    "page",
    "per_page",
    "scope",
    "status",
    "updated_before",
    "updated_after",
    "created_before",
    "created_after",
    "sort",
];

/// Schedules and their variables.
pub fn routes() -> Routes {
    schedule_routes().and(variable_routes())
}

fn schedule_routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get(ALL)
                .id("listPipelineSchedules")
                .about("Lists the schedules of a project.")
                .query(one_of("scope", &["active", "inactive"]))
                .paged()
                .replies_list::<PipelineSchedule<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get(ONE)
                .id("getPipelineSchedule")
                .about("Shows a schedule; its variables only to its owner and maintainers.")
                .replies::<PipelineScheduleDetails<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::get(RUNS)
                .id("listPipelinesOfSchedule")
                .about("Lists the pipelines that a schedule started, oldest first.")
                .query(one_of("scope", filter::SCOPES))
                .query(text("status"))
                .query(time("updated_before"))
                .query(time("updated_after"))
                .query(time("created_before"))
                .query(time("created_after"))
                .query(one_of("sort", &["asc", "desc"]))
                .paged()
                .replies_list::<PipelineBasic<'_>>(StatusCode::OK),
            pipelines,
        )
        .add(
            operation::post(ALL)
                .id("createPipelineSchedule")
                .about("Makes a schedule that runs with the caller's rights.")
                .body(text("description").required())
                .body(text("ref").required())
                .body(text("cron").required())
                .body(text("cron_timezone").about("IANA or Rails name; `UTC` by default."))
                .body(boolean("active"))
                .body(objects("inputs").about("Not supported; refused by name."))
                .replies::<PipelineScheduleDetails<'_>>(StatusCode::CREATED),
            save::create,
        )
        .add(
            operation::put(ONE)
                .id("updatePipelineSchedule")
                .about("Changes a schedule; its owner only.")
                .body(text("description"))
                .body(text("ref"))
                .body(text("cron"))
                .body(text("cron_timezone"))
                .body(boolean("active"))
                .body(objects("inputs").about("Not supported; refused by name."))
                .replies::<PipelineScheduleDetails<'_>>(StatusCode::OK),
            save::update,
        )
        .add(
            operation::post(OWNERSHIP)
                .id("takeOwnershipOfPipelineSchedule")
                .about("Makes the caller the owner of a schedule; 200 for who is it already.")
                .replies::<PipelineScheduleDetails<'_>>(StatusCode::CREATED)
                .replies::<PipelineScheduleDetails<'_>>(StatusCode::OK),
            act::take_ownership,
        )
        .add(
            operation::delete(ONE)
                .id("deletePipelineSchedule")
                .about("Removes a schedule; its pipelines stay.")
                .header(text("If-Unmodified-Since"))
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            act::delete,
        )
        .add(
            operation::post(PLAY)
                .id("playPipelineSchedule")
                .about("Starts a pipeline of a schedule now, as the caller.")
                .replies::<act::Played>(StatusCode::CREATED),
            act::play,
        )
}

fn variable_routes() -> Routes {
    let kind = || one_of("variable_type", &["env_var", "file"]);
    Routes::under(BASE)
        .add(
            operation::post(VARIABLES)
                .id("createPipelineScheduleVariable")
                .about("Adds a variable to a schedule.")
                .body(text("key").required())
                .body(text("value").required())
                .body(kind())
                .replies::<Variable<'_>>(StatusCode::CREATED),
            variables::create,
        )
        .add(
            operation::get(VARIABLE)
                .id("getPipelineScheduleVariable")
                .about("Shows a variable of a schedule.")
                .replies::<Variable<'_>>(StatusCode::OK),
            variables::get,
        )
        .add(
            operation::put(VARIABLE)
                .id("updatePipelineScheduleVariable")
                .about("Changes a variable of a schedule.")
                .body(text("value"))
                .body(kind())
                .replies::<Variable<'_>>(StatusCode::OK),
            variables::update,
        )
        .add(
            operation::delete(VARIABLE)
                .id("deletePipelineScheduleVariable")
                .about("Removes a variable of a schedule.")
                .replies::<Variable<'_>>(StatusCode::ACCEPTED),
            variables::delete,
        )
}

async fn open(app: &SharedApp, call: &Call, checked: ApiResult<()>) -> ApiResult<Access> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    access::open_checked(app, call, login, jobs, checked).await
}

/// The schedule of the address; whoever may not see it is told that there is none.
async fn find(app: &App, call: &Call, access: &Access) -> ApiResult<Schedule> {
    let id = ScheduleId(call.number("pipeline_schedule_id")?);
    let found = app.store.schedule(access.project.id, id).await?;
    found
        .filter(|_| access.may(Right::ReadPipelines))
        .ok_or_else(|| ApiError::missing("Pipeline Schedule"))
}

/// `GET /projects/:id/pipeline_schedules`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let scope = checks.one_of::<Scope>("scope");
    let access = open(&app, &call, checks.finish()).await?;
    access.require(Right::ReadPipelines)?;
    let active = scope.map(|scope| scope == Scope::Active);
    let listing = app.store.schedules(access.project.id, active, page).await?;
    let owners = owners(&app, &listing.items).await?;
    let shown: Vec<_> = listing
        .items
        .iter()
        .map(|schedule| {
            let owner = schedule.owner_id.and_then(|id| owners.get(&id));
            PipelineSchedule::of(&app.config, schedule, owner)
        })
        .collect();
    let pages = Pages::of(page, &listing);
    Ok(pagination::reply(
        &app.config.url(call.uri.path()),
        &call,
        pages,
        &shown,
    ))
}

#[derive(PartialEq, Eq)]
enum Scope {
    Active,
    Inactive,
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "active" => Ok(Scope::Active),
            "inactive" => Ok(Scope::Inactive),
            _ => Err(()),
        }
    }
}

async fn owners(app: &App, schedules: &[Schedule]) -> ApiResult<HashMap<UserId, User>> {
    let mut owners = HashMap::new();
    for id in schedules.iter().filter_map(|schedule| schedule.owner_id) {
        if let Entry::Vacant(place) = owners.entry(id)
            && let Some(user) = app.store.user(id).await?
        {
            place.insert(user);
        }
    }
    Ok(owners)
}

/// `GET /projects/:id/pipeline_schedules/:pipeline_schedule_id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let schedule = find(&app, &call, &access).await?;
    let (owner, run) = around(&app, &schedule).await?;
    let shown = PipelineSchedule::of(&app.config, &schedule, owner.as_ref());
    let details = PipelineScheduleDetails::of(&app.config, &access.project, shown, run.as_ref());
    if !policy::may_administer(&access, &schedule) {
        return Ok(axum::Json(details).into_response());
    }
    let variables = app.store.schedule_variables(schedule.id).await?;
    let variables = variables
        .into_iter()
        .map(|variable| schedules::reveal(&app.secrets, variable))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| ApiError::broken("decrypting the variables of a schedule", error))?;
    Ok(axum::Json(details.with_variables(&variables)).into_response())
}

/// As after a change; GitLab leaves the variables out of these replies.
async fn changed(
    app: &App,
    access: &Access,
    schedule: &Schedule,
    status: StatusCode,
) -> ApiResult<Response> {
    let (owner, run) = around(app, schedule).await?;
    let shown = PipelineSchedule::of(&app.config, schedule, owner.as_ref());
    let details = PipelineScheduleDetails::of(&app.config, &access.project, shown, run.as_ref());
    Ok((status, axum::Json(details)).into_response())
}

/// The owner and the newest run.
async fn around(app: &App, schedule: &Schedule) -> ApiResult<(Option<User>, Option<Run>)> {
    let owner = match schedule.owner_id {
        Some(id) => app.store.user(id).await?,
        None => None,
    };
    let filter = RunFilter {
        schedule_id: Some(schedule.id),
        ..RunFilter::default()
    };
    let newest = PageRequest {
        page: 1,
        per_page: 1,
    };
    let listing = app.store.runs(schedule.project_id, filter, newest).await?;
    Ok((owner, listing.items.into_iter().next()))
}

/// `GET /projects/:id/pipeline_schedules/:pipeline_schedule_id/pipelines`, the
/// oldest first, unlike the list of all pipelines.
pub async fn pipelines(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let params: Params = RUN_FILTERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), call.params.get(*name)?.clone())))
        .collect();
    let mut checks = Checks::new(&params);
    let page = pagination::request(&mut checks);
    let filter = filter::read(&mut checks).unwrap_or_default();
    let access = open(&app, &call, checks.finish()).await?;
    let schedule = find(&app, &call, &access).await?;
    let filter = RunFilter {
        schedule_id: Some(schedule.id),
        ascending: params.get("sort").is_none_or(|sort| sort != "desc"),
        ..filter
    };
    let listing = app.store.runs(access.project.id, filter, page).await?;
    let shown: Vec<_> = listing
        .items
        .iter()
        .map(|run| PipelineBasic::of(&app.config, &access.project, run))
        .collect();
    let pages = Pages::of(page, &listing);
    Ok(pagination::reply(
        &app.config.url(call.uri.path()),
        &call,
        pages,
        &shown,
    ))
}
