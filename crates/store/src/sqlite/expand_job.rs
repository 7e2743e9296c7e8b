//! Puts the jobs that a waiting one turned out to be into its run: the run gets
//! another plan, in which the places of all other jobs stay as they were.

use std::sync::Arc;

use tappet_engine::JobEvent;
use tappet_model::plan::{AllowFailure, JobGroup, Need};
use tappet_model::{AttemptId, Status, Timestamp};

use super::attempts;
use super::content::{NewPlan, StoredJob, StoredPlan, hex};
use super::session::Session;
use super::transition::{self, LiveAttempt};
use super::workflows;
use crate::{Action, Advance, NewJobKey, NewLeg, SharedSpec, StoreResult, Target};

/// Jobs that take the place of one, after all work that needs no database.
pub(super) struct NewLegs {
    jobs: Vec<StoredJob>,
    allow_failure: Vec<AllowFailure>,
    specs: Vec<SharedSpec>,
    group: Option<JobGroup>,
}

impl NewLegs {
    /// Serialises and digests the specifications, on the caller's thread.
    pub fn of(legs: Vec<NewLeg>, group: Option<JobGroup>) -> Self {
        let mut new = Self {
            jobs: Vec::with_capacity(legs.len()),
            allow_failure: Vec::with_capacity(legs.len()),
            specs: Vec::with_capacity(legs.len()),
            group,
        };
        for leg in legs {
            let spec = SharedSpec::of(&leg.spec);
            new.jobs.push(StoredJob {
                name: leg.name,
                tags: leg.tags,
                needs: None,
                environment: None,
                key: NewJobKey::of(&leg.spec),
                after: None,
                spec: hex(&spec.digest),
            });
            new.allow_failure.push(leg.allow_failure);
            new.specs.push(spec);
        }
        new
    }

    /// Lets the legs start.
    pub fn write(
        self,
        session: &mut Session,
        id: AttemptId,
        now: Timestamp,
    ) -> StoreResult<Advance> {
        if self.jobs.is_empty() {
            let skip = Action::Job(JobEvent::Skip);
            return transition::act(session, Target::Attempt(id), skip, now);
        }
        let (mut live, position) =
            transition::take_newest(session, id)?.ok_or(tappet_engine::Refused::NotPossible)?;
        let specs = self.specs.clone();
        let plan = NewPlan::of_stored(self.in_place_of(position, &live.plan), specs)?;
        let transitions = live.state.expand(&plan.plan().graph, position)?;
        live.plan = Arc::clone(plan.plan());
        let plan_id = plan.intern(session)?;
        workflows::set_plan(session, live.run.id, plan_id)?;
        let mut new = Vec::new();
        for position in live.attempts.len()..live.state.jobs.len() {
            let graph = &live.plan.graph;
            let mut attempt = LiveAttempt::new(None, graph, position, Status::Created, now);
            attempts::add(session, &live.run, &mut attempt, &live.state.jobs[position])?;
            new.push(attempt.id);
            live.attempts.push(attempt);
        }
        transition::follow(session, live, transitions, new, now)
    }

    /// The plan with these jobs.
    fn in_place_of(self, position: usize, plan: &StoredPlan) -> StoredPlan {
        let graph = plan
            .graph
            .expanded(position, self.allow_failure, self.group);
        let mut jobs = plan.jobs.clone();
        let last_new = jobs.len() + self.jobs.len() - 1;
        for needs in jobs.iter_mut().filter_map(|job| job.needs.as_mut()) {
            if let Some(&Need { artifacts, .. }) = needs.iter().find(|need| need.job == position) {
                let new = plan.jobs.len()..last_new;
                needs.extend(new.map(|job| Need { job, artifacts }));
            }
        }
        let waiting = jobs[position].clone();
        let is_first = |index: usize| index == 0;
        for (index, leg) in self.jobs.into_iter().enumerate() {
            let leg = StoredJob {
                needs: waiting.needs.clone(),
                environment: waiting.environment.clone(),
                after: if is_first(index) {
                    waiting.after
                } else {
                    Some(waiting.after.unwrap_or(position))
                },
                ..leg
            };
            if is_first(index) {
                jobs[position] = leg;
            } else {
                jobs.push(leg);
            }
        }
        StoredPlan {
            graph: Arc::new(graph),
            jobs,
            ..plan.clone()
        }
    }
}
