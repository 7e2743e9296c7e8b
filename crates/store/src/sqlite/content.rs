//! What many runs share and nobody changes: compiled workflows and job
//! specifications, stored once per content and remembered while in use.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tappet_engine::Graph;
use tappet_model::Environment;
use tappet_model::plan::{JobSpec, Need, PlannedWorkflow};

use super::recent::Recent;
use super::session::Session;
use super::statement::statements;
use crate::{JobKey, NewJobKey, NewWorkflow, RunNotes, SharedSpec, StoreError, StoreResult};

statements! {
    PLAN = "SELECT body FROM plans WHERE id = ?1";
    PLAN_ID = "SELECT id FROM plans WHERE digest = ?1";
    ADD_PLAN = "INSERT INTO plans (id, digest, body) VALUES (?1, ?2, ?3)";
    SPEC = "SELECT body FROM specs WHERE digest = unhex(?1)";
    ADD_SPEC = "INSERT INTO specs (digest, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
}

/// A compiled workflow as all its runs share it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredPlan {
    /// Path of the pipeline file.
    pub path: String,
    /// Stage names in order.
    pub stages: Vec<String>,
    /// The workflows, one for each stage; none for a `.gitlab-ci.yml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workflows: Vec<PlannedWorkflow>,
    /// For the engine; `jobs` is parallel to its jobs.
    pub graph: Arc<Graph>,
    /// What the engine need not know of each job.
    pub jobs: Vec<StoredJob>,
    /// Jobs left out and warnings.
    pub notes: RunNotes,
}

/// The fixed facts of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredJob {
    /// Unique in the workflow.
    pub name: String,
    /// Runner tags.
    pub tags: Vec<String>,
    /// As given.
    pub needs: Option<Vec<Need>>,
    /// As given; plans of earlier versions have none.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// As given; such a job has steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<NewJobKey>,
    /// Position of the leg of its matrix after which it is shown, when it came to
    /// the plan later than the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<usize>,
    /// Digest of its specification, in hex.
    pub spec: String,
}

impl StoredPlan {
    /// Name of the stage of the job at `position`.
    pub fn stage_of(&self, position: usize) -> &str {
        let stage = self.graph.jobs.get(position).map_or(0, |job| job.stage);
        self.stages.get(stage).map_or("", String::as_str)
    }

    /// What brings jobs into the order in which they are shown: by stage, and legs of
    /// a matrix together.
    pub fn place_of(&self, position: usize) -> (usize, usize, usize) {
        let stage = self.graph.jobs.get(position).map_or(0, |job| job.stage);
        let first = self.jobs.get(position).and_then(|job| job.after);
        (stage, first.unwrap_or(position), position)
    }

    /// Which job of a workflow in GitHub Actions syntax stands at `position`.
    pub fn key_of(&self, position: usize) -> Option<JobKey> {
        let key = self.jobs.get(position)?.key.as_ref()?;
        let stage = self.graph.jobs.get(position)?.stage;
        Some(JobKey {
            file: self.workflows.get(stage)?.file.clone(),
            job: key.job.clone(),
            leg: key.leg,
        })
    }
}

/// A plan ready to be written, with the specifications it names.
pub(super) struct NewPlan {
    plan: Arc<StoredPlan>,
    digest: [u8; 32],
    body: String,
    specs: Vec<SharedSpec>,
}

impl NewPlan {
    /// Serialises and digests a workflow: work for the caller's thread.
    pub fn of(workflow: NewWorkflow) -> StoreResult<Self> {
        let mut specs: Vec<SharedSpec> = Vec::with_capacity(workflow.jobs.len());
        let mut jobs = Vec::with_capacity(workflow.jobs.len());
        for job in workflow.jobs {
            jobs.push(StoredJob {
                name: job.name,
                tags: job.tags,
                needs: job.needs,
                environment: job.environment,
                key: job.key,
                after: None,
                spec: hex(&job.spec.digest),
            });
            specs.push(job.spec);
        }
        let plan = StoredPlan {
            path: workflow.path,
            stages: workflow.stages,
            workflows: workflow.workflows,
            graph: workflow.graph,
            jobs,
            notes: workflow.notes,
        };
        Self::of_stored(plan, specs)
    }

