//! Runs to be, for measuring.

use std::error::Error;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tappet_engine::Graph;
use tappet_model::plan::{JobSpec, Plan, PlannedJob};
use tappet_model::{ProjectId, RefKind, Source, Timestamp, UserId};
use tappet_store::{NewJob, NewRun, NewRunContent, NewWorkflow, RunNotes, SharedSpec};

/// Whatever goes wrong ends the example.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A run of `main` with one job for each name, one stage after the other.
pub fn new_run(project_id: ProjectId, user_id: UserId, jobs: &[&str]) -> Result<NewRun, Failure> {
    let plan = Plan {
        jobs: jobs
            .iter()
            .enumerate()
            .map(|(stage, name)| PlannedJob {
                group: None,
                name: (*name).to_owned(),
                stage,
                when: Default::default(),
                allow_failure: Default::default(),
                needs: None,
                retry: Default::default(),
                tags: Vec::new(),
                environment: None,
                spec: Arc::new(JobSpec {
                    script: vec![format!("make {name}")],
                    ..JobSpec::default()
                }),
            })
            .collect(),
        ..Plan::default()
    };
    let graph = Arc::new(Graph::of(&plan));
    let stages = jobs;
    let jobs = plan.jobs.into_iter().map(new_job);
    let workflow = NewWorkflow {
        path: ".gitlab-ci.yml".into(),
        name: None,
        stages: stages.iter().map(|name| (*name).to_owned()).collect(),
        jobs: jobs.collect::<Result<_, _>>()?,
        graph,
        workflows: Vec::new(),
        notes: RunNotes::default(),
    };
    Ok(NewRun {
        project_id,
        source: Source::Trigger,
        ref_name: "main".into(),
        ref_kind: RefKind::Branch,
        sha: "0123456789abcdef0123456789abcdef01234567".parse()?,
        commit_title: "Make the first page load twice as fast".into(),
        trigger_id: None,
        origin: tappet_store::RunOrigin::default(),
        hooks: Vec::new(),
        credential: String::new(),
        user_id: Some(user_id),
        sealed_variables: Some(vec![7; 80]),
        sealed_event: None,
        content: NewRunContent::Planned(Box::new(workflow)),
        idempotency: None,
        pull_request: None,
        slot: None,
        now: now(),
    })
}

fn new_job(job: PlannedJob) -> Result<NewJob, Failure> {
    let json = serde_json::to_string(&*job.spec)?;
    Ok(NewJob {
        name: job.name,
        tags: job.tags,
        needs: job.needs,
        environment: job.environment,
        key: None,
        spec: SharedSpec {
            digest: Sha256::digest(json.as_bytes()).into(),
            json: json.into(),
        },
    })
}

/// By the clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX))
}
