//! What opens, and what is said about what does not.

use std::fs;
use std::path::Path;

use rstest::rstest;
use tappet_git::{Git, OpenError, Repository, ResolveError};

use crate::fixture::{Sample, name};

async fn refusal(git: &Git, dir: &Path) -> OpenError {
    Repository::open(git, dir).await.unwrap_err()
}

#[tokio::test]
async fn an_empty_repository_opens() {
    let sample = Sample::empty();
    let repository = sample.open().await;
    assert!(repository.is_empty().await.unwrap());
    assert_eq!(
        repository.default_branch().await.unwrap().as_deref(),
        Some("main")
    );
    assert_eq!(
        repository.resolve(&name("main")).await,
        Err(ResolveError::NotFound)
    );
    assert_eq!(repository.refs().await.unwrap(), []);
    let sha = sample.commit("first");
    assert!(!repository.is_empty().await.unwrap());
    assert_eq!(repository.resolve(&name("main")).await.unwrap().sha, sha);
}

#[tokio::test]
async fn an_unborn_head_beside_other_branches_opens() {
    let sample = Sample::new();
    sample.git(&["branch", "--move", "other"]);
    sample.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    let repository = sample.open().await;
    assert!(repository.resolve(&name("other")).await.is_ok());
}

#[tokio::test]
async fn a_bare_repository_and_a_detached_head_open() {
    let sample = Sample::new();
    sample.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let bare = sample.root.path().join("bare.git");
    let repository = Repository::open(&sample.git, &bare).await.unwrap();
    assert_eq!(repository.git_dir(), bare.canonicalize().unwrap());
    assert_eq!(
        repository.objects_dir(),
        repository.git_dir().join("objects")
    );
    assert!(repository.resolve(&name("main")).await.is_ok());
    sample.git(&["checkout", "--quiet", "--detach"]);
    assert!(sample.open().await.resolve(&name("main")).await.is_ok());
}

#[tokio::test]
async fn a_linked_work_tree_shares_the_objects() {
    let sample = Sample::new();
    sample.git(&["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    let linked = sample.root.path().join("linked");
    let repository = Repository::open(&sample.git, &linked).await.unwrap();
    let main = sample.dir.join(".git").canonicalize().unwrap();
    assert_eq!(repository.objects_dir(), main.join("objects"));
    assert_eq!(
        repository.default_branch().await.unwrap().as_deref(),
        Some("side")
    );
    sample.git(&["pack-refs", "--all"]);
    assert!(repository.resolve(&name("main")).await.is_ok());
}

#[tokio::test]
async fn a_missing_path_is_missing() {
    let sample = Sample::new();
    let dir = sample.root.path().join("nowhere");
    let error = refusal(&sample.git, &dir).await;
    assert_eq!(error, OpenError::Missing { dir: dir.clone() });
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn other_folders_and_files_are_not_repositories() {
    let sample = Sample::new();
    sample.write("sub/file", "");
    for path in ["repo/sub", "repo/sub/file", "home", ""] {
        let error = refusal(&sample.git, &sample.root.path().join(path)).await;
        assert!(
            matches!(error, OpenError::NotARepository { .. }),
            "{path}: {error}"
        );
    }
}

#[rstest]
#[case::config("config", "[core\nbroken")]
#[case::head("HEAD", "garbage")]
#[case::empty_head("HEAD", "")]
#[case::branch("refs/heads/main", "garbage\n")]
#[case::empty_branch("refs/heads/main", "")]
#[case::lost_commit("refs/heads/main", "1111111111111111111111111111111111111111\n")]
#[case::format("config", "[core]\nrepositoryformatversion = 99\n")]
#[tokio::test]
async fn a_damaged_file_is_corruption(#[case] file: &str, #[case] text: &str) {
    let sample = Sample::new();
    fs::write(sample.dir.join(".git").join(file), text).unwrap();
    let error = refusal(&sample.git, &sample.dir).await;
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("is corrupt: "), "{error}");
}

#[tokio::test]
async fn damaged_packed_refs_are_corruption() {
    let sample = Sample::new();
    sample.git(&["pack-refs", "--all"]);
    fs::write(sample.dir.join(".git/packed-refs"), "not a ref\n").unwrap();
    let error = refusal(&sample.git, &sample.dir).await;
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
}

#[rstest]
#[case::commit("HEAD")]
#[case::tree("HEAD^{tree}")]
#[tokio::test]
async fn truncated_objects_are_corruption(#[case] revision: &str) {
    let sample = Sample::new();
    let object = sample.loose(&sample.git(&["rev-parse", revision]));
    let bytes = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    fs::write(&object, &bytes[..bytes.len() / 2]).unwrap();
    let error = refusal(&sample.git, &sample.dir).await;
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_truncated_pack_is_corruption() {
    let sample = Sample::new();
    sample.git(&["gc", "--quiet"]);
    let packs = fs::read_dir(sample.dir.join(".git/objects/pack")).unwrap();
    for pack in packs.map(|entry| entry.unwrap().path()) {
        if pack
            .extension()
            .is_some_and(|extension| extension == "pack")
        {
            let bytes = fs::read(&pack).unwrap();
            fs::remove_file(&pack).unwrap();
            fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
    let error = refusal(&sample.git, &sample.dir).await;
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_lost_object_store_is_corruption() {
    let sample = Sample::new();
    fs::remove_dir_all(sample.dir.join(".git/objects")).unwrap();
    let error = refusal(&sample.git, &sample.dir).await;
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn sha256_repositories_are_refused_with_the_reason() {
    let sample = Sample::new();
    let dir = sample.root.path().join("sha256");
    sample.git(&[
        "init",
        "--quiet",
        "--object-format=sha256",
        dir.to_str().unwrap(),
    ]);
    let error = refusal(&sample.git, &dir).await;
    assert!(error.to_string().contains("only sha1"), "{error}");
}
