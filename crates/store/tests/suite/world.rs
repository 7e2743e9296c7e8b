//! A fresh store with a user, a project and a runner, and builders for runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tappet_engine::{Graph, JobEvent, RunEvent};
use tappet_model::plan::{
    AllowFailure, ArtifactSources, JobGroup, JobSpec, Need, Plan, PlannedJob, PlannedWorkflow,
    RetryPolicy, When,
};
use tappet_model::workflow_job::WorkflowJob;
use tappet_model::{
    CiConfigId, Environment, FailureReason, ProjectId, PullRequest, PullRequestDetails, RefKind,
    RunnerId, Source, Timestamp, UserId,
};
use tappet_store::*;
use tempfile::TempDir;

/// A store that is thrown away with its directory.
pub struct World {
    pub store: Arc<dyn Store>,
    pub user: UserId,
    pub project: ProjectId,
    pub runner: RunnerId,
    directory: TempDir,
    clock: AtomicI64,
}

/// Where the clock of each world starts, in microseconds.
const START: i64 = 1_700_000_000_000_000;

pub const SECOND: i64 = 1_000_000;
pub const HOUR: i64 = 3600 * SECOND;

impl World {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let now = Timestamp(START);
        let user = store.ensure_root(hash("root"), now).await.unwrap().id;
        let runner = store
            .ensure_embedded_runner(hash("runner"), now)
            .await
            .unwrap()
            .id;
        let project = store
            .create_project(new_project("acme/web", user, now))
            .await
            .unwrap()
            .id;
        Self {
            store,
            user,
            project,
            runner,
            directory,
            clock: AtomicI64::new(START),
        }
    }

    /// Closes the store the hard way and opens what it left on the disk.
    pub fn reopen(self) -> Self {
        let Self {
            store,
            user,
            project,
            runner,
            directory,
            clock,
        } = self;
        assert_eq!(
            Arc::strong_count(&store),
            1,
            "somebody still uses the store"
        );
        drop(store);
        Self {
            store: open(&directory),
            user,
            project,
            runner,
            directory,
            clock,
        }
    }

    /// One second later than the time before.
    pub fn now(&self) -> Timestamp {
        self.later(SECOND)
    }

    /// The clock goes on by so many microseconds.
    pub fn later(&self, micros: i64) -> Timestamp {
        Timestamp(self.clock.fetch_add(micros, Ordering::Relaxed) + micros)
    }

    /// A run of these jobs on branch `main`, not yet created.
    pub fn new_run(&self, jobs: &[JobBuilder]) -> NewRun {
        NewRun {
            project_id: self.project,
            source: Source::Api,
            ref_name: "main".into(),
            ref_kind: RefKind::Branch,
            sha: sha('a'),
            commit_title: "Add a thing".into(),
            trigger_id: None,
            origin: tappet_store::RunOrigin::default(),
            hooks: Vec::new(),
            credential: "token:1".to_owned(),
            user_id: Some(self.user),
            sealed_variables: None,
            sealed_event: None,
            content: NewRunContent::Planned(Box::new(workflow(jobs))),
            idempotency: None,
            pull_request: None,
            slot: None,
            now: self.now(),
        }
    }

    /// A run of pull request 6 under the project's CI config, not yet created.
    pub async fn new_pull_request_run(&self, jobs: &[JobBuilder], head_sha: &str) -> NewRun {
        let configs = self.store.ci_configs(self.project).await.unwrap();
        let pull_request = PullRequest {
            number: "6".into(),
            head_branch: "faster".into(),
            head_sha: head_sha.into(),
            base_branch: "main".into(),
            base_sha: "b".repeat(40),
            merge_base: Some(sha('c')),
            details: PullRequestDetails {
                title: "Load the first page faster".into(),
                ..PullRequestDetails::default()
            },
        };
        NewRun {
            source: Source::MergeRequestEvent,
            ref_name: pull_request.ref_name(),
            ref_kind: RefKind::PullRequest,
            pull_request: Some(NewPullRequestRun {
                config_id: configs[0].id,
                pull_request,
                is_from_forge: false,
                hold: None,
                supersedes: true,
            }),
            ..self.new_run(jobs)
        }
    }

    /// A run of pull request 6 of one job `test`.
    pub async fn create_for(&self, head_sha: &str, hold: Option<Hold>) -> Run {
        let mut new = self.new_pull_request_run(&[job("test")], head_sha).await;
        new.pull_request.as_mut().unwrap().hold = hold;
        created(self.store.create_run(new).await.unwrap()).run
    }

    /// The first CI config of the project.
    pub async fn config(&self) -> CiConfigId {
        self.store.ci_configs(self.project).await.unwrap()[0].id
    }

    /// What is known of the pull request of a run that is of one.
    pub async fn pull_request(&self, run: tappet_model::RunId) -> PullRequestRun {
        self.store.pull_request_run(run).await.unwrap().unwrap()
    }

    pub async fn create(&self, jobs: &[JobBuilder]) -> Advance {
        created(self.store.create_run(self.new_run(jobs)).await.unwrap())
    }

    /// A run of workflows.
    pub async fn create_workflows(&self, workflow: NewWorkflow) -> Advance {
        let content = NewRunContent::Planned(Box::new(workflow));
        self.create_with(|new| new.content = content).await
    }

    /// A claim of a runner that runs steps, too.
    pub fn any_steps(&self) -> Claim {
        Claim {
            runs_steps: true,
            ..self.any_job()
        }
    }

    /// The next attempt for a runner that runs steps, which must exist.
    pub async fn take_steps(&self) -> Assignment {
        let claim = self.any_steps();
        self.store.claim(claim).await.unwrap().unwrap()
    }

    /// The next attempt for a runner that runs steps runs and ends well.
    pub async fn run_steps(&self) -> Advance {
        let id = self.take_steps().await.attempt.id;
        self.job_event(id, JobEvent::Success).await.unwrap()
    }

    pub async fn create_with(&self, change: impl FnOnce(&mut NewRun)) -> Advance {
        let mut new = self.new_run(&[job("test")]);
        change(&mut new);
        created(self.store.create_run(new).await.unwrap())
    }

    /// A claim of the embedded runner, which takes everything without tags.
    pub fn any_job(&self) -> Claim {
        self.claim_with(&[])
    }

    pub fn claim_with(&self, tags: &[&str]) -> Claim {
        Claim {
            runner_id: self.runner,
            system_id: "s_1".into(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            run_untagged: true,
            cancels_gracefully: true,
            runs_steps: false,
            is_expected: false,
            now: self.now(),
        }
    }

    /// The next attempt for the embedded runner, which must exist.
    pub async fn take(&self) -> Assignment {
        let claim = self.any_job();
        self.store.claim(claim).await.unwrap().unwrap()
    }

    pub async fn job_event(
        &self,
        id: tappet_model::AttemptId,
        event: JobEvent,
    ) -> StoreResult<Advance> {
        self.store
            .act(Target::Attempt(id), Action::Job(event), self.now())
            .await
    }

    pub async fn run_event(
        &self,
        id: tappet_model::RunId,
        event: RunEvent,
    ) -> StoreResult<Advance> {
        self.store
            .act(Target::Run(id), Action::Run(event), self.now())
            .await
    }

    /// Name and status of the newest attempt of each job.
    pub async fn statuses(&self, run: tappet_model::RunId) -> Vec<(String, &'static str)> {
        self.store
            .run_attempts(run)
            .await
            .unwrap()
            .into_iter()
            .map(|attempt| (attempt.name, attempt.status.as_str()))
            .collect()
    }

    pub fn database(&self) -> std::path::PathBuf {
        self.directory.path().join("tappet.db")
    }
}

