//! Repacking of mirrors, beside those who read them.

use std::path::Path;
use std::time::{Duration, Instant};

use tappet_git::{FetchLimits, Mirrors, Upkeep};

use crate::fixture::{Sample, name};
use crate::mirrors::{Remote, mirrors, mirrors_dir};

/// A commit of so many files that its objects travel as a pack and stay one.
fn large_commit(sample: &Sample, folder: &str) {
    for number in 0..150 {
        sample.write(&format!("{folder}/{number}"), format!("{folder} {number}"));
    }
    sample.commit(folder);
}

fn packs(mirror: &Path) -> usize {
    let files = std::fs::read_dir(mirror.join("objects/pack")).unwrap();
    files
        .filter(|file| {
            let path = file.as_ref().unwrap().path();
            path.extension()
                .is_some_and(|extension| extension == "pack")
        })
        .count()
}

/// Mirrors that are repacked as soon as they have two packs.
fn tidy(sample: &Sample, fetches: u32) -> Mirrors {
    let upkeep = Upkeep {
        fetches,
        loose_objects: 100_000,
        packs: 1,
    };
    Mirrors::with_limits(
        sample.git.clone(),
        mirrors_dir(sample),
        FetchLimits::default(),
        upkeep,
    )
}

async fn until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came true");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_same_git_process_goes_on_reading_after_a_repack() {
    let sample = Sample::new();
    large_commit(&sample, "old");
    let remote = Remote::serving(&sample);
    let mirrors = tidy(&sample, 1);
    let mirror = mirrors.ensure("7", &remote.url()).await.unwrap();
    let path = mirror.git_dir().to_owned();
    let doomed = sample.sha("main");
    mirrors.keep("7", &doomed).await.unwrap();
    let found = mirror.resolve(&name("main")).await.unwrap();
    assert_eq!(found.sha, doomed);
    assert!(mirror.commit(&doomed).await.is_ok());
    let reading = sample.batch_processes();
    assert!(!reading.is_empty());

    sample.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    large_commit(&sample, "new");
    let fetched = mirrors.fetch_ref("7", &remote.url(), &name("main")).await;
    fetched.unwrap();
    until(|| packs(&path) == 1).await;
    until(|| sample.batch_processes().len() == reading.len()).await;

    let main = mirror.resolve(&name("main")).await.unwrap().sha;
    assert_eq!(main, sample.sha("main"));
    for (sha, file) in [(&main, "new/7"), (&doomed, "old/7")] {
        let read = mirror.file_at(sha, file, 1000).await.unwrap();
        assert_eq!(&*read.bytes, file.replace('/', " ").as_bytes());
    }
    assert_eq!(sample.batch_processes(), reading);
}

#[tokio::test]
async fn a_mirror_with_little_to_repack_is_left_alone() {
    let sample = Sample::new();
    large_commit(&sample, "old");
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    let mirror = mirrors.ensure("7", &remote.url()).await.unwrap();
    large_commit(&sample, "new");
    let fetched = mirrors.fetch_ref("7", &remote.url(), &name("main")).await;
    fetched.unwrap();
    mirrors.tend("7").await.unwrap();
    assert_eq!(packs(mirror.git_dir()), 2);
}

#[tokio::test]
async fn a_mirror_is_repacked_once_at_a_time() {
    let sample = Sample::new();
    let remote = Remote::serving(&sample);
    let mirrors = tidy(&sample, 1000);
    mirrors.ensure("7", &remote.url()).await.unwrap();
    let (one, two) = tokio::join!(mirrors.tend("7"), mirrors.tend("7"));
    assert_eq!((one, two), (Ok(true), Ok(false)));
    assert_eq!(mirrors.tend("7").await, Ok(true));
}
