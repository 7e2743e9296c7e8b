//! Starts the run of a schedule, by the clock or by hand.

use std::time::Duration;

use serde_json::json;
use tappet_model::{Source, Timestamp, Variable};
use tappet_store::{Project, Schedule, ScheduleSlot, SlotEnd, StoreError, StoreResult, User};

use super::decision::{Decision, decide};
use super::{Timetable, reveal};
use crate::app::App;
use crate::audit::Entry;
use crate::intake::{self, Refusal, RunRequest, Started};
use crate::rights::Right;

/// After an error of the database a schedule is tried again this much later.
const AFTER_ERROR: Duration = Duration::from_secs(60);

/// Deals with one schedule that is due. Gives the time to try again when it has
/// to stay due.
pub async fn fire(app: &App, schedule: Schedule, now: Timestamp) -> Option<Timestamp> {
    match try_fire(app, &schedule, now).await {
        Ok(later) => later,
        Err(error) => {
            tracing::warn!(schedule = %schedule.id, %error, "cannot start a scheduled run");
            Some(now.plus(AFTER_ERROR))
        }
    }
}

async fn try_fire(
    app: &App,
    schedule: &Schedule,
    now: Timestamp,
) -> StoreResult<Option<Timestamp>> {
    let timetable = Timetable::read(&schedule.cron, &schedule.cron_timezone, schedule.seed);
    let next_after = |after| timetable.as_ref().ok()?.next_after(after);
    let slot = match decide(schedule, next_after, now, app.config.missed_schedules) {
        Decision::Wait => return Ok(None),
        Decision::Skip(slot) => {
            app.store.end_slot(slot, SlotEnd::Skipped).await?;
            return Ok(None);
        }
        Decision::Run(slot) => slot,
    };
    if let Err(error) = &timetable {
        return end(app, schedule, slot, SlotEnd::Deactivated(error.to_string())).await;
    }
    let Some(project) = app.store.project(schedule.project_id).await? else {
        return Ok(None);
    };
    let owner = match able_owner(app, schedule, &project).await? {
        Ok(owner) => owner,
        Err(how) => return end(app, schedule, slot, how).await,
    };
    match start(app, schedule.clone(), project, owner, Some(slot)).await {
        Ok(_) => Ok(None),
        // Taken, removed or changed meanwhile: whoever did it told this task.
        Err(Refusal::Store(StoreError::Taken { field: "slot" })) => Ok(None),
        Err(Refusal::Store(error)) => Err(error),
        Err(Refusal::Unavailable { retry_after, .. } | Refusal::QueueFull { retry_after }) => {
            Ok(Some(now.plus(retry_after)))
        }
        Err(refused) => end(app, schedule, slot, SlotEnd::Failed(refused.to_string())).await,
    }
}

/// The owner, when that person may still start runs here; else how the slot ends.
async fn able_owner(
    app: &App,
    schedule: &Schedule,
    project: &Project,
) -> StoreResult<Result<User, SlotEnd>> {
    if project.settings.is_archived {
        return Ok(Err(SlotEnd::Failed("the project is archived".to_owned())));
    }
    let owner = match schedule.owner_id {
        Some(id) => app.store.user(id).await?,
        None => None,
    };
    if let Some(owner) = owner
        && app
            .standing(Some(&owner), project)
            .await?
            .may(Right::RunPipelines, project)
    {
        return Ok(Ok(owner));
    }
    Ok(Err(SlotEnd::Deactivated(
        "the owner may not start pipelines here any more: somebody who may has to take \
         ownership and activate the schedule"
            .to_owned(),
    )))
}

async fn end(
    app: &App,
    schedule: &Schedule,
    slot: ScheduleSlot,
    how: SlotEnd,
) -> StoreResult<Option<Timestamp>> {
    let (action, reason) = match &how {
        SlotEnd::Skipped => ("schedule_skipped", None),
        SlotEnd::Failed(reason) => ("schedule_failed", Some(reason.clone())),
        SlotEnd::Deactivated(reason) => ("schedule_deactivated", Some(reason.clone())),
    };
    if app.store.end_slot(slot, how).await? {
        let entry = Entry::new(action, None)
            .project(schedule.project_id)
            .details(json!({ "schedule_id": schedule.id.0, "reason": reason }));
        app.audit(entry).await;
    }
    Ok(None)
}

/// Starts a run of a schedule now, as somebody who asks for it; its due times stay.
pub async fn play(
    app: &App,
    schedule: Schedule,
    project: Project,
    user: User,
) -> Result<Started, Refusal> {
    let id = schedule.id;
    let played = start(app, schedule, project, user, None).await;
    let failure = match &played {
        Ok(_) => None,
        Err(refused) => Some(refused.to_string()),
    };
    app.store.note_schedule_failure(id, failure).await?;
    played
}

async fn start(
    app: &App,
    schedule: Schedule,
    project: Project,
    user: User,
    slot: Option<ScheduleSlot>,
) -> Result<Started, Refusal> {
    let variables = variables(app, &schedule).await?;
    let ref_name = schedule.ref_name.clone();
    let request = RunRequest {
        variables,
        credential: format!("schedule:{}", schedule.id),
        schedule: Some(schedule),
        slot,
        ..RunRequest::new(project, Some(user), Source::Schedule, ref_name)
    };
    intake::start_run(app, request).await
}

async fn variables(app: &App, schedule: &Schedule) -> Result<Vec<Variable>, Refusal> {
    let sealed = app.store.schedule_variables(schedule.id).await?;
    sealed
        .into_iter()
        .map(|variable| reveal(&app.secrets, variable))
        .collect::<Result<_, _>>()
        .map_err(|error| Refusal::NotStarted {
            message: error.to_string(),
        })
}
