//! Commits, files and lists.

use rstest::rstest;
use tappet_git::{FileError, ReadError, Ref};
use tappet_model::{CommitSha, RefKind, Timestamp};

use crate::fixture::Sample;

const LIMIT: u64 = 2 << 20;

#[tokio::test]
async fn a_commit_tells_who_when_and_why() {
    let sample = Sample::new();
    let parent = sample.sha("main");
    let sha = sample.commit("Add a thing\n\nBecause of \"reasons\".\nAnd more.");
    let commit = sample.open().await.commit(&sha).await.unwrap();
    assert_eq!(commit.sha, sha);
    assert_eq!(commit.parents, [parent]);
    assert_eq!(commit.author_name, "Ada");
    assert_eq!(commit.author_email, "ada@example.com");
    assert_eq!(commit.committed_at.unix_seconds(), 1_700_000_000);
    assert_eq!(commit.title(), "Add a thing");
    assert_eq!(commit.description(), "Because of \"reasons\".\nAnd more.");
}

#[tokio::test]
async fn an_unknown_commit_is_named() {
    let sample = Sample::new();
    let repository = sample.open().await;
    let unknown: CommitSha = "1".repeat(40).parse().unwrap();
    let error = repository.commit(&unknown).await.unwrap_err();
    assert_eq!(
        error,
        ReadError::NoCommit {
            sha: unknown.clone()
        }
    );
    assert!(error.to_string().contains(unknown.as_str()));
    let file = repository.file_at(&unknown, "x", LIMIT).await;
    assert!(matches!(
        file,
        Err(FileError::Read(ReadError::NoCommit { .. }))
    ));
    let tree: CommitSha = sample.git(&["rev-parse", "HEAD^{tree}"]).parse().unwrap();
    let error = repository.commit(&tree).await.unwrap_err();
    assert!(matches!(error, ReadError::NoCommit { .. }), "{error:?}");
}

#[tokio::test]
async fn files_come_from_the_commit_not_from_the_disk() {
    let sample = Sample::new();
    let sha = sample.sha("main");
    sample.write(".gitlab-ci.yml", "changed on disk");
    let repository = sample.open().await;
    let file = repository
        .file_at(&sha, ".gitlab-ci.yml", LIMIT)
        .await
        .unwrap();
    assert_eq!(&*file.bytes, b"job: {script: date}\n");
    let blob = sample.git(&["rev-parse", "HEAD:.gitlab-ci.yml"]);
    assert_eq!(file.blob, blob);
    assert_eq!(
        repository.blob_at(&sha, ".gitlab-ci.yml").await.unwrap(),
        blob
    );
}

#[tokio::test]
async fn files_in_folders_with_any_bytes() {
    let sample = Sample::new();
    sample.write("ci/deep/a b.yml", b"\0\xff\n\n");
    sample.write("ci/deep/empty", "");
    let sha = sample.commit("files");
    let repository = sample.open().await;
    let read = async |path| repository.file_at(&sha, path, LIMIT).await.unwrap().bytes;
    assert_eq!(&*read("ci/deep/a b.yml").await, b"\0\xff\n\n");
    assert_eq!(&*read("ci/deep/empty").await, b"");
    assert_eq!(&*read("ci/deep/a b.yml").await, b"\0\xff\n\n");
}

#[rstest]
#[case("nothing", FileError::Missing)]
#[case("dir/nothing", FileError::Missing)]
#[case("dir/file/below", FileError::Missing)]
#[case("dir", FileError::NotAFile)]
#[case("sub", FileError::NotAFile)]
#[case("link", FileError::Symlink)]
#[case("linked-dir/file", FileError::Symlink)]
#[case("", FileError::BadPath)]
#[case("/etc/passwd", FileError::BadPath)]
#[case("../../../etc/passwd", FileError::BadPath)]
#[case("dir/../dir/file", FileError::BadPath)]
#[case("./dir/file", FileError::BadPath)]
#[case("dir//file", FileError::BadPath)]
#[case("dir/", FileError::BadPath)]
#[case("dir/file\n", FileError::BadPath)]
#[case("dir/file\0", FileError::BadPath)]
#[case("%2e%2e/etc/passwd", FileError::Missing)]
#[tokio::test]
async fn paths_that_are_no_file(#[case] path: &str, #[case] expected: FileError) {
    let sample = Sample::new();
    sample.write("dir/file", "content");
    sample.link("link", "dir/file");
    sample.link("linked-dir", "dir");
    let head = sample.sha("HEAD");
    sample.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{head},sub"),
    ]);
    sample.git(&["add", "dir", "link", "linked-dir"]);
    sample.git(&["commit", "--quiet", "--message", "all kinds"]);
    let sha = sample.sha("HEAD");
    let found = sample.open().await.file_at(&sha, path, LIMIT).await;
    assert_eq!(found, Err(expected));
}

