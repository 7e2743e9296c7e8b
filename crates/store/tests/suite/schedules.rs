//! Schedules, their variables, and due times that are given away once.

use tappet_model::{Timestamp, VariableKind};
use tappet_store::*;

use crate::world::{HOUR, SECOND, World, first_page};

fn timing(next: Option<Timestamp>) -> Timing {
    Timing {
        cron: "0 * * * *".into(),
        cron_timezone: "UTC".into(),
        is_active: true,
        next_run_at: next,
    }
}

fn new_schedule(world: &World, next: Option<Timestamp>) -> NewSchedule {
    NewSchedule {
        project_id: world.project,
        owner_id: world.user,
        description: "nightly".into(),
        ref_name: "refs/heads/main".into(),
        timing: timing(next),
        seed: -7,
        limit: 2,
        now: world.now(),
    }
}

async fn add(world: &World, next: Option<Timestamp>) -> Schedule {
    let new = new_schedule(world, next);
    world.store.create_schedule(new).await.unwrap().unwrap()
}

async fn read(world: &World, schedule: &Schedule) -> Schedule {
    let found = world.store.schedule(world.project, schedule.id).await;
    found.unwrap().unwrap()
}

fn slot(schedule: &Schedule) -> ScheduleSlot {
    let due_at = schedule.next_run_at.unwrap();
    ScheduleSlot {
        schedule_id: schedule.id,
        due_at,
        next_run_at: Some(Timestamp(due_at.0 + HOUR)),
    }
}

async fn run_of(world: &World, slot: ScheduleSlot) -> StoreResult<Creation> {
    let mut new = world.new_run(&[crate::world::job("test")]);
    new.origin.schedule_id = Some(slot.schedule_id);
    new.slot = Some(slot);
    world.store.create_run(new).await
}

async fn runs_of(world: &World, schedule: &Schedule) -> usize {
    let filter = RunFilter {
        schedule_id: Some(schedule.id),
        ..RunFilter::default()
    };
    let listing = world.store.runs(world.project, filter, first_page()).await;
    listing.unwrap().items.len()
}

#[tokio::test]
async fn a_schedule_is_kept_as_given() {
    let world = World::new().await;
    let next = world.now();
    let schedule = add(&world, Some(next)).await;
    assert_eq!(schedule.owner_id, Some(world.user));
    assert_eq!(schedule.ref_name, "refs/heads/main");
    assert_eq!((schedule.seed, schedule.next_run_at), (-7, Some(next)));
    let world = world.reopen();
    assert_eq!(read(&world, &schedule).await, schedule);
    let elsewhere = tappet_model::ProjectId(999);
    let foreign = world.store.schedule(elsewhere, schedule.id).await.unwrap();
    assert_eq!(foreign, None);
}

#[tokio::test]
async fn a_project_has_no_more_schedules_than_its_limit() {
    let world = World::new().await;
    add(&world, None).await;
    add(&world, None).await;
    let third = world
        .store
        .create_schedule(new_schedule(&world, None))
        .await;
    assert_eq!(third.unwrap(), None);
    let unlimited = NewSchedule {
        limit: 0,
        ..new_schedule(&world, None)
    };
    assert!(
        world
            .store
            .create_schedule(unlimited)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn lists_are_in_order_and_can_be_halved() {
    let world = World::new().await;
    let first = add(&world, None).await;
    let second = add(&world, None).await;
    let change = ScheduleChange {
        timing: Some(Timing {
            is_active: false,
            ..timing(None)
        }),
        ..ScheduleChange::default()
    };
    let now = world.now();
    world
        .store
        .change_schedule(first.id, change, now)
        .await
        .unwrap();
    let ids = async |active| {
        let listing = world.store.schedules(world.project, active, first_page());
        let listing = listing.await.unwrap();
        assert_eq!(listing.total, Some(listing.items.len() as u64));
        listing.items.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None).await, [first.id, second.id]);
    assert_eq!(ids(Some(true)).await, [second.id]);
    assert_eq!(ids(Some(false)).await, [first.id]);
}

#[tokio::test]
async fn a_change_leaves_the_rest_alone() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let change = ScheduleChange {
        description: Some("weekly".into()),
        ..ScheduleChange::default()
    };
    let now = world.now();
    let changed = world.store.change_schedule(schedule.id, change, now).await;
    let expected = Schedule {
        description: "weekly".into(),
        updated_at: now,
        ..schedule
    };
    assert_eq!(changed.unwrap(), Some(expected));
}

#[tokio::test]
async fn only_active_schedules_become_due() {
    let world = World::new().await;
    let at = world.later(HOUR);
    let schedule = add(&world, Some(at)).await;
    assert_eq!(
        world.store.next_schedule_time(Timestamp(0)).await.unwrap(),
        Some(at)
    );
    let early = world
        .store
        .due_schedules(Timestamp(at.0 - 1))
        .await
        .unwrap();
    assert!(early.is_empty());
    assert_eq!(world.store.due_schedules(at).await.unwrap().len(), 1);
    let change = ScheduleChange {
        timing: Some(Timing {
            is_active: false,
            ..timing(Some(at))
        }),
        ..ScheduleChange::default()
    };
    let now = world.now();
    world
        .store
        .change_schedule(schedule.id, change, now)
        .await
        .unwrap();
    assert!(world.store.due_schedules(at).await.unwrap().is_empty());
    let next = world.store.next_schedule_time(Timestamp(0)).await;
    assert_eq!(next.unwrap(), None);
}

