//! Test coverage of attempts and runs, and the environment of a job.

use tappet_engine::JobEvent;
use tappet_model::{AttemptId, DeploymentTier, Environment, EnvironmentAction};

use crate::world::*;

#[tokio::test]
async fn a_pattern_is_that_of_the_attempts_job() {
    let world = World::new().await;
    world
        .create(&[job("plain"), job("measured").coverage("/\\d+%/")])
        .await;
    let plain = world.take().await.attempt.id;
    let measured = world.take().await.attempt.id;
    let pattern = |id| world.store.coverage_pattern(id);
    assert_eq!(pattern(plain).await.unwrap(), None);
    assert_eq!(pattern(measured).await.unwrap().as_deref(), Some("/\\d+%/"));
    assert_eq!(pattern(AttemptId(99)).await.unwrap(), None);
}

#[tokio::test]
async fn the_coverage_of_a_run_is_the_mean_of_its_newest_attempts() {
    let world = World::new().await;
    let other = world.create(&[job("foreign")]).await.run.id;
    let foreign = world.take().await.attempt.id;
    world.store.set_coverage(foreign, 1.0).await.unwrap();
    let run = world.create(&[job("a"), job("b"), job("c")]).await.run.id;
    let coverage = || world.store.run_coverage(run);
    assert_eq!(coverage().await.unwrap(), None);
    let a = world.take().await.attempt.id;
    let b = world.take().await.attempt.id;
    world.store.set_coverage(a, 90.0).await.unwrap();
    world.store.set_coverage(b, 45.0).await.unwrap();
    assert_eq!(coverage().await.unwrap(), Some(67.5));
    world.job_event(a, JobEvent::Success).await.unwrap();
    world.job_event(a, JobEvent::Retry).await.unwrap();
    assert_eq!(coverage().await.unwrap(), Some(45.0));
    assert_eq!(world.store.run_coverage(other).await.unwrap(), Some(1.0));
}

#[tokio::test]
async fn an_attempt_knows_its_environment_after_a_restart() {
    let world = World::new().await;
    let environment = Environment {
        name: "review/login".into(),
        url: Some("https://$CI_ENVIRONMENT_SLUG.example.com".into()),
        action: EnvironmentAction::Stop,
        written_tier: Some(DeploymentTier::Other),
    };
    world
        .create(&[job("ship").environment(environment.clone())])
        .await;
    let world = world.reopen();
    let attempt = world.take().await.attempt;
    assert_eq!(attempt.environment, Some(environment));
}
