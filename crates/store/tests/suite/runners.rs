//! Runners.

use tappet_model::RunnerId;

use crate::world::*;

#[tokio::test]
async fn the_embedded_runner_stays_the_same_under_a_new_token() {
    let world = World::new().await;
    let store = &world.store;
    let runner = store
        .ensure_embedded_runner(hash("new token"), world.now())
        .await
        .unwrap();
    assert_eq!(runner.id, world.runner);
    assert!(runner.is_embedded && runner.run_untagged && !runner.is_paused);
    assert_eq!(
        store.runner_by_token(hash("new token")).await.unwrap(),
        Some(runner.clone())
    );
    assert_eq!(store.runner_by_token(hash("runner")).await.unwrap(), None);
    assert_eq!(store.runner(runner.id).await.unwrap(), Some(runner.clone()));
    assert_eq!(store.runners().await.unwrap(), [runner]);
    assert_eq!(store.runner(RunnerId(99)).await.unwrap(), None);
}