#[tokio::test]
async fn a_slot_starts_one_run() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let slot = slot(&schedule);
    run_of(&world, slot).await.unwrap();
    let world = world.reopen();
    let taken = run_of(&world, slot).await.unwrap_err();
    assert!(
        matches!(taken, StoreError::Taken { field: "slot" }),
        "{taken}"
    );
    assert_eq!(runs_of(&world, &schedule).await, 1);
    let after = read(&world, &schedule).await;
    assert_eq!(after.next_run_at, slot.next_run_at);
    assert_eq!(after.last_due_at, Some(slot.due_at));
}

#[tokio::test]
async fn a_slot_that_was_taken_is_not_given_away_again() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let slot = slot(&schedule);
    run_of(&world, slot).await.unwrap();
    // The clock was put back and somebody saved the schedule again.
    let change = ScheduleChange {
        timing: Some(timing(Some(slot.due_at))),
        ..ScheduleChange::default()
    };
    let now = Timestamp(slot.due_at.0 - SECOND);
    world
        .store
        .change_schedule(schedule.id, change, now)
        .await
        .unwrap();
    assert!(run_of(&world, slot).await.is_err());
    assert_eq!(runs_of(&world, &schedule).await, 1);
}

#[tokio::test]
async fn a_schedule_that_was_switched_off_meanwhile_starts_nothing() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let change = ScheduleChange {
        timing: Some(Timing {
            is_active: false,
            ..timing(schedule.next_run_at)
        }),
        ..ScheduleChange::default()
    };
    let now = world.now();
    world
        .store
        .change_schedule(schedule.id, change, now)
        .await
        .unwrap();
    assert!(run_of(&world, slot(&schedule)).await.is_err());
    assert_eq!(runs_of(&world, &schedule).await, 0);
}

#[tokio::test]
async fn a_slot_can_end_without_a_run() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let first = slot(&schedule);
    let failed = SlotEnd::Failed("Reference not found".into());
    assert!(world.store.end_slot(first, failed.clone()).await.unwrap());
    assert!(!world.store.end_slot(first, failed).await.unwrap());
    let after = read(&world, &schedule).await;
    assert_eq!(after.failure.as_deref(), Some("Reference not found"));
    assert!(after.is_active);

    let second = slot(&after);
    run_of(&world, second).await.unwrap();
    let after = read(&world, &schedule).await;
    assert_eq!(after.failure, None);

    let gone = SlotEnd::Deactivated("the owner is blocked".into());
    assert!(world.store.end_slot(slot(&after), gone).await.unwrap());
    let after = read(&world, &schedule).await;
    assert_eq!(after.failure.as_deref(), Some("the owner is blocked"));
    assert!(!after.is_active);
}

fn variable(key: &str, value: &[u8], kind: VariableKind) -> ScheduleVariable {
    ScheduleVariable {
        key: key.into(),
        sealed_value: value.to_vec(),
        kind,
    }
}

#[tokio::test]
async fn variables_have_names_of_their_own() {
    let world = World::new().await;
    let schedule = add(&world, None).await;
    let store = &world.store;
    let b = variable("B", b"1", VariableKind::EnvVar);
    let a = variable("A", b"2", VariableKind::File);
    store
        .add_schedule_variable(schedule.id, b.clone())
        .await
        .unwrap();
    store
        .add_schedule_variable(schedule.id, a.clone())
        .await
        .unwrap();
    let again = store.add_schedule_variable(schedule.id, b).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "key" })));
    let changed = variable("B", b"3", VariableKind::File);
    let done = store
        .change_schedule_variable(schedule.id, changed.clone())
        .await;
    assert!(done.unwrap());
    let all = store.schedule_variables(schedule.id).await.unwrap();
    assert_eq!(all, [a, changed]);
    let removed = store
        .delete_schedule_variable(schedule.id, "A".into())
        .await;
    assert!(removed.unwrap());
    let unknown = variable("A", b"", VariableKind::EnvVar);
    let done = store.change_schedule_variable(schedule.id, unknown).await;
    assert!(!done.unwrap());
}

#[tokio::test]
async fn a_removed_schedule_takes_its_variables_and_leaves_its_runs() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let one = variable("A", b"1", VariableKind::EnvVar);
    world
        .store
        .add_schedule_variable(schedule.id, one)
        .await
        .unwrap();
    run_of(&world, slot(&schedule)).await.unwrap();
    assert!(world.store.delete_schedule(schedule.id).await.unwrap());
    assert!(!world.store.delete_schedule(schedule.id).await.unwrap());
    let left = world.store.schedule_variables(schedule.id).await.unwrap();
    assert!(left.is_empty());
    assert_eq!(runs_of(&world, &schedule).await, 1);
    let next = add(&world, None).await;
    assert!(next.id > schedule.id, "an id was used again");
}

#[tokio::test]
async fn the_schedules_of_somebody_who_is_blocked_or_left_are_switched_off() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let leaver = crate::people::add(&world, "leaver").await;
    let other = NewSchedule {
        owner_id: leaver,
        ..new_schedule(&world, None)
    };
    let other = world.store.create_schedule(other).await.unwrap().unwrap();
    world.store.set_blocked(leaver, true).await.unwrap();
    let ended = read(&world, &other).await;
    assert!(!ended.is_active);
    assert!(ended.failure.unwrap().contains("take ownership"));
    assert!(read(&world, &schedule).await.is_active);
}

#[tokio::test]
async fn a_deleted_project_has_no_schedules() {
    let world = World::new().await;
    let schedule = add(&world, Some(world.now())).await;
    let gone = world.store.delete_project(world.project, world.now()).await;
    assert!(gone.unwrap());
    let found = world.store.schedule(world.project, schedule.id).await;
    assert_eq!(found.unwrap(), None);
    assert!(
        world
            .store
            .due_schedules(world.now())
            .await
            .unwrap()
            .is_empty()
    );
}
