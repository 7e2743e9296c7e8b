//! Making and changing a schedule (GitLab:
//! `app/services/ci/pipeline_schedules/*_service.rb`).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use tappet_git::ResolveError;
use tappet_model::{RefKind, RefName, Timestamp};
use tappet_store::{NewSchedule, Project, Schedule, ScheduleChange, Timing};

use super::{changed, find, open, policy};
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::field_errors::FieldErrors;
use crate::api::gitlab::params::Checks;
use crate::api::gitlab::trigger_run::refuse_inputs;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;
use crate::rights::Right;
use crate::schedules::{Timetable, TimetableError};

/// What the caller gave.
struct Given {
    description: Option<String>,
    ref_name: Option<String>,
    cron: Option<String>,
    cron_timezone: Option<String>,
    active: Option<bool>,
    /// Names of inputs.
    inputs: Vec<String>,
}

impl Given {
    fn read(checks: &mut Checks<'_>, is_new: bool) -> Self {
        let (description, ref_name, cron);
        if is_new {
            description = Some(checks.required_text("description").into_owned());
            ref_name = Some(checks.required_filled_text("ref").into_owned());
            cron = Some(checks.required_text("cron").into_owned());
        } else {
            description = optional(checks, "description");
            ref_name = optional(checks, "ref");
            cron = optional(checks, "cron");
        }
        Self {
            description,
            ref_name,
            cron: cron.map(|cron| cron.trim().to_owned()),
            cron_timezone: optional(checks, "cron_timezone"),
            active: checks.boolean("active"),
            inputs: names_of_inputs(checks),
        }
    }
}

fn optional(checks: &mut Checks<'_>, name: &str) -> Option<String> {
    checks.text(name).map(std::borrow::Cow::into_owned)
}

/// `[{"name":…,"value":…}]`.
fn names_of_inputs(checks: &mut Checks<'_>) -> Vec<String> {
    let inputs = checks.array("inputs").unwrap_or_default();
    let mut names = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        match input.get("name").and_then(Value::as_str) {
            Some(name) => names.push(name.to_owned()),
            None => checks.refuse(format!("inputs[{at}][name] is missing")),
        }
    }
    names
}

/// `POST /projects/:id/pipeline_schedules`; the caller becomes the owner.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let given = Given::read(&mut checks, true);
    let access = open(&app, &call, checks.finish()).await?;
    access.require(Right::OwnSchedules)?;
    refuse_inputs(&given.inputs)?;
    let owner_id = access.caller.require_user()?.id;
    let ref_name = given.ref_name.unwrap_or_default();
    let ref_name = open_ref(&app, &access, &ref_name, "create").await?;
    let description = given.description.unwrap_or_default();
    let now = app.config.clock.now();
    let seed = new_seed();
    let timing = Timing {
        cron: given.cron.unwrap_or_default(),
        cron_timezone: given.cron_timezone.unwrap_or_else(|| "UTC".to_owned()),
        is_active: given.active.unwrap_or(true),
        next_run_at: None,
    };
    let timing = validated(&description, timing, seed, now)?;
    let limit = app.config.limits.schedules_per_project;
    let new = NewSchedule {
        project_id: access.project.id,
        owner_id,
        description,
        ref_name,
        timing,
        seed,
        limit,
        now: clock::now(),
    };
    let schedule = app.store.create_schedule(new).await?.ok_or_else(|| {
        let text = format!("Maximum number of ci pipeline schedules ({limit}) exceeded");
        ApiError::invalid("base", text)
    })?;
    saved(&app, &access, &schedule, "schedule_created").await;
    changed(&app, &access, &schedule, StatusCode::CREATED).await
}

/// `PUT /projects/:id/pipeline_schedules/:pipeline_schedule_id`.
pub async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let given = Given::read(&mut checks, false);
    let access = open(&app, &call, checks.finish()).await?;
    let schedule = find(&app, &call, &access).await?;
    policy::require_update(&app, &access, &schedule).await?;
    refuse_inputs(&given.inputs)?;
    let ref_name = match &given.ref_name {
        Some(ref_name) => Some(open_ref(&app, &access, ref_name, "update").await?),
        None => None,
    };
    let change = ScheduleChange {
        timing: new_timing(&app, &schedule, &given)?,
        description: given.description,
        ref_name,
        owner_id: None,
    };
    let schedule = app
        .store
        .change_schedule(schedule.id, change, clock::now())
        .await?
        .ok_or_else(|| ApiError::missing("Pipeline Schedule"))?;
    saved(&app, &access, &schedule, "schedule_updated").await;
    changed(&app, &access, &schedule, StatusCode::OK).await
}

