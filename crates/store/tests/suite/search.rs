//! Runs and workflows of several projects.

use rstest::rstest;
use tappet_engine::RunEvent;
use tappet_model::{ProjectId, RunId, Source, Status};
use tappet_store::*;

use crate::filled::filled;
use crate::world::{World, failure, job, new_project, sha, with_broken, workflows};

impl World {
    async fn another_project(&self, path: &str) -> ProjectId {
        let new = new_project(path, self.user, self.now());
        self.store.create_project(new).await.unwrap().id
    }

    async fn found_runs(&self, search: RunSearch) -> Vec<i64> {
        let limit = if search.limit == 0 { 100 } else { search.limit };
        let search = RunSearch { limit, ..search };
        let found = self.store.search_runs(search).await.unwrap();
        found.into_iter().map(|run| run.id.0).collect()
    }

    /// Path, or position without one, and status of each.
    async fn found_workflows(&self, search: WorkflowSearch) -> Vec<(String, &'static str)> {
        let limit = if search.limit == 0 { 50 } else { search.limit };
        let search = WorkflowSearch { limit, ..search };
        let found = self.store.search_workflows(search).await.unwrap();
        found
            .into_iter()
            .map(|found| (found.workflow.file, found.workflow.status.as_str()))
            .collect()
    }

    /// Runs 1 (canceled), 2 (pending, of another project), 3 (running, by schedule)
    /// and 4 (pending, of another commit).
    async fn four_runs(&self) -> ProjectId {
        let other = self.another_project("acme/app").await;
        let first = self.create(&[job("test")]).await.run.id;
        self.run_event(first, RunEvent::Cancel).await.unwrap();
        self.create_with(|new| new.project_id = other).await;
        self.create_with(|new| new.source = Source::Schedule).await;
        self.create_with(|new| new.sha = sha('b')).await;
        let second = self.take().await;
        assert_eq!(second.run.id, RunId(2));
        self.job_event(second.attempt.id, failure()).await.unwrap();
        assert_eq!(self.take().await.run.id, RunId(3));
        other
    }
}

fn runs() -> RunSearch {
    RunSearch::default()
}

#[tokio::test]
async fn runs_of_all_projects_come_the_newest_first() {
    let world = World::new().await;
    let other = world.four_runs().await;
    assert_eq!(world.found_runs(runs()).await, [4, 3, 2, 1]);
    let of = |projects: &[ProjectId]| RunSearch {
        projects: Some(projects.to_vec()),
        ..runs()
    };
    assert_eq!(world.found_runs(of(&[other])).await, [2]);
    assert_eq!(world.found_runs(of(&[world.project])).await, [4, 3, 1]);
    assert!(world.found_runs(of(&[])).await.is_empty());
}

#[tokio::test]
async fn runs_are_found_by_status_source_and_commit() {
    let world = World::new().await;
    world.four_runs().await;
    let active = RunSearch {
        statuses: vec![Status::Pending, Status::Running],
        ..runs()
    };
    assert_eq!(world.found_runs(active).await, [4, 3]);
    let ended = RunSearch {
        statuses: vec![Status::Canceled, Status::Failed],
        ..runs()
    };
    assert_eq!(world.found_runs(ended).await, [2, 1]);
    let scheduled = RunSearch {
        sources: vec![Source::Schedule],
        ..runs()
    };
    assert_eq!(world.found_runs(scheduled.clone()).await, [3]);
    let nothing = RunSearch {
        statuses: vec![Status::Success],
        ..scheduled
    };
    assert!(world.found_runs(nothing).await.is_empty());
    let of_commit = |prefix: &str| RunSearch {
        sha_prefix: Some(prefix.to_owned()),
        ..runs()
    };
    assert_eq!(world.found_runs(of_commit("bb")).await, [4]);
    assert_eq!(world.found_runs(of_commit("aaaaa")).await, [3, 2, 1]);
    assert_eq!(world.found_runs(of_commit(sha('b').as_str())).await, [4]);
    assert!(world.found_runs(of_commit("BB")).await.is_empty());
    let some_of_commit = RunSearch {
        statuses: vec![Status::Canceled],
        ..of_commit("aaaaa")
    };
    assert_eq!(world.found_runs(some_of_commit).await, [1]);
}

#[tokio::test]
async fn a_page_of_runs_begins_behind_the_last_one() {
    let world = World::new().await;
    world.four_runs().await;
    let page = |before: Option<i64>| RunSearch {
        before: before.map(RunId),
        limit: 2,
        ..runs()
    };
    assert_eq!(world.found_runs(page(None)).await, [4, 3]);
    assert_eq!(world.found_runs(page(Some(3))).await, [2, 1]);
    assert!(world.found_runs(page(Some(1))).await.is_empty());
    let of_commit = RunSearch {
        sha_prefix: Some("aaaaa".to_owned()),
        ..page(Some(3))
    };
    assert_eq!(world.found_runs(of_commit).await, [2, 1]);
}

#[tokio::test]
async fn runs_of_a_deleted_project_are_not_found() {
    let world = World::new().await;
    let other = world.four_runs().await;
    let now = world.now();
    world.store.delete_project(other, now).await.unwrap();
    assert_eq!(world.found_runs(runs()).await, [4, 3, 1]);
}

