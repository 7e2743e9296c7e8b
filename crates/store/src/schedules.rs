//! Pipeline schedules: runs that start by the clock.
//!
//! The store knows nothing of cron: it keeps the next due time that it is told
//! and gives each due time away once, in the transaction that creates its run.

use tappet_model::{ProjectId, ScheduleId, Timestamp, UserId, VariableKind};

use crate::{Listing, PageRequest, Verb};

/// A schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Id.
    pub id: ScheduleId,
    /// Whose runs it starts.
    pub project_id: ProjectId,
    /// With whose rights; `None` when that person is gone.
    pub owner_id: Option<UserId>,
    /// For people.
    pub description: String,
    /// Full: `refs/heads/main`.
    pub ref_name: String,
    /// As written.
    pub cron: String,
    /// IANA or Rails name.
    pub cron_timezone: String,
    /// Decides what `~` in `cron` stands for.
    pub seed: i64,
    /// Whether it fires.
    pub is_active: bool,
    /// When it is due next; `None` when never again.
    pub next_run_at: Option<Timestamp>,
    /// The latest time that it was due and has been dealt with.
    pub last_due_at: Option<Timestamp>,
    /// Why nothing started the last time.
    pub failure: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last changed it.
    pub updated_at: Timestamp,
}

/// A schedule to be.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// Where.
    pub project_id: ProjectId,
    /// Who makes it.
    pub owner_id: UserId,
    /// For people.
    pub description: String,
    /// Full.
    pub ref_name: String,
    /// When.
    pub timing: Timing,
    /// Decides what `~` stands for.
    pub seed: i64,
    /// Schedules that a project may have; 0 is no limit.
    pub limit: u64,
    /// Now.
    pub now: Timestamp,
}

/// Everything that decides when a schedule fires.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timing {
    /// As written.
    pub cron: String,
    /// IANA or Rails name.
    pub cron_timezone: String,
    /// Whether it fires.
    pub is_active: bool,
    /// When it is due next.
    pub next_run_at: Option<Timestamp>,
}

/// Changes of a schedule; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ScheduleChange {
    /// For people.
    pub description: Option<String>,
    /// Full.
    pub ref_name: Option<String>,
    /// When.
    pub timing: Option<Timing>,
    /// With whose rights.
    pub owner_id: Option<UserId>,
}

/// One time at which a schedule is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScheduleSlot {
    /// Of this schedule.
    pub schedule_id: ScheduleId,
    /// Its `next_run_at` until the slot is taken.
    pub due_at: Timestamp,
    /// Its `next_run_at` from then on.
    pub next_run_at: Option<Timestamp>,
}

/// How a slot ended without a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SlotEnd {
    /// It was left out on purpose.
    Skipped,
    /// Nothing could start, and why.
    Failed(String),
    /// The same, and the schedule fires no more.
    Deactivated(String),
}

/// A variable that a schedule gives its runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleVariable {
    /// Name, unique in its schedule.
    pub key: String,
    /// Value, encrypted by the server.
    pub sealed_value: Vec<u8>,
    /// Environment or file.
    pub kind: VariableKind,
}

/// Verbs about schedules.
pub trait Schedules {
    /// Adds a schedule; `None` when the project has as many as it may.
    fn create_schedule(&self, new: NewSchedule) -> Verb<'_, Option<Schedule>>;
    /// One schedule of a project.
    fn schedule(&self, project: ProjectId, id: ScheduleId) -> Verb<'_, Option<Schedule>>;
    /// Schedules of a project, oldest first; `active` picks those that fire or
    /// those that do not.
    fn schedules(
        &self,
        project: ProjectId,
        active: Option<bool>,
        page: PageRequest,
    ) -> Verb<'_, Listing<Schedule>>;
    /// Changes a schedule; `None` when there is none. A failure of the past is
    /// forgotten.
    fn change_schedule(
        &self,
        id: ScheduleId,
        change: ScheduleChange,
        now: Timestamp,
    ) -> Verb<'_, Option<Schedule>>;
    /// Removes a schedule; its runs stay. `false` when there was none.
    fn delete_schedule(&self, id: ScheduleId) -> Verb<'_, bool>;

    /// Active schedules that are due, the longest due first.
    fn due_schedules(&self, now: Timestamp) -> Verb<'_, Vec<Schedule>>;
    /// When the next active schedule is due after `after`.
    fn next_schedule_time(&self, after: Timestamp) -> Verb<'_, Option<Timestamp>>;
    /// Takes a slot without a run; `false` when it was taken already.
    fn end_slot(&self, slot: ScheduleSlot, end: SlotEnd) -> Verb<'_, bool>;
    /// Notes why a run that somebody asked for did not start, or that one did.
    fn note_schedule_failure(&self, id: ScheduleId, failure: Option<String>) -> Verb<'_, ()>;

    /// All variables of a schedule by name.
    fn schedule_variables(&self, id: ScheduleId) -> Verb<'_, Vec<ScheduleVariable>>;
    /// Adds a variable; [`StoreError::Taken`](crate::StoreError::Taken) when the
    /// name is in use.
    fn add_schedule_variable(&self, id: ScheduleId, new: ScheduleVariable) -> Verb<'_, ()>;
    /// Replaces the variable of that name; `false` when there is none.
    fn change_schedule_variable(&self, id: ScheduleId, new: ScheduleVariable) -> Verb<'_, bool>;
    /// Removes a variable; `false` when there was none.
    fn delete_schedule_variable(&self, id: ScheduleId, key: String) -> Verb<'_, bool>;
}
