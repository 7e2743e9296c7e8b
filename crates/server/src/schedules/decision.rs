//! What to do about a schedule now.

use std::time::Duration;

use tappet_model::Timestamp;
use tappet_store::{Schedule, ScheduleSlot};

/// A due time this long past was missed; a busy server is not that late.
const PUNCTUAL: Duration = Duration::from_secs(60);

/// What becomes of due times that passed while nobody looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MissedSlots {
    /// However many there were, one late run.
    #[default]
    RunOnce,
    /// Nothing; the next due time is the next chance.
    Skip,
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It is not due.
    Wait,
    /// Start a run and take the slot with it.
    Run(ScheduleSlot),
    /// Take the slot, start nothing.
    Skip(ScheduleSlot),
}

/// Decides from the schedule, the time, and when the schedule is due after a time.
pub fn decide(
    schedule: &Schedule,
    next_after: impl Fn(Timestamp) -> Option<Timestamp>,
    now: Timestamp,
    missed: MissedSlots,
) -> Decision {
    let Some(due_at) = schedule
        .next_run_at
        .filter(|due_at| *due_at <= now && schedule.is_active)
    else {
        return Decision::Wait;
    };
    let slot = ScheduleSlot {
        schedule_id: schedule.id,
        due_at,
        next_run_at: next_after(now),
    };
    if missed == MissedSlots::Skip && now.since(due_at) > PUNCTUAL {
        Decision::Skip(slot)
    } else {
        Decision::Run(slot)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{ProjectId, ScheduleId};

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    /// Due at every full hour.
    fn hourly(after: Timestamp) -> Option<Timestamp> {
        Some(Timestamp((after.0.div_euclid(HOUR) + 1) * HOUR))
    }

    fn due_at(next_run_at: Option<i64>) -> Schedule {
        Schedule {
            id: ScheduleId(1),
            project_id: ProjectId(1),
            owner_id: None,
            description: String::new(),
            ref_name: String::new(),
            cron: String::new(),
            cron_timezone: String::new(),
            seed: 0,
            is_active: true,
            next_run_at: next_run_at.map(Timestamp),
            last_due_at: None,
            failure: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn slot(due_at: i64, next: i64) -> ScheduleSlot {
        ScheduleSlot {
            schedule_id: ScheduleId(1),
            due_at: Timestamp(due_at),
            next_run_at: Some(Timestamp(next)),
        }
    }

    use Decision::{Run, Skip, Wait};
    use MissedSlots::RunOnce;

    #[rstest]
    #[case::early(10 * HOUR, 10 * HOUR - 1, RunOnce, Wait)]
    #[case::on_time(10 * HOUR, 10 * HOUR, RunOnce, Run(slot(10 * HOUR, 11 * HOUR)))]
    #[case::a_little_late(
        10 * HOUR, 10 * HOUR + 5, MissedSlots::Skip, Run(slot(10 * HOUR, 11 * HOUR))
    )]
    #[case::three_missed(
        10 * HOUR, 12 * HOUR + 5, RunOnce, Run(slot(10 * HOUR, 13 * HOUR))
    )]
    #[case::three_skipped(
        10 * HOUR, 12 * HOUR + 5, MissedSlots::Skip, Skip(slot(10 * HOUR, 13 * HOUR))
    )]
    #[case::clock_put_back(10 * HOUR, 5 * HOUR, RunOnce, Wait)]
    fn by_the_clock(
        #[case] due: i64,
        #[case] now: i64,
        #[case] missed: MissedSlots,
        #[case] expected: Decision,
    ) {
        let decision = decide(&due_at(Some(due)), hourly, Timestamp(now), missed);
        assert_eq!(decision, expected);
    }

    #[test]
    fn what_is_never_due_or_switched_off_waits() {
        let now = Timestamp(HOUR);
        assert_eq!(decide(&due_at(None), hourly, now, RunOnce), Wait);
        let inactive = Schedule {
            is_active: false,
            ..due_at(Some(1))
        };
        assert_eq!(decide(&inactive, hourly, now, RunOnce), Wait);
    }
}
