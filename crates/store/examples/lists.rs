//! Measures lists of runs and jobs among few and among many: every filter, every
//! pair of filters, every filter in every order, first pages and deep ones. The
//! slowest comes first.
//!
//! `cargo run --release -p tappet-store --example lists [-- FEW MANY [DIRECTORY]]`:
//! in a directory that is named, the databases stay for the next time.

#[path = "support/history.rs"]
mod history;
#[path = "support/runs.rs"]
mod runs;
#[path = "support/sample.rs"]
mod sample;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use runs::{Failure, now};
use sample::SPACING;
use tappet_model::{ProjectId, Source, Status, Timestamp};
use tappet_store::{
    Jobs, NewProject, NewTrigger, PageRequest, ProjectAttempts, RepositorySource, RunFilter,
    RunOrder, RunScope, RunSearch, Search, SqliteOptions, SqliteStore, Store, TokenHash, Triggers,
    WorkflowSearch,
};

const PROJECT: ProjectId = ProjectId(1);
const SAMPLE: i64 = 1000;
const ROUNDS: usize = 15;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut count = |otherwise| arguments.next().map_or(Ok(otherwise), |text| text.parse());
    let (few, many) = (count(10_000)?, count(1_000_000)?);
    let scratch = tempfile::tempdir()?;
    let directory = arguments.next().map(PathBuf::from);
    let directory = directory.as_deref().unwrap_or(scratch.path());
    let small = measure(&directory.join(format!("{few}.db")), few).await?;
    let large = measure(&directory.join(format!("{many}.db")), many).await?;
    let mut rows: Vec<_> = small.into_iter().zip(large).collect();
    rows.sort_by_key(|(_, large)| std::cmp::Reverse(large.time));
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    println!("milliseconds at {few}, at {many} (best), ratio; rows and total at {many}");
    for (small, large) in rows {
        println!(
            "{:>8.3} {:>8.3} ({:>8.3}) {:>7.2}  {:<60} {}",
            millis(small.time),
            millis(large.time),
            millis(large.best),
            large.time.as_secs_f64() / small.time.as_secs_f64(),
            large.name,
            large.found,
        );
    }
    Ok(())
}

/// The median time of one list.
struct Measured {
    name: String,
    time: Duration,
    best: Duration,
    found: String,
}

async fn measure(path: &Path, runs: i64) -> Result<Vec<Measured>, Failure> {
    if !path.exists() {
        prepare(path).await?;
        history::fill(path, runs, SAMPLE).await?;
    }
    let store = SqliteStore::open(path, SqliteOptions::default())?;
    let mut all = Vec::new();
    for (name, filter, page) in questions(runs) {
        let mut times = Vec::new();
        let mut found = String::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let list = store.runs(PROJECT, filter.clone(), page).await?;
            times.push(begun.elapsed());
            found = format!("{} of {:?}", list.items.len(), list.total);
        }
        all.push(measured(name, times, found));
    }
    for (name, wanted) in questions_about_jobs() {
        let mut times = Vec::new();
        let mut found = String::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let list = store.project_attempts(PROJECT, wanted.clone()).await?;
            times.push(begun.elapsed());
            found = list.len().to_string();
        }
        all.push(measured(name, times, found));
    }
    for (name, wanted) in searches() {
        let mut times = Vec::new();
        let mut found = String::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let list = store.search_runs(wanted.clone()).await?;
            times.push(begun.elapsed());
            found = list.len().to_string();
        }
        all.push(measured(format!("runs of all: {name}"), times, found));
        let wanted = WorkflowSearch {
            projects: wanted.projects,
            statuses: wanted.statuses,
            sources: wanted.sources,
            sha_prefix: wanted.sha_prefix,
            name: (name == "all").then(|| "nightly".to_owned()),
            limit: wanted.limit,
        };
        let mut times = Vec::new();
        let mut found = String::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let list = store.search_workflows(wanted.clone()).await?;
            times.push(begun.elapsed());
            found = list.len().to_string();
        }
        all.push(measured(format!("workflows of all: {name}"), times, found));
    }
    store.close().await?;
    Ok(all)
}

