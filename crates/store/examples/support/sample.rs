//! Ended runs of many kinds, made by the store's own verbs, each kind in its
//! share: most are on `main` and succeed, a few kinds come once in a sample.

use std::ops::RangeInclusive;

use futures_util::future::try_join_all;
use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{
    AttemptId, CiConfigId, FailureReason, ProjectId, PullRequest, RefKind, RunId, RunnerId,
    ScheduleId, Source, Timestamp, TriggerId, UserId,
};
use tappet_store::{
    Action, Claim, Creation, NewPullRequestRun, NewRun, NewRunContent, NewUser, PageRequest,
    Profile, Store, Target, TokenHash,
};

use crate::runs::{Failure, new_run};

/// From one run's creation to the next one's, in microseconds.
pub const SPACING: i64 = 60 * SECOND;

const SECOND: i64 = 1_000_000;

const JOBS: [&str; 3] = ["build", "test", "deploy"];

const AT_ONCE: usize = 50;

/// Numbers of the runs that are the only ones of their kind.
const FROM_WEB: i64 = 3;
const CANCELED: i64 = 9;
const BY_BOB: i64 = 11;
const INVALID: i64 = 13;
const RELEASE: i64 = 17;
const RETRIED: i64 = 21;

/// The first runs of a project, by number.
pub struct Sample<'a> {
    store: &'a dyn Store,
    project: ProjectId,
    runner: RunnerId,
    trigger: Option<TriggerId>,
    config: CiConfigId,
    ann: UserId,
    bob: UserId,
    carl: UserId,
    /// When the first run is created.
    start: Timestamp,
}

impl<'a> Sample<'a> {
    /// Of a project and the person who has most of its runs.
    pub async fn of(
        store: &'a dyn Store,
        (project, ann): (ProjectId, UserId),
        start: Timestamp,
    ) -> Result<Self, Failure> {
        let runner = store.ensure_embedded_runner(TokenHash([9; 32]), start);
        let triggers = store.triggers(project, start, PageRequest::default());
        let configs = store.ci_configs(project).await?;
        let config = configs.first().ok_or("the project has no CI config")?;
        Ok(Self {
            store,
            project,
            config: config.id,
            runner: runner.await?.id,
            trigger: triggers.await?.items.first().map(|trigger| trigger.id),
            ann,
            bob: person(store, "bob", start).await?,
            carl: person(store, "carl", start).await?,
            start,
        })
    }

    /// Creates the runs with these numbers, which become their ids, and brings
    /// them to their ends.
    pub async fn make(&self, numbers: RangeInclusive<i64>) -> Result<(), Failure> {
        let (first, last) = numbers.into_inner();
        for first in (first..=last).step_by(AT_ONCE) {
            let last = last.min(first + AT_ONCE as i64 - 1);
            self.make_some(first..=last).await?;
        }
        Ok(())
    }

    /// Some at once, because each write waits for the disk.
    async fn make_some(&self, numbers: RangeInclusive<i64>) -> Result<(), Failure> {
        let new = numbers.clone().map(|number| self.new_run(number));
        let new = new.collect::<Result<Vec<_>, _>>()?;
        let created = new.into_iter().map(|new| self.store.create_run(new));
        for (number, creation) in numbers.clone().zip(try_join_all(created).await?) {
            if !matches!(creation, Creation::Created { ref advance, .. } if advance.run.id == RunId(number))
            {
                return Err("the database has runs already: fill a new one".into());
            }
        }
        let now = after(self.created_at(*numbers.end()), 1);
        if numbers.contains(&CANCELED) {
            let target = Target::Run(RunId(CANCELED));
            let cancel = Action::Run(RunEvent::Cancel);
            self.store.act(target, cancel, now).await?;
        }
        let failing = |run: RunId| {
            let fails = run.0 == RETRIED || roll(run.0, 1, 10) == 0;
            fails.then(|| JOBS[pick(run.0, 2, JOBS.len())])
        };
        let failed = self.finish(now, failing).await?;
        if let Some((_, attempt)) = failed.iter().find(|(run, _)| run.0 == RETRIED) {
            let now = after(now, 1000);
            let retry = Action::Job(JobEvent::Retry);
            self.store
                .act(Target::Attempt(*attempt), retry, now)
                .await?;
            self.finish(now, |_| None).await?;
        }
        Ok(())
    }

    fn created_at(&self, number: i64) -> Timestamp {
        Timestamp(self.start.0 + (number - 1) * SPACING)
    }