#[tokio::test]
async fn a_path_of_ten_kilobytes_is_refused() {
    let sample = Sample::new();
    let sha = sample.sha("HEAD");
    let long = "a/".repeat(5 << 10) + "b";
    let found = sample.open().await.file_at(&sha, &long, LIMIT).await;
    assert_eq!(found, Err(FileError::BadPath));
}

#[tokio::test]
async fn three_megabytes_are_too_large_before_and_after_caching() {
    let sample = Sample::new();
    sample.write("big.yml", vec![b'#'; 3 << 20]);
    let sha = sample.commit("big");
    let repository = sample.open().await;
    let too_large = FileError::TooLarge {
        size: 3 << 20,
        limit: LIMIT,
    };
    let read = async |limit| repository.file_at(&sha, "big.yml", limit).await;
    assert_eq!(read(LIMIT).await, Err(too_large.clone()));
    assert_eq!(read(4 << 20).await.unwrap().bytes.len(), 3 << 20);
    assert_eq!(read(LIMIT).await, Err(too_large));
}

#[tokio::test]
async fn cached_files_need_no_git() {
    let sample = Sample::new();
    let sha = sample.sha("main");
    let repository = sample.open().await;
    let path = ".gitlab-ci.yml";
    let first = repository.file_at(&sha, path, LIMIT).await.unwrap();
    let commit = repository.commit(&sha).await.unwrap();
    std::fs::remove_dir_all(sample.dir.join(".git")).unwrap();
    assert_eq!(repository.file_at(&sha, path, LIMIT).await, Ok(first));
    assert_eq!(repository.commit(&sha).await, Ok(commit));
}

#[tokio::test]
async fn refs_are_listed_with_their_commits() {
    let sample = Sample::new();
    let sha = sample.sha("main");
    sample.git(&["branch", "a/b"]);
    sample.git(&["tag", "light"]);
    sample.git(&["tag", "--annotate", "--message", "m", "v1"]);
    sample.git(&["tag", "file", "HEAD:.gitlab-ci.yml"]);
    let entry = |kind, name: &str| Ref {
        kind,
        name: name.to_owned(),
        target: sample.git(&["rev-parse", name]),
        sha: sha.clone(),
        dated: Timestamp(1_700_000_000_000_000),
        is_annotated: name == "v1",
    };
    assert_eq!(
        sample.open().await.refs().await.unwrap(),
        [
            entry(RefKind::Branch, "a/b"),
            entry(RefKind::Branch, "main"),
            entry(RefKind::Tag, "light"),
            entry(RefKind::Tag, "v1"),
        ]
    );
}

#[tokio::test]
async fn the_default_branch_follows_head() {
    let sample = Sample::new();
    let repository = sample.open().await;
    let default = async || repository.default_branch().await.unwrap();
    assert_eq!(default().await.as_deref(), Some("main"));
    sample.git(&["symbolic-ref", "HEAD", "refs/heads/team/unborn"]);
    assert_eq!(default().await.as_deref(), Some("team/unborn"));
    sample.git(&["update-ref", "--no-deref", "HEAD", "refs/heads/main"]);
    assert_eq!(default().await, None);
}

#[tokio::test]
async fn a_folder_lists_its_own_files() {
    let sample = Sample::new();
    sample.write(".depot/workflows/ci.yml", "");
    sample.write(".depot/workflows/deep/no.yml", "");
    sample.link(".depot/workflows/link.yml", "ci.yml");
    sample.write(".depot/workflows/a.yaml", "");
    let sha = sample.commit("workflows");
    let repository = sample.open().await;
    let files = repository.files_in(&sha, ".depot/workflows").await.unwrap();
    assert_eq!(files, ["a.yaml", "ci.yml"]);
    let missing = repository.files_in(&sha, ".github/workflows").await;
    assert_eq!(missing, Err(FileError::Missing));
}
