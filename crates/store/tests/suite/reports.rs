//! What jobs reported.

use tappet_engine::JobEvent;
use tappet_model::AttemptId;
use tappet_store::*;

use crate::world::*;

async fn upload(world: &World, attempt_id: AttemptId, kind: &str, report: NewReport) {
    let new = NewArtifact {
        attempt_id,
        kind: kind.into(),
        name: None,
        format: "gzip".into(),
        filename: "report.gz".into(),
        size_bytes: 10,
        sha256: [1; 32],
        expires_at: Some(world.now()),
        report: Some(report),
        now: world.now(),
    };
    world.store.add_artifact(new).await.unwrap();
}

fn counts(success: u64) -> TestCounts {
    TestCounts {
        total_time: 0.5,
        success,
        ..TestCounts::default()
    }
}

#[tokio::test]
async fn variables_go_to_the_jobs_that_get_the_artifacts() {
    let world = World::new().await;
    world
        .create(&[
            job("a"),
            job("b"),
            job("all").stage(1),
            job("some").stage(1).artifacts_from(&["b"]),
            job("none").stage(1).artifacts_from(&[]),
        ])
        .await;
    for name in ["a", "b"] {
        let taken = world.take().await;
        let sealed = NewReport::Variables(name.into());
        upload(&world, taken.attempt.id, "dotenv", sealed).await;
        let success = JobEvent::Success;
        world.job_event(taken.attempt.id, success).await.unwrap();
    }
    let expected: [&[&[u8]]; 3] = [&[b"a", b"b"], &[b"b"], &[]];
    for expected in expected {
        assert_eq!(world.take().await.sealed_reports, expected);
    }
}

#[tokio::test]
async fn counts_of_the_newest_attempts_stay_when_the_file_goes() {
    let world = World::new().await;
    let run = world.create(&[job("a"), job("b")]).await;
    for success in [1, 2] {
        let taken = world.take().await;
        let tests = NewReport::Tests(counts(success));
        upload(&world, taken.attempt.id, "junit", tests).await;
        world.job_event(taken.attempt.id, failure()).await.unwrap();
    }
    let [a, b] = [run.changed[0].id, run.changed[1].id];
    let later = world.later(HOUR);
    let expired = world.store.expire_artifacts_due(later, later, 10).await;
    assert_eq!(expired.unwrap().removed.len(), 2);
    world.job_event(a, JobEvent::Retry).await.unwrap();
    let summaries = world.store.test_summaries(run.run.id).await.unwrap();
    let expected = TestSummary {
        attempt_id: b,
        job: "b".into(),
        counts: counts(2),
    };
    assert_eq!(summaries, [expected]);
}

#[tokio::test]
async fn an_erased_attempt_reported_nothing() {
    let world = World::new().await;
    let run = world.create(&[job("a"), job("b").stage(1)]).await;
    let a = world.take().await.attempt.id;
    upload(&world, a, "junit", NewReport::Tests(counts(1))).await;
    upload(&world, a, "dotenv", NewReport::Variables(b"A=1".into())).await;
    world.job_event(a, JobEvent::Success).await.unwrap();
    world.store.erase_attempt(a, world.now()).await.unwrap();
    let summaries = world.store.test_summaries(run.run.id).await.unwrap();
    assert_eq!(summaries, []);
    assert_eq!(world.take().await.sealed_reports, [] as [Vec<u8>; 0]);
}