    fn new_run(&self, number: i64) -> Result<NewRun, Failure> {
        let mut new = new_run(self.project, self.ann, &JOBS)?;
        new.now = self.created_at(number);
        new.sha = format!("{:040x}", number / 2).parse()?;
        new.credential = "token:1".into();
        new.source = match roll(number, 3, 5) {
            _ if number == FROM_WEB => Source::Web,
            0 => Source::Schedule,
            1 => Source::Api,
            2 => Source::Trigger,
            _ => Source::Push,
        };
        match new.source {
            Source::Schedule => new.origin.schedule_id = Some(ScheduleId(1)),
            Source::Trigger => new.trigger_id = self.trigger,
            _ => {}
        }
        (new.ref_kind, new.ref_name) = match roll(number, 4, 50) {
            0 => (RefKind::Tag, format!("v{number}")),
            1 => (RefKind::Branch, format!("topic/{number}")),
            2..20 => (RefKind::Branch, format!("branch-{}", roll(number, 5, 200))),
            _ => (RefKind::Branch, "main".to_owned()),
        };
        if roll(number, 8, 4) == 0 {
            self.propose(&mut new, number);
        }
        new.user_id = Some(match roll(number, 6, 4) {
            _ if number == BY_BOB => self.bob,
            0 => self.carl,
            _ => self.ann,
        });
        if number == INVALID {
            new.content = NewRunContent::Invalid {
                errors: "jobs config should contain at least one visible job".into(),
                reason: FailureReason::ConfigError,
            };
        } else if let NewRunContent::Planned(workflow) = &mut new.content {
            workflow.name = match roll(number, 7, 2) {
                _ if number == RELEASE => Some("release".into()),
                0 => Some("nightly".into()),
                _ => None,
            };
        }
        Ok(new)
    }

    /// Makes it a run of a pull request with the same number.
    fn propose(&self, new: &mut NewRun, number: i64) {
        let pull_request = PullRequest {
            number: number.to_string(),
            head_branch: format!("branch-{}", roll(number, 5, 200)),
            head_sha: new.sha.to_string(),
            base_branch: "main".into(),
            base_sha: format!("{:040x}", number / 2 + 1),
            ..PullRequest::default()
        };
        new.source = Source::MergeRequestEvent;
        (new.ref_kind, new.ref_name) = (RefKind::PullRequest, pull_request.ref_name());
        new.trigger_id = None;
        new.origin.schedule_id = None;
        new.pull_request = Some(NewPullRequestRun {
            config_id: self.config,
            pull_request,
            is_from_forge: roll(number, 9, 2) == 0,
            hold: None,
            supersedes: false,
        });
    }

    /// Runs all that waits; gives what failed.
    async fn finish(
        &self,
        mut now: Timestamp,
        failing: impl Fn(RunId) -> Option<&'static str>,
    ) -> Result<Vec<(RunId, AttemptId)>, Failure> {
        let mut failed = Vec::new();
        loop {
            let claims = (0..AT_ONCE).map(|_| self.store.claim(self.claim(now)));
            let taken: Vec<_> = try_join_all(claims).await?.into_iter().flatten().collect();
            if taken.is_empty() {
                return Ok(failed);
            }
            let mut ends = Vec::new();
            for attempt in taken.into_iter().map(|assignment| assignment.attempt) {
                now = after(now, 1);
                let event = if failing(attempt.run_id) == Some(attempt.name.as_str()) {
                    failed.push((attempt.run_id, attempt.id));
                    JobEvent::Drop {
                        reason: FailureReason::ScriptFailure,
                        exit_code: Some(1),
                    }
                } else {
                    JobEvent::Success
                };
                let target = Target::Attempt(attempt.id);
                ends.push(self.store.act(target, Action::Job(event), now));
            }
            try_join_all(ends).await?;
        }
    }

    fn claim(&self, now: Timestamp) -> Claim {
        Claim {
            runner_id: self.runner,
            system_id: "s_1".into(),
            tags: Vec::new(),
            run_untagged: true,
            cancels_gracefully: true,
            runs_steps: false,
            is_expected: false,
            now,
        }
    }
}

async fn person(store: &dyn Store, username: &str, now: Timestamp) -> Result<UserId, Failure> {
    let new = NewUser {
        username: username.to_owned(),
        name: username.to_owned(),
        email: format!("{username}@example.com"),
        is_admin: false,
        is_external: false,
        password: None,
        profile: Profile::default(),
        now,
    };
    Ok(store.create_user(new).await?.user.id)
}

fn after(time: Timestamp, seconds: i64) -> Timestamp {
    Timestamp(time.0 + seconds * SECOND)
}

/// A die with so many sides, thrown once for each number and question
/// (SplitMix64), so that the answers to two questions do not depend on each
/// other.
fn roll(number: i64, question: u64, sides: u64) -> u64 {
    let mut value = number.unsigned_abs() ^ (question << 48);
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (value ^ (value >> 31)) % sides
}

fn pick(number: i64, question: u64, count: usize) -> usize {
    let side = roll(number, question, count as u64);
    usize::try_from(side).unwrap_or_default()
}