    /// Serialises and digests a plan that names these specifications.
    pub fn of_stored(plan: StoredPlan, specs: Vec<SharedSpec>) -> StoreResult<Self> {
        let body = serde_json::to_string(&plan).map_err(|error| {
            StoreError::Database(format!("cannot write a plan as JSON: {error}"))
        })?;
        Ok(Self {
            plan: Arc::new(plan),
            digest: Sha256::digest(body.as_bytes()).into(),
            body,
            specs,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<StoredPlan> {
        &self.plan
    }

    /// Writes what is not there yet and returns the plan's id.
    pub fn intern(&self, session: &mut Session) -> StoreResult<i64> {
        if let Some(id) = session.plan_ids.get(&self.digest) {
            return Ok(id);
        }
        let known: Option<i64> = session
            .conn
            .prepare_cached(PLAN_ID)?
            .query_row([self.digest], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                let mut add = session.conn.prepare_cached(ADD_SPEC)?;
                for spec in &self.specs {
                    add.execute((spec.digest, &*spec.json))?;
                }
                session.last_plan += 1;
                session.conn.prepare_cached(ADD_PLAN)?.execute((
                    session.last_plan,
                    self.digest,
                    &self.body,
                ))?;
                session.last_plan
            }
        };
        session.plan_ids.insert(self.digest, id);
        session.contents.remember_plan(id, Arc::clone(&self.plan));
        Ok(id)
    }
}

/// Shared by all connections.
pub(super) struct Contents {
    plans: Mutex<Recent<i64, Arc<StoredPlan>>>,
    specs: Mutex<Recent<String, Arc<JobSpec>>>,
}

impl Contents {
    /// Nothing remembered yet.
    pub fn new() -> Self {
        Self {
            plans: Mutex::new(Recent::new(32)),
            specs: Mutex::new(Recent::new(128)),
        }
    }

    fn remember_plan(&self, id: i64, plan: Arc<StoredPlan>) {
        self.plans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, plan);
    }
}

/// A connection with the memory of immutable rows: what every read works with.
pub(super) struct Db<'a> {
    /// Inside a transaction.
    pub conn: &'a Connection,
    /// Shared by all connections.
    pub contents: &'a Contents,
}

impl Db<'_> {
    /// The plan of a workflow.
    pub fn plan(&self, id: i64) -> StoreResult<Arc<StoredPlan>> {
        let known = self
            .contents
            .plans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id);
        if let Some(plan) = known {
            return Ok(plan);
        }
        let body: String = self
            .conn
            .prepare_cached(PLAN)?
            .query_row([id], |row| row.get(0))?;
        let plan: StoredPlan = serde_json::from_str(&body)
            .map_err(|error| StoreError::Database(format!("plan {id} is damaged: {error}")))?;
        let plan = Arc::new(plan);
        self.contents.remember_plan(id, Arc::clone(&plan));
        Ok(plan)
    }

    /// The specification with this digest.
    pub fn spec(&self, digest: &str) -> StoreResult<Arc<JobSpec>> {
        let specs = || {
            self.contents
                .specs
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(spec) = specs().get(&digest.to_owned()) {
            return Ok(spec);
        }
        let body: String = self
            .conn
            .prepare_cached(SPEC)?
            .query_row([digest], |row| row.get(0))?;
        let spec: JobSpec = serde_json::from_str(&body).map_err(|error| {
            StoreError::Database(format!("job specification {digest} is damaged: {error}"))
        })?;
        let spec = Arc::new(spec);
        specs().insert(digest.to_owned(), Arc::clone(&spec));
        Ok(spec)
    }
}

/// As digests of specifications are written in plans.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a `.gitlab-ci.yml` led to before runs could hold several workflows.
    const OLDER: &str = r#"{"path":".gitlab-ci.yml","stages":["test"],"graph":{"jobs":[{"stage":0,"when":"on_success","allow_failure":"no","needs":null,"retry":{"max":0,"when":null,"exit_codes":[]}}],"cancel_on_job_failure":false},"jobs":[{"name":"test","tags":[],"needs":null,"environment":null,"spec":"00"}],"notes":{"left_out":[],"warnings":[]}}"#;

    /// The same content must lead to the same digest, or it would be kept again.
    #[test]
    fn plans_of_earlier_versions_are_read_and_written_as_they_were() {
        let plan: StoredPlan = serde_json::from_str(OLDER).unwrap();
        assert_eq!(plan.workflows, []);
        assert_eq!(plan.graph.jobs[0].group, None);
        assert_eq!(serde_json::to_string(&plan).unwrap(), OLDER);
    }
}
