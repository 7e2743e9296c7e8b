//! Measures the SQLite store on this machine: opening a fresh database, creating
//! runs of three jobs from 64 callers at once, finishing them, and the bytes
//! that each takes on the disk.
//!
//! `cargo run -p tappet-store --example throughput [-- RUNS]`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tappet_engine::{Graph, JobEvent};
use tappet_model::plan::{JobSpec, Plan, PlannedJob};
use tappet_model::{ProjectId, RefKind, RunnerId, Source, Timestamp, UserId};
use tappet_store::{
    Action, Claim, NewJob, NewProject, NewRun, NewRunContent, NewWorkflow, PageRequest,
    RepositorySource, RunFilter, RunNotes, SharedSpec, SqliteOptions, SqliteStore, Store, Target,
    TokenHash,
};

const CALLERS: usize = 64;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let runs: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 5000,
    };
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("tappet.db");

    let start = Instant::now();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default())?);
    println!("fresh open                {:>9.2?}", start.elapsed());
    let user = store.ensure_root(TokenHash([1; 32]), now()).await?.id;
    println!("… until the first commit  {:>9.2?}", start.elapsed());
    let runner = store.ensure_embedded_runner(TokenHash([2; 32]), now());
    let runner = runner.await?.id;
    let project = store.create_project(project(user)).await?.id;
    let empty = size(&path)?;

    let start = Instant::now();
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let store = Arc::clone(&store);
        callers.push(tokio::spawn(async move {
            let share = runs / CALLERS + usize::from(caller < runs % CALLERS);
            for _ in 0..share {
                store.create_run(new_run(project, user)?).await?;
            }
            Ok::<(), Failure>(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    report("create_run, 64 callers", start.elapsed(), runs);

    let start = Instant::now();
    for _ in 0..100 {
        let list = store.runs(project, RunFilter::default(), PageRequest::default());
        list.await?;
    }
    report("first page of the list", start.elapsed(), 100);

    let start = Instant::now();
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let store = Arc::clone(&store);
        callers.push(tokio::spawn(async move { finish(&*store, runner).await }));
    }
    for caller in callers {
        caller.await??;
    }
    report("claim and finish of a job", start.elapsed(), runs * 3);

    store.close().await?;
    drop(store);
    let bytes = (size(&path)? - empty) / runs as u64;
    println!("bytes per finished run    {bytes:>9}");

    let start = Instant::now();
    SqliteStore::open(&path, SqliteOptions::default())?;
    println!("open and close again      {:>9.2?}", start.elapsed());
    Ok(())
}

async fn finish(store: &dyn Store, runner: RunnerId) -> Result<(), Failure> {
    loop {
        let claim = Claim {
            runner_id: runner,
            system_id: "s_1".into(),
            tags: Vec::new(),
            run_untagged: true,
            cancels_gracefully: true,
            is_expected: false,
            now: now(),
        };
        let Some(assignment) = store.claim(claim).await? else {
            return Ok(());
        };
        let target = Target::Attempt(assignment.attempt.id);
        store
            .act(target, Action::Job(JobEvent::Success), now())
            .await?;
    }
}

fn project(creator_id: UserId) -> NewProject {
    NewProject {
        path: "acme/web".into(),
        name: "web".into(),
        description: String::new(),
        source: RepositorySource::Local("/srv/git/web".into()),
        default_branch: None,
        visibility: "private".into(),
        creator_id,
        now: now(),
    }
}

fn new_run(project_id: ProjectId, user_id: UserId) -> Result<NewRun, Failure> {
    let plan = Plan {
        jobs: ["build", "test", "deploy"]
            .into_iter()
            .enumerate()
            .map(|(stage, name)| PlannedJob {
                name: name.into(),
                stage,
                when: Default::default(),
                allow_failure: Default::default(),
                needs: None,
                retry: Default::default(),
                tags: Vec::new(),
                spec: Arc::new(JobSpec {
                    script: vec![format!("make {name}")],
                    ..JobSpec::default()
                }),
            })
            .collect(),
        ..Plan::default()
    };
    let graph = Arc::new(Graph::of(&plan));
    let jobs = plan.jobs.into_iter().map(new_job);
    let workflow = NewWorkflow {
        path: ".gitlab-ci.yml".into(),
        name: None,
        stages: ["build", "test", "deploy"].map(str::to_owned).to_vec(),
        jobs: jobs.collect::<Result<_, _>>()?,
        graph,
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
        credential: String::new(),
        user_id: Some(user_id),
        sealed_variables: Some(vec![7; 80]),
        content: NewRunContent::Planned(Box::new(workflow)),
        idempotency: None,
        now: now(),
    })
}

fn new_job(job: PlannedJob) -> Result<NewJob, Failure> {
    let json = serde_json::to_string(&*job.spec)?;
    Ok(NewJob {
        name: job.name,
        tags: job.tags,
        needs: job.needs,
        spec: SharedSpec {
            digest: Sha256::digest(json.as_bytes()).into(),
            json: json.into(),
        },
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX))
}

/// Bytes of the database and its log.
fn size(path: &Path) -> Result<u64, Failure> {
    let mut bytes = std::fs::metadata(path)?.len();
    if let Ok(log) = std::fs::metadata(path.with_extension("db-wal")) {
        bytes += log.len();
    }
    Ok(bytes)
}

fn report(what: &str, time: Duration, count: usize) {
    let each = time / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    println!(
        "{what:<26}{each:>9.2?} each, {:>7.0}/s",
        count as f64 / time.as_secs_f64()
    );
}
