//! The git process behind a repository: when it starts, dies, hangs and ends.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tappet_git::{ReadError, Repositories, Repository, ResolveError};

use crate::fixture::{Sample, exists, name};

const LONG: Duration = Duration::from_secs(60);

/// Waits until `done`; what is waited for has no event to listen to.
async fn eventually(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "it never happened");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn resolves(repository: &Repository) {
    repository.resolve(&name("main")).await.unwrap();
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_killed_process_is_replaced_unnoticed() {
    let sample = Sample::new();
    let repository = sample.open().await;
    for _ in 0..5 {
        resolves(&repository).await;
        let pids = sample.batch_processes();
        assert!(!pids.is_empty());
        pids.iter().copied().for_each(kill);
        resolves(&repository).await;
        repository.commit(&sample.sha("main")).await.unwrap();
        sample.commit("another");
        repository.commit(&sample.sha("main")).await.unwrap();
        assert!(!pids.into_iter().any(exists), "a zombie stays");
    }
}

#[tokio::test]
async fn dropping_the_repository_ends_and_reaps_its_process() {
    let sample = Sample::new();
    let repository = sample.open().await;
    resolves(&repository).await;
    let pids = sample.batch_processes();
    assert!(!pids.is_empty());
    drop(repository);
    eventually(|| !pids.iter().any(|pid| exists(*pid))).await;
}

#[tokio::test]
async fn an_idle_process_ends_and_comes_back() {
    let sample = Sample::new();
    let repository = sample.open_with(LONG, Duration::from_millis(20)).await;
    resolves(&repository).await;
    eventually(|| sample.batch_processes().is_empty()).await;
    resolves(&repository).await;
}

#[tokio::test]
async fn a_repository_removed_and_put_back_is_read_again() {
    let sample = Sample::new();
    let repository = sample.open().await;
    resolves(&repository).await;
    fs::remove_dir_all(&sample.dir).unwrap();
    let gone = repository.resolve(&name("main")).await;
    assert!(
        matches!(gone, Err(ResolveError::Read(ReadError::Gone { .. }))),
        "{gone:?}"
    );
    let gone = repository.refs().await;
    assert!(matches!(gone, Err(ReadError::Gone { .. })), "{gone:?}");

    fs::create_dir(&sample.dir).unwrap();
    sample.git(&["init", "--quiet", "."]);
    let other = sample.commit("another history");
    assert_eq!(repository.resolve(&name("main")).await.unwrap().sha, other);
}

#[tokio::test]
async fn a_repository_swapped_for_another_is_noticed() {
    let sample = Sample::new();
    // Git keeps packs open, and would go on reading from the old one.
    sample.git(&["gc", "--quiet"]);
    let repository = sample.open().await;
    let old = repository.resolve(&name("main")).await.unwrap().sha;
    fs::rename(&sample.dir, sample.root.path().join("old")).unwrap();
    fs::create_dir(&sample.dir).unwrap();
    sample.git(&["init", "--quiet", "."]);
    sample.commit("another history");
    let commit = repository.commit(&old).await;
    assert!(
        matches!(commit, Err(ReadError::NoCommit { .. })),
        "{commit:?}"
    );
}

/// Opening a named pipe waits for a writer: git hangs as on a dead network disk.
#[tokio::test]
async fn a_hanging_git_is_given_up_and_others_go_on() {
    let sample = Sample::new();
    let limit = Duration::from_millis(300);
    let repository = sample.open_with(limit, LONG).await;
    let pipe = sample.dir.join(".git/refs/heads/stuck");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    resolves(&repository).await;
    let before = sample.batch_processes();
    let stuck = repository.resolve(&name("stuck")).await;
    assert_eq!(stuck, Err(ResolveError::Read(ReadError::Timeout { limit })));
    eventually(|| !before.iter().all(|pid| exists(*pid))).await;
    resolves(&repository).await;
}

#[tokio::test]
async fn the_pool_opens_once_and_closes_the_least_used() {
    let sample = Sample::new();
    sample.git(&["clone", "--quiet", ".", "../second"]);
    let second = sample.root.path().join("second");
    let pool = Arc::new(Repositories::new(sample.git.clone(), 1));
    let (one, two) = tokio::join!(pool.get(&sample.dir), pool.get(&sample.dir));
    assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
    let first = Arc::downgrade(&pool.get(&sample.dir).await.unwrap());
    pool.get(&second).await.unwrap();
    assert!(first.upgrade().is_none(), "the first is still open");
    eventually(|| sample.batch_processes().len() == 1).await;
}

#[tokio::test]
async fn the_pool_does_not_remember_failures() {
    let sample = Sample::new();
    let dir = sample.root.path().join("later");
    let pool = Repositories::new(sample.git.clone(), 4);
    assert!(pool.get(&dir).await.is_err());
    sample.git(&["clone", "--quiet", ".", "../later"]);
    assert!(pool.get(&dir).await.is_ok());
}

#[tokio::test]
async fn a_forgotten_repository_is_opened_afresh() {
    let sample = Sample::new();
    let pool = Repositories::new(sample.git.clone(), 4);
    let before = pool.get(&sample.dir).await.unwrap();
    pool.forget(&sample.dir);
    assert!(!Arc::ptr_eq(&before, &pool.get(&sample.dir).await.unwrap()));
}
