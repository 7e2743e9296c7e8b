//! What two commits have in common, and what they do not.

use tappet_model::CommitSha;

use crate::fixture::Sample;

/// `main` and `side` part at the first commit; both go on.
fn parted() -> (Sample, CommitSha) {
    let sample = Sample::new();
    let first = sample.sha("main");
    sample.git(&["checkout", "--quiet", "-b", "side"]);
    sample.write("docs/read me.md", "hello");
    sample.commit("on side");
    sample.git(&["checkout", "--quiet", "main"]);
    sample.write("src/lib.rs", "fn main() {}");
    sample.commit("on main");
    (sample, first)
}

#[tokio::test]
async fn branches_part_at_their_merge_base() {
    let (sample, first) = parted();
    let repository = sample.open().await;
    let (main, side) = (sample.sha("main"), sample.sha("side"));
    let base = repository.merge_base(&main, &side).await;
    assert_eq!(base, Ok(Some(first.clone())));
    assert_eq!(repository.merge_base(&first, &side).await, Ok(Some(first)));
}

#[tokio::test]
async fn unrelated_histories_have_no_merge_base() {
    let sample = Sample::new();
    sample.git(&["checkout", "--quiet", "--orphan", "other"]);
    sample.commit("unrelated");
    let repository = sample.open().await;
    let (main, other) = (sample.sha("main"), sample.sha("other"));
    assert_eq!(repository.merge_base(&main, &other).await, Ok(None));
    assert_eq!(repository.is_ancestor(&main, &other).await, Ok(false));
}

#[tokio::test]
async fn an_ancestor_is_older_and_not_beside() {
    let (sample, first) = parted();
    let repository = sample.open().await;
    let (main, side) = (sample.sha("main"), sample.sha("side"));
    assert_eq!(repository.is_ancestor(&first, &main).await, Ok(true));
    assert_eq!(repository.is_ancestor(&main, &main).await, Ok(true));
    assert_eq!(repository.is_ancestor(&main, &first).await, Ok(false));
    assert_eq!(repository.is_ancestor(&side, &main).await, Ok(false));
}

#[tokio::test]
async fn a_moved_file_counts_with_both_names() {
    let (sample, first) = parted();
    sample.git(&["checkout", "--quiet", "side"]);
    sample.git(&["mv", "docs/read me.md", "docs/ä.md"]);
    let moved = sample.commit("moved");
    let repository = sample.open().await;
    let changed = async |from, to| {
        let paths = repository.changed_paths(from, to).await.unwrap();
        paths.expect("they are few").to_vec()
    };
    let side = sample.sha("side~");
    assert_eq!(changed(&first, &side).await, ["docs/read me.md"]);
    assert_eq!(
        changed(&side, &moved).await,
        ["docs/read me.md", "docs/ä.md"]
    );
    assert_eq!(changed(&first, &moved).await, ["docs/ä.md"]);
    assert!(changed(&moved, &moved).await.is_empty());
}

#[tokio::test]
async fn all_files_of_a_commit_are_listed() {
    let (sample, _) = parted();
    let repository = sample.open().await;
    let paths = repository.all_paths(&sample.sha("main")).await.unwrap();
    let paths = paths.expect("they are few").to_vec();
    assert_eq!(paths, [".gitlab-ci.yml", "src/lib.rs"]);
}

#[tokio::test]
async fn answers_are_remembered() {
    let (sample, first) = parted();
    let (main, side) = (sample.sha("main"), sample.sha("side"));
    let repository = sample.open().await;
    let base = repository.merge_base(&main, &side).await;
    let changed = repository.changed_paths(&first, &side).await;
    // Git could not answer any more.
    std::fs::remove_dir_all(sample.dir.join(".git/refs")).unwrap();
    assert_eq!(repository.merge_base(&main, &side).await, base);
    assert_eq!(repository.changed_paths(&first, &side).await, changed);
    assert!(repository.all_paths(&side).await.is_err());
}