/// Searches in all projects.
fn searches() -> Vec<(&'static str, RunSearch)> {
    let all = RunSearch {
        limit: 50,
        ..RunSearch::default()
    };
    let of = |statuses: &[Status]| RunSearch {
        statuses: statuses.to_vec(),
        ..all.clone()
    };
    let of_sha = |prefix: &str| RunSearch {
        sha_prefix: Some(prefix.to_owned()),
        ..all.clone()
    };
    let rare = RunSearch {
        sources: vec![Source::Web],
        ..of(&[Status::Failed])
    };
    vec![
        ("all", all.clone()),
        ("under way", of(&[Status::Pending, Status::Running])),
        ("canceled", of(&[Status::Canceled])),
        ("failed by hand", rare),
        ("short sha", of_sha("00")),
        ("long sha", of_sha("00000000000000000000000000000000001")),
    ]
}

fn measured(name: String, mut times: Vec<Duration>, found: String) -> Measured {
    times.sort_unstable();
    Measured {
        name,
        time: times[times.len() / 2],
        best: times[0],
        found,
    }
}

/// A person, a project and a trigger.
async fn prepare(path: &Path) -> Result<(), Failure> {
    let store = SqliteStore::open(path, SqliteOptions::default())?;
    let root = store.ensure_root(TokenHash([1; 32]), now()).await?;
    let project = NewProject {
        path: "acme/web".into(),
        name: "web".into(),
        description: String::new(),
        source: RepositorySource::Local("/srv/git/web".into()),
        default_branch: None,
        visibility: "private".into(),
        creator_id: root.id,
        now: now(),
    };
    store.create_project(project).await?;
    let trigger = NewTrigger {
        project_id: PROJECT,
        owner_id: Some(root.id),
        description: String::new(),
        token_hash: TokenHash([2; 32]),
        sealed_token: Vec::new(),
        short_token: "abcd".into(),
        expires_at: None,
        project_limit: 1,
        now: now(),
    };
    store.create_trigger(trigger).await?;
    store.close().await?;
    Ok(())
}

/// Filters of one kind exclude each other.
struct Filter {
    kind: &'static str,
    name: &'static str,
    set: Box<dyn Fn(&mut RunFilter)>,
}

fn filter(
    kind: &'static str,
    name: &'static str,
    set: impl Fn(&mut RunFilter) + 'static,
) -> Filter {
    Filter {
        kind,
        name,
        set: Box::new(set),
    }
}

fn filters(runs: i64) -> Vec<Filter> {
    let text = |text: &str| Some(text.to_owned());
    let status = |name, status| filter("status", name, move |f| f.status = Some(status));
    let scope = |name, scope| filter("status", name, move |f| f.scope = Some(scope));
    let on = |name: &'static str| filter("ref", name, move |f| f.ref_name = text(&name[4..]));
    let by = |name, source| filter("source", name, move |f| f.source = Some(source));
    let who = |name: &'static str| filter("user", name, move |f| f.username = text(&name[9..]));
    let named = |name: &'static str| filter("name", name, move |f| f.name = text(&name[5..]));
    let end = now().0;
    let ago = move |runs: i64| Some(Timestamp(end - runs * SPACING));
    vec![
        status("status=success", Status::Success),
        status("status=failed", Status::Failed),
        status("status=canceled", Status::Canceled),
        status("status=running", Status::Running),
        scope("scope=finished", RunScope::Finished),
        scope("scope=pending", RunScope::Pending),
        filter("status", "scope=branches", |f| {
            f.scope = Some(RunScope::Branches);
            let branches = (0..200).map(|number| format!("branch-{number}"));
            f.refs = Some(branches.chain(["main".to_owned()]).collect());
        }),
        filter("status", "scope=tags", move |f| {
            f.scope = Some(RunScope::Tags);
            let tags = (runs - 10_000..runs).map(|number| format!("v{number}"));
            f.refs = Some(tags.step_by(10).collect());
        }),
        on("ref=main"),
        on("ref=branch-7"),
        on("ref=none"),
        by("source=push", Source::Push),
        by("source=schedule", Source::Schedule),
        by("source=web", Source::Web),
        who("username=root"),
        who("username=carl"),
        who("username=bob"),
        named("name=nightly"),
        named("name=release"),
        filter("sha", "sha", move |f| {
            f.sha = Some(format!("{:040x}", runs / 4));
        }),
        filter("yaml", "yaml_errors=true", |f| f.yaml_errors = Some(true)),
        filter("yaml", "yaml_errors=false", |f| f.yaml_errors = Some(false)),
        filter("updated", "updated_after=recent", move |f| {
            f.updated_after = ago(100);
        }),
        filter("updated", "updated_after=half", move |f| {
            f.updated_after = ago(runs / 2);
        }),
        filter("updated", "updated_before=half", move |f| {
            f.updated_before = ago(runs / 2);
        }),
        filter("created", "created_after=half", move |f| {
            f.created_after = ago(runs / 2);
        }),
        filter("created", "created_before=half", move |f| {
            f.created_before = ago(runs / 2);
        }),
    ]
}

