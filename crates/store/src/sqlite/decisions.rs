//! Jobs about which somebody has to decide, and what a decision looks at.

use tappet_engine::{Graph, is_allowed_failure};
use tappet_model::plan::JobGroup;
use tappet_model::{AttemptId, RunId, Status, Timestamp};

use super::content::{Db, StoredPlan};
use super::expand_job::NewLegs;
use super::statement::statements;
use super::{SqliteStore, attempts, projects, runs, steps_reports, users};
use crate::{Advance, Decision, NeededJob, NeededLeg, NewLeg, StoreError, StoreResult, Verb};

statements! {
    WAITING = "SELECT id FROM attempts INDEXED BY undecided_attempts
               WHERE status = 'waiting_for_callback' AND NOT is_retried ORDER BY id";
}

fn waiting(db: &Db<'_>) -> StoreResult<Vec<AttemptId>> {
    let mut statement = db.conn.prepare_cached(WAITING)?;
    let rows = statement.query_map([], |row| Ok(AttemptId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn decision(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<Decision>> {
    let Some(attempt) = attempts::attempt(db, id)?
        .filter(|attempt| attempt.status == Status::WaitingForCallback && !attempt.is_retried)
    else {
        return Ok(None);
    };
    let Some((run, Some(plan))) = runs::run_with_plan(db, attempt.run_id)? else {
        return Ok(None);
    };
    Ok(Some(Decision {
        project: projects::any(db, run.project_id)?.ok_or(StoreError::NotFound("project"))?,
        user: match run.user_id {
            Some(id) => Some(users::user(db, id)?.ok_or(StoreError::NotFound("user"))?),
            None => None,
        },
        spec: db.spec(&plan.jobs[attempt.position].spec)?,
        sealed_event: runs::event(db, run.id)?,
        needs: needs(db, run.id, &plan, attempt.position)?,
        attempt,
        run,
    }))
}

/// All jobs that have to be over before the one at this position, those that it
/// needs by itself first.
pub(super) fn needs(
    db: &Db<'_>,
    run: RunId,
    plan: &StoredPlan,
    position: usize,
) -> StoreResult<Vec<NeededJob>> {
    let before = before(&plan.graph, position);
    if before.is_empty() {
        return Ok(Vec::new());
    }
    let newest = attempts::live(db, run)?;
    let mut outputs = steps_reports::outputs(db, run)?;
    let mut needed: Vec<NeededJob> = Vec::new();
    for (position, is_direct) in before {
        let (Some((attempt, state)), Some(job)) = (newest.get(position), plan.jobs.get(position))
        else {
            return Err(StoreError::Database(format!(
                "run {run} has no job {position}, although others need it"
            )));
        };
        let output = outputs.iter().position(|(of, _)| *of == position);
        let leg = NeededLeg {
            status: attempt.status,
            allow_failure: is_allowed_failure(&plan.graph.jobs[position], state.exit_code),
            sealed_outputs: output.map(|index| outputs.swap_remove(index).1),
        };
        let key = job.key.as_ref().map_or(&job.name, |key| &key.job);
        match needed.iter_mut().find(|known| known.key == *key) {
            Some(known) => known.legs.push(leg),
            None => needed.push(NeededJob {
                key: key.clone(),
                is_direct,
                legs: vec![leg],
            }),
        }
    }
    Ok(needed)
}

/// Positions of the jobs that come before the one at `position`, and whether it
/// needs them by itself; those come first, and each kind in order.
fn before(graph: &Graph, position: usize) -> Vec<(usize, bool)> {
    let needs_of = |job: usize| graph.jobs[job].needs.as_deref().unwrap_or_default();
    let direct = needs_of(position);
    let mut is_found = vec![false; graph.jobs.len()];
    let mut open = direct.to_vec();
    while let Some(job) = open.pop() {
        if !std::mem::replace(&mut is_found[job], true) {
            open.extend(needs_of(job));
        }
    }
    let mut found: Vec<(usize, bool)> = (0..is_found.len())
        .filter(|&job| is_found[job])
        .map(|job| (job, direct.contains(&job)))
        .collect();
    found.sort_by_key(|&(_, is_direct)| !is_direct);
    found
}

impl crate::Decisions for SqliteStore {
    fn attempts_to_decide(&self) -> Verb<'_, Vec<AttemptId>> {
        Box::pin(async move { self.readers.read(waiting) })
    }

    fn decision(&self, id: AttemptId) -> Verb<'_, Option<Decision>> {
        Box::pin(async move { self.readers.read(|db| decision(db, id)) })
    }

    fn expand_job(
        &self,
        id: AttemptId,
        legs: Vec<NewLeg>,
        group: Option<JobGroup>,
        now: Timestamp,
    ) -> Verb<'_, Advance> {
        let legs = NewLegs::of(legs, group);
        Box::pin(
            self.writer
                .write(move |session| legs.write(session, id, now)),
        )
    }
}

#[cfg(test)]
mod tests {
    use tappet_engine::GraphJob;
    use tappet_model::plan::{AllowFailure, RetryPolicy, When};

    use super::*;
    use crate::sqlite::connection;

    #[test]
    fn what_is_needed_by_itself_comes_before_what_that_needs() {
        let job = |needs: &[usize]| GraphJob {
            stage: 0,
            when: When::Decided,
            allow_failure: AllowFailure::No,
            needs: Some(needs.to_vec()),
            retry: RetryPolicy::default(),
            group: None,
        };
        let graph = Graph {
            jobs: vec![job(&[]), job(&[0]), job(&[]), job(&[4, 1]), job(&[0])],
            ..Graph::default()
        };
        assert_eq!(before(&graph, 3), [(1, true), (4, true), (0, false)]);
        assert_eq!(before(&graph, 2), []);
    }

    #[test]
    fn only_attempts_that_wait_for_a_decision_are_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let database = connection::open_writer(&directory.path().join("tappet.db")).unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {WAITING}");
        let mut statement = database.conn.prepare(&explain).unwrap();
        let steps: Vec<String> = statement
            .query_map([], |row| row.get("detail"))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(steps[0].contains("INDEX undecided_attempts"), "{steps:?}");
    }
}