/// Where one index does not suffice for all, what is found stays the same.
#[rstest]
#[case::any(runs())]
#[case::common(RunSearch { statuses: vec![Status::Success], ..runs() })]
#[case::rare(RunSearch { statuses: vec![Status::Canceled], ..runs() })]
#[case::source(RunSearch { sources: vec![Source::Trigger], ..runs() })]
#[case::short_prefix(RunSearch { sha_prefix: Some("000".into()), ..runs() })]
#[case::later_page(RunSearch { before: Some(RunId(2100)), ..runs() })]
#[tokio::test]
async fn many_projects_change_nothing(#[case] search: RunSearch) {
    let world = filled(2200).await;
    let few = RunSearch {
        limit: 2200,
        ..search
    };
    let of_few = world.found_runs(few.clone()).await;
    assert!(!of_few.is_empty());
    assert!(of_few.is_sorted_by(|newer, older| newer > older));
    for number in 0..100 {
        world.another_project(&format!("acme/p{number}")).await;
    }
    assert_eq!(world.found_runs(few).await, of_few);
}

fn some() -> WorkflowSearch {
    WorkflowSearch::default()
}

impl World {
    /// A pipeline, and a run of three workflows, of which one is over and one broken.
    async fn four_workflows(&self) {
        self.create_with(|new| {
            if let NewRunContent::Planned(workflow) = &mut new.content {
                workflow.name = Some("Nightly pipeline".to_owned());
            }
        })
        .await;
        let jobs = [
            job("build").steps(),
            job("test").decided(&[0]),
            job("docs").steps().stage(1),
        ];
        let good = workflows(&["ci.yml", "docs.yml"], &[], &jobs);
        self.create_workflows(with_broken(good, "bad.yml")).await;
        self.take_steps().await;
        self.take_steps().await;
        self.run_steps().await;
    }
}

#[tokio::test]
async fn workflows_of_the_newest_run_come_first() {
    let world = World::new().await;
    world.four_workflows().await;
    let found = world.found_workflows(some()).await;
    let expected = [
        ("ci.yml", "running"),
        ("docs.yml", "success"),
        ("bad.yml", "failed"),
        (".gitlab-ci.yml", "running"),
    ];
    let expected = expected.map(|(file, status)| (file.to_owned(), status));
    assert_eq!(found, expected);
    let two = WorkflowSearch { limit: 2, ..some() };
    assert_eq!(world.found_workflows(two).await, expected[..2]);
}

#[rstest]
#[case::going(&[Status::Running], &["ci.yml", ".gitlab-ci.yml"])]
#[case::over(&[Status::Success], &["docs.yml"])]
#[case::wrong(&[Status::Failed], &["bad.yml"])]
#[case::several(&[Status::Failed, Status::Success], &["docs.yml", "bad.yml"])]
#[case::none(&[Status::Canceled], &[])]
#[tokio::test]
async fn workflows_are_found_by_their_own_status(
    #[case] statuses: &[Status],
    #[case] expected: &[&str],
) {
    let world = World::new().await;
    world.four_workflows().await;
    let search = WorkflowSearch {
        statuses: statuses.to_vec(),
        ..some()
    };
    let found = world.found_workflows(search).await;
    let files: Vec<&str> = found.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(files, expected);
}

#[rstest]
#[case::own("docs.YML", &["docs.yml"])]
#[case::several("workflow in", &["ci.yml", "docs.yml"])]
#[case::of_a_pipeline("nightly", &[".gitlab-ci.yml"])]
#[case::none("Workflow_in", &[])]
#[tokio::test]
async fn workflows_are_found_by_part_of_their_name(#[case] name: &str, #[case] expected: &[&str]) {
    let world = World::new().await;
    world.four_workflows().await;
    let search = WorkflowSearch {
        name: Some(name.to_owned()),
        ..some()
    };
    let found = world.found_workflows(search.clone()).await;
    let files: Vec<&str> = found.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(files, expected);
    let other = world.another_project("acme/app").await;
    let elsewhere = WorkflowSearch {
        projects: Some(vec![other]),
        ..search
    };
    assert_eq!(world.found_workflows(elsewhere).await, []);
}

#[tokio::test]
async fn a_workflow_tells_how_many_of_its_jobs_stand_where() {
    let world = World::new().await;
    world.four_workflows().await;
    let search = WorkflowSearch {
        limit: 50,
        ..some()
    };
    let found = world.store.search_workflows(search).await.unwrap();
    let counts: Vec<_> = found.into_iter().map(|found| found.job_counts).collect();
    assert_eq!(
        counts,
        [
            vec![(Status::Created, 1), (Status::Running, 1)],
            vec![(Status::Success, 1)],
            vec![],
            vec![(Status::Running, 1)],
        ]
    );
}

#[tokio::test]
async fn every_attempt_of_a_run_is_shown_with_its_job() {
    let world = World::new().await;
    let jobs = [job("build"), job("test").stage(1)];
    let run = world.create(&jobs).await.run;
    let build = world.take().await.attempt.id;
    world.job_event(build, failure()).await.unwrap();
    let retry = tappet_engine::JobEvent::Retry;
    world.job_event(build, retry).await.unwrap();
    let attempts = world.store.attempts_of_run(run.id).await.unwrap();
    let facts: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.name.as_str(), attempt.number))
        .collect();
    assert_eq!(facts, [("build", 1), ("build", 2), ("test", 1)]);
    assert_eq!(attempts[1].job_id, attempts[0].job_id);
}