/// The timing, if it is another one now. An unchanged one keeps its due time,
/// which may have come already.
fn new_timing(app: &App, schedule: &Schedule, given: &Given) -> ApiResult<Option<Timing>> {
    let old = Timing {
        cron: schedule.cron.clone(),
        cron_timezone: schedule.cron_timezone.clone(),
        is_active: schedule.is_active,
        next_run_at: schedule.next_run_at,
    };
    let new = Timing {
        cron: given.cron.clone().unwrap_or_else(|| old.cron.clone()),
        cron_timezone: given
            .cron_timezone
            .clone()
            .unwrap_or_else(|| old.cron_timezone.clone()),
        is_active: given.active.unwrap_or(old.is_active),
        next_run_at: old.next_run_at,
    };
    let is_same = new == old;
    // A clock that was put back must not bring back what has been dealt with.
    let now = app.config.clock.now();
    let after = schedule.last_due_at.map_or(now, |last| last.max(now));
    let description = given.description.as_ref().unwrap_or(&schedule.description);
    let new = validated(description, new, schedule.seed, after)?;
    Ok((!is_same).then_some(new))
}

async fn saved(app: &App, access: &Access, schedule: &Schedule, action: &str) {
    app.schedules.changed();
    let entry = Entry::new(action, access.standing.user_id)
        .project(access.project.id)
        .details(json!({
            "schedule_id": schedule.id.0,
            "ref": schedule.ref_name,
            "cron": schedule.cron,
            "cron_timezone": schedule.cron_timezone,
            "active": schedule.is_active,
        }));
    app.audit(entry).await;
}

fn new_seed() -> i64 {
    // Without randomness `~` is the same for all schedules, which does no harm.
    getrandom::u64().unwrap_or_default().cast_signed()
}

/// Timing with its next due time, or what the model says of it.
fn validated(description: &str, timing: Timing, seed: i64, after: Timestamp) -> ApiResult<Timing> {
    let timetable = Timetable::read(&timing.cron, &timing.cron_timezone, seed);
    let TimetableError {
        cron,
        zone_is_unknown,
    } = timetable.as_ref().err().cloned().unwrap_or_default();
    let mut errors = FieldErrors::default();
    for (field, is_invalid, value) in [
        ("cron", cron.is_some(), &*timing.cron),
        ("cron_timezone", zone_is_unknown, &*timing.cron_timezone),
        ("description", false, description),
    ] {
        if is_invalid {
            errors.add(field, "syntax is invalid");
        }
        if value.trim().is_empty() {
            errors.add(field, "can't be blank");
        }
    }
    match timetable {
        Ok(timetable) if errors.is_empty() => Ok(Timing {
            next_run_at: timetable.next_after(after),
            ..timing
        }),
        _ => Err(ApiError::from(errors).detail(cron.map(|error| error.to_string()))),
    }
}

/// The full name of a ref that the caller may run on.
async fn open_ref(app: &App, access: &Access, ref_name: &str, verb: &str) -> ApiResult<String> {
    let full = full_name(app, &access.project, ref_name).await?;
    let open = policy::ref_is_open(app, access, full.as_deref().unwrap_or(ref_name));
    if !open.await? {
        let text = format!("The current user is not authorized to {verb} the pipeline schedule");
        return Err(ApiError::invalid("base", text));
    }
    // GitLab says the same of a name that stands for two refs and for none.
    full.ok_or_else(|| ApiError::invalid("ref", "is ambiguous"))
}

/// A full name stays, whether there is such a ref or not; a short one becomes that
/// of the only ref it stands for.
async fn full_name(app: &App, project: &Project, ref_name: &str) -> ApiResult<Option<String>> {
    let Ok(name) = RefName::new(ref_name) else {
        return Ok(None);
    };
    if name.split().0.is_some() {
        return Ok(Some(ref_name.to_owned()));
    }
    let repository = app
        .repositories
        .of(project)
        .await
        .map_err(|error| ApiError::unreachable(&error.message))?;
    app.repositories
        .refresh(project, &name)
        .await
        .map_err(|error| ApiError::unreachable(&error.message))?;
    match repository.resolve(&name).await {
        Ok(found) => Ok(match found.kind {
            RefKind::Branch => Some(format!("refs/heads/{}", found.name)),
            RefKind::Tag => Some(format!("refs/tags/{}", found.name)),
            RefKind::Commit | RefKind::PullRequest => None,
        }),
        Err(ResolveError::NotFound | ResolveError::Ambiguous) => Ok(None),
        Err(ResolveError::Read(error)) => Err(ApiError::unreachable(&error.to_string())),
    }
}