fn open(directory: &TempDir) -> Arc<dyn Store> {
    let path = directory.path().join("tappet.db");
    Arc::new(SqliteStore::open(&path, SqliteOptions { readers: 2 }).unwrap())
}

pub fn created(creation: Creation) -> Advance {
    match creation {
        Creation::Created { advance, .. } => *advance,
        Creation::Replayed(run) => panic!("run {} existed already", run.id),
    }
}

pub fn hash(text: &str) -> TokenHash {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    TokenHash(bytes)
}

pub fn sha(digit: char) -> tappet_model::CommitSha {
    digit.to_string().repeat(40).parse().unwrap()
}

pub fn new_project(path: &str, creator_id: UserId, now: Timestamp) -> NewProject {
    NewProject {
        path: path.into(),
        name: path.into(),
        description: String::new(),
        source: RepositorySource::Local("/srv/git/web".into()),
        default_branch: Some("main".into()),
        visibility: "private".into(),
        creator_id,
        now,
    }
}

pub fn first_page() -> PageRequest {
    PageRequest::default()
}

pub fn page(page: u32, per_page: u32) -> PageRequest {
    PageRequest { page, per_page }
}

pub fn failure() -> JobEvent {
    JobEvent::Drop {
        reason: FailureReason::ScriptFailure,
        exit_code: Some(1),
    }
}

/// One job of a pipeline; jobs come in stage order.
#[derive(Clone)]
pub struct JobBuilder {
    name: &'static str,
    stage: usize,
    when: When,
    allow_failure: AllowFailure,
    needs: Option<Vec<usize>>,
    retry: RetryPolicy,
    tags: Vec<String>,
    environment: Option<Environment>,
    group: Option<usize>,
    spec: JobSpec,
}

pub fn job(name: &'static str) -> JobBuilder {
    JobBuilder {
        name,
        stage: 0,
        when: When::OnSuccess,
        allow_failure: AllowFailure::No,
        needs: None,
        retry: RetryPolicy::default(),
        tags: Vec::new(),
        environment: None,
        group: None,
        spec: JobSpec {
            script: vec![format!("echo {name}")],
            ..JobSpec::default()
        },
    }
}

impl JobBuilder {
    pub fn stage(mut self, stage: usize) -> Self {
        self.stage = stage;
        self
    }