const ORDERS: [(&str, RunOrder); 4] = [
    ("order_by=updated_at", RunOrder::UpdatedAt),
    ("order_by=status", RunOrder::Status),
    ("order_by=ref", RunOrder::Ref),
    ("order_by=user_id", RunOrder::UserId),
];

fn questions(runs: i64) -> Vec<(String, RunFilter, PageRequest)> {
    let first = PageRequest::default();
    let filters = filters(runs);
    let mut all = vec![("pipelines".to_owned(), RunFilter::default(), first)];
    let page_50 = PageRequest { page: 50, ..first };
    all.push(("pipelines page=50".into(), RunFilter::default(), page_50));
    for (at, one) in filters.iter().enumerate() {
        let mut asked = RunFilter::default();
        (one.set)(&mut asked);
        all.push((one.name.to_owned(), asked.clone(), first));
        all.push((format!("{} page=50", one.name), asked.clone(), page_50));
        for (order, order_by) in ORDERS {
            let ordered = RunFilter {
                order_by,
                ..asked.clone()
            };
            all.push((format!("{} {order}", one.name), ordered, first));
        }
        for other in filters[at + 1..]
            .iter()
            .filter(|other| other.kind != one.kind)
        {
            let mut both = asked.clone();
            (other.set)(&mut both);
            all.push((format!("{} {}", one.name, other.name), both, first));
        }
    }
    for (name, order_by) in ORDERS {
        for ascending in [false, true] {
            let filter = RunFilter {
                order_by,
                ascending,
                ..RunFilter::default()
            };
            let sort = if ascending { "asc" } else { "desc" };
            all.push((format!("{name} sort={sort}"), filter, first));
        }
    }
    all
}

fn questions_about_jobs() -> Vec<(String, ProjectAttempts)> {
    let scopes: [(&str, &[Status]); 6] = [
        ("", &[]),
        (" scope=success", &[Status::Success]),
        (" scope=failed", &[Status::Failed]),
        (" scope=canceled", &[Status::Canceled]),
        (
            " scope=running,pending",
            &[Status::Running, Status::Pending],
        ),
        (
            " scope=failed,canceled",
            &[Status::Failed, Status::Canceled],
        ),
    ];
    let refs = ["", "main", "branch-7", "none"];
    let mut all = Vec::new();
    for (scope, statuses) in scopes {
        for name in refs {
            for (page, offset) in [("", 0), (" page=50", 980)] {
                let on = if name.is_empty() { "" } else { " ref=" };
                all.push((
                    format!("jobs{scope}{on}{name}{page}"),
                    ProjectAttempts {
                        statuses: statuses.to_vec(),
                        ref_name: (!name.is_empty()).then(|| name.to_owned()),
                        offset,
                        limit: 21,
                        ..ProjectAttempts::default()
                    },
                ));
            }
        }
    }
    all
}
