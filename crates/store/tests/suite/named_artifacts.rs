//! Files with names.

use tappet_engine::JobEvent;
use tappet_model::{ArtifactId, AttemptId, JobId, RunId, WorkflowId};
use tappet_store::*;

use crate::world::{World, failure, job, workflows};

impl World {
    fn named(&self, attempt_id: AttemptId, name: &str, digest: u8) -> NewArtifact {
        NewArtifact {
            attempt_id,
            kind: NAMED.to_owned(),
            name: Some(name.to_owned()),
            format: "zip".to_owned(),
            filename: format!("{name}.zip"),
            size_bytes: 10,
            sha256: [digest; 32],
            expires_at: None,
            report: None,
            now: self.now(),
        }
    }

    /// The next job with steps uploads a file for each name.
    async fn upload(&self, names: &[&str]) -> AttemptId {
        let id = self.take_steps().await.attempt.id;
        for (digest, name) in (1..).zip(names) {
            let new = self.named(id, name, digest);
            self.store.add_artifact(new).await.unwrap();
        }
        id
    }

    async fn names(&self, run: RunId, filter: NamedArtifactFilter) -> Vec<String> {
        let filter = NamedArtifactFilter {
            limit: if filter.limit == 0 { 100 } else { filter.limit },
            ..filter
        };
        let found = self.store.named_artifacts(run, filter).await.unwrap();
        found
            .into_iter()
            .filter_map(|artifact| artifact.file.name)
            .collect()
    }

    /// Two jobs in two workflows; the first failed once and was retried.
    async fn uploaded(&self) -> (Run, [AttemptId; 3]) {
        let jobs = [job("build").steps(), job("docs").steps().stage(1)];
        let workflow = workflows(&["ci.yml", "docs.yml"], &[], &jobs);
        let run = self.create_workflows(workflow).await.run;
        let first = self.upload(&["logs"]).await;
        self.job_event(first, failure()).await.unwrap();
        let docs = self.upload(&["site", "pdf"]).await;
        self.job_event(first, JobEvent::Retry).await.unwrap();
        let second = self.upload(&["logs", "binary"]).await;
        (run, [first, docs, second])
    }
}

#[tokio::test]
async fn an_attempt_uploads_each_name_once() {
    let world = World::new().await;
    let (run, [first, ..]) = world.uploaded().await;
    let again = world.named(first, "logs", 1);
    world.store.add_artifact(again).await.unwrap();
    let other = world.named(first, "logs", 9);
    let refused = world.store.add_artifact(other).await.unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Taken {
            field: "artifact name"
        }
    ));
    let all = world.names(run.id, NamedArtifactFilter::default()).await;
    assert_eq!(all, ["binary", "logs", "pdf", "site", "logs"]);
}

#[tokio::test]
async fn a_file_tells_where_it_comes_from() {
    let world = World::new().await;
    let (run, [first, _, second]) = world.uploaded().await;
    let filter = NamedArtifactFilter {
        limit: 1,
        ..NamedArtifactFilter::default()
    };
    let found = world.store.named_artifacts(run.id, filter).await.unwrap();
    let newest = &found[0];
    assert_eq!(newest.run_id, run.id);
    assert_eq!(newest.project_id, world.project);
    assert_eq!(newest.workflow_id, run.workflow_id);
    assert_eq!(
        newest.workflow_path.as_deref(),
        Some(".depot/workflows/ci.yml")
    );
    assert_eq!(newest.job_id, JobId(first.0));
    assert_eq!(newest.file.attempt_id, second);
    assert_eq!(newest.attempt_number, 2);
    let key = newest.key.as_ref().map(JobKey::to_string);
    assert_eq!(key.as_deref(), Some("ci.yml:build"));
    let id = newest.file.id;
    let one = world.store.named_artifact(id).await.unwrap();
    assert_eq!(one.as_ref(), Some(newest));
    let unknown = world.store.named_artifact(ArtifactId(99)).await.unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test]
async fn files_are_found_by_workflow_job_and_attempt() {
    let world = World::new().await;
    let (run, [first, docs, second]) = world.uploaded().await;
    let all = NamedArtifactFilter::default;
    let of_workflow = |id| NamedArtifactFilter {
        workflow: Some(WorkflowId(id)),
        ..all()
    };
    let second_workflow = of_workflow(run.workflow_id.0 + 1);
    assert_eq!(world.names(run.id, second_workflow).await, ["pdf", "site"]);
    assert!(world.names(run.id, of_workflow(99)).await.is_empty());
    let of_job = |id: AttemptId| NamedArtifactFilter {
        job: Some(JobId(id.0)),
        ..all()
    };
    let build = ["binary", "logs", "logs"];
    assert_eq!(world.names(run.id, of_job(first)).await, build);
    assert!(world.names(run.id, of_job(second)).await.is_empty());
    let of_attempt = NamedArtifactFilter {
        attempt: Some(docs),
        ..all()
    };
    assert_eq!(world.names(run.id, of_attempt).await, ["pdf", "site"]);
    let newest = NamedArtifactFilter {
        newest_attempts: true,
        ..all()
    };
    let expected = ["binary", "logs", "pdf", "site"];
    assert_eq!(world.names(run.id, newest).await, expected);
}

#[tokio::test]
async fn a_page_goes_on_after_the_last_one() {
    let world = World::new().await;
    let (run, _) = world.uploaded().await;
    let mut before = None;
    let mut pages = Vec::new();
    loop {
        let filter = NamedArtifactFilter {
            before,
            limit: 2,
            ..NamedArtifactFilter::default()
        };
        let found = world.store.named_artifacts(run.id, filter).await.unwrap();
        let Some(last) = found.last() else { break };
        before = Some(last.file.id);
        pages.push(found.len());
    }
    assert_eq!(pages, [2, 2, 1]);
}

#[tokio::test]
async fn a_file_stays_on_the_disk_while_another_has_its_content() {
    let world = World::new().await;
    let jobs = [job("build").steps()];
    let run = world
        .create_workflows(workflows(&["ci.yml"], &[], &jobs))
        .await
        .run;
    let id = world.take_steps().await.attempt.id;
    let mut files = Vec::new();
    for name in ["one", "two"] {
        let new = world.named(id, name, 7);
        files.push(world.store.add_artifact(new).await.unwrap());
    }
    let removed = world.store.delete_artifact(files[0].id).await.unwrap();
    assert_eq!(removed, None);
    let removed = world.store.delete_artifact(files[1].id).await.unwrap();
    assert_eq!(removed.as_ref(), Some(&files[1]));
    assert!(
        world
            .names(run.id, NamedArtifactFilter::default())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn files_with_names_go_with_their_attempt() {
    let world = World::new().await;
    let (run, [first, ..]) = world.uploaded().await;
    let erased = world.store.erase_attempt(first, world.now()).await.unwrap();
    assert_eq!(erased.len(), 1);
    let removed = world.store.delete_run(run.id).await.unwrap();
    assert_eq!(removed.artifacts.len(), 4);
}