    pub fn manual(mut self) -> Self {
        self.when = When::Manual;
        self
    }

    /// A job of a workflow, which needs nothing.
    pub fn steps(mut self) -> Self {
        self.needs = Some(Vec::new());
        self.spec = JobSpec {
            workflow_job: Some(Arc::new(WorkflowJob {
                key: self.name.to_owned(),
                ..WorkflowJob::default()
            })),
            ..JobSpec::default()
        };
        self
    }

    /// A job of a workflow about which is decided once these jobs are over.
    pub fn decided(self, needs: &[usize]) -> Self {
        let mut job = self.steps().needs(needs);
        job.when = When::Decided;
        job
    }

    /// A leg of a matrix.
    pub fn leg(mut self, group: usize, leg: usize) -> Self {
        let job = self.spec.workflow_job.as_mut().unwrap();
        Arc::make_mut(job).leg = Some(leg);
        self.group = Some(group);
        self
    }

    pub fn delayed(mut self, start_in_s: u64) -> Self {
        self.when = When::Delayed { start_in_s };
        self
    }

    pub fn allow_failure(mut self, allow_failure: AllowFailure) -> Self {
        self.allow_failure = allow_failure;
        self
    }

    pub fn needs(mut self, jobs: &[usize]) -> Self {
        self.needs = Some(jobs.to_vec());
        self
    }

    pub fn retry(mut self, max: u32) -> Self {
        self.retry.max = max;
        self
    }

    pub fn tags(mut self, tags: &[&str]) -> Self {
        self.tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        self
    }

    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    pub fn coverage(mut self, pattern: &str) -> Self {
        self.spec.coverage = Some(pattern.to_owned());
        self
    }

    pub fn timeout_s(mut self, seconds: u64) -> Self {
        self.spec.timeout_s = Some(seconds);
        self
    }

    pub fn artifacts_from(mut self, names: &[&str]) -> Self {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        self.spec.artifact_sources = ArtifactSources::Jobs(names);
        self
    }
}

pub fn workflow(jobs: &[JobBuilder]) -> NewWorkflow {
    let stages = jobs.iter().map(|job| job.stage).max().unwrap_or(0) + 1;
    let plan = Plan {
        jobs: jobs
            .iter()
            .map(|job| PlannedJob {
                group: job.group,
                name: job.name.into(),
                stage: job.stage,
                when: job.when,
                allow_failure: job.allow_failure.clone(),
                needs: job.needs.as_ref().map(|needs| {
                    needs
                        .iter()
                        .map(|&job| Need {
                            job,
                            artifacts: true,
                        })
                        .collect()
                }),
                retry: job.retry.clone(),
                tags: job.tags.clone(),
                environment: job.environment.clone(),
                spec: Arc::new(job.spec.clone()),
            })
            .collect(),
        ..Plan::default()
    };
    NewWorkflow {
        path: ".gitlab-ci.yml".into(),
        name: None,
        stages: (0..stages).map(|stage| format!("stage {stage}")).collect(),
        graph: Arc::new(Graph::of(&plan)),
        jobs: plan
            .jobs
            .into_iter()
            .map(|job| NewJob {
                name: job.name,
                tags: job.tags,
                needs: job.needs,
                environment: job.environment,
                key: NewJobKey::of(&job.spec),
                spec: shared(&job.spec),
            })
            .collect(),
        workflows: Vec::new(),
        notes: RunNotes::default(),
    }
}

/// The workflows in these files, each with the jobs of one stage, in these groups.
pub fn workflows(files: &[&str], groups: &[JobGroup], jobs: &[JobBuilder]) -> NewWorkflow {
    let mut workflow = workflow(jobs);
    let planned = files.iter().map(|&file| PlannedWorkflow {
        path: Some(format!(".depot/workflows/{file}")),
        file: file.to_owned(),
        name: Some(format!("Workflow in {file}")),
        error: None,
    });
    workflow.path = String::new();
    workflow.stages = files.iter().map(|&file| file.to_owned()).collect();
    workflow.workflows = planned.collect();
    Arc::make_mut(&mut workflow.graph).groups = groups.to_vec();
    workflow
}

/// The same with a file that does not compile at the end.
pub fn with_broken(mut workflow: NewWorkflow, file: &str) -> NewWorkflow {
    Arc::make_mut(&mut workflow.graph).is_broken = true;
    workflow.stages.push(file.to_owned());
    workflow.workflows.push(PlannedWorkflow {
        path: Some(format!(".depot/workflows/{file}")),
        file: file.to_owned(),
        name: None,
        error: Some("line 3, column 5: `jobs` is missing".to_owned()),
    });
    workflow
}

fn shared(spec: &JobSpec) -> SharedSpec {
    use sha2::{Digest, Sha256};

    let json = serde_json::to_string(spec).unwrap();
    SharedSpec {
        digest: Sha256::digest(json.as_bytes()).into(),
        json: json.into(),
    }
}
