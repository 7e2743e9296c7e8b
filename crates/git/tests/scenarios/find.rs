//! Commits by whatever a person calls them, branches and tags by name.

use rstest::rstest;
use tappet_git::Repository;
use tappet_model::RefKind;

use crate::fixture::Sample;

async fn found(repository: &Repository, name: &str) -> Option<String> {
    let found = repository.find_commit(name).await.unwrap();
    found.map(|sha| sha.to_string())
}

#[tokio::test]
async fn a_commit_is_found_by_id_digits_branch_tag_and_head() {
    let sample = Sample::new();
    let sha = sample.sha("main").to_string();
    sample.git(&["branch", "team/a"]);
    sample.git(&["tag", "--annotate", "--message", "m", "v1"]);
    let repository = sample.open().await;
    for name in [&sha, &sha[..8], &sha[..7], "main", "team/a", "v1", "HEAD"] {
        assert_eq!(
            found(&repository, name).await.as_deref(),
            Some(&*sha),
            "{name}"
        );
    }
    assert_eq!(
        found(&repository, &sha.to_uppercase()).await,
        Some(sha.clone())
    );
}

#[rstest]
#[case::too_few_digits("abcdef")]
#[case::unknown_digits("0000000")]
#[case::unknown_id("1111111111111111111111111111111111111111")]
#[case::a_revision("main~0")]
#[case::an_option("--all")]
#[case::a_described_name("x-g1234567")]
#[case::a_search(":/first")]
#[case::nothing("")]
#[tokio::test]
async fn anything_else_is_no_commit(#[case] name: &str) {
    let sample = Sample::new();
    assert_eq!(found(&*sample.open().await, name).await, None);
}

#[tokio::test]
async fn a_tree_is_no_commit_by_its_digits() {
    let sample = Sample::new();
    let tree = sample.git(&["rev-parse", "HEAD^{tree}"]);
    let repository = sample.open().await;
    assert_eq!(found(&repository, &tree).await, None);
    assert_eq!(found(&repository, &tree[..10]).await, None);
}

#[tokio::test]
async fn a_branch_wins_over_a_tag_of_its_name() {
    let sample = Sample::new();
    sample.git(&["tag", "both"]);
    let on_branch = sample.commit("second").to_string();
    sample.git(&["branch", "both"]);
    let repository = sample.open().await;
    assert_eq!(found(&repository, "both").await, Some(on_branch));
}

#[tokio::test]
async fn a_ref_is_found_by_its_exact_name_alone() {
    let sample = Sample::new();
    sample.git(&["branch", "team/a"]);
    sample.git(&["tag", "v1"]);
    let repository = sample.open().await;
    let exists = async |kind, name: &str| {
        let found = repository.find_ref(kind, name).await.unwrap();
        found.is_some()
    };
    assert!(exists(RefKind::Branch, "team/a").await);
    assert!(exists(RefKind::Tag, "v1").await);
    for name in ["team", "team/", "team/*", "v1", "te", "refs/heads/main"] {
        assert!(!exists(RefKind::Branch, name).await, "{name}");
    }
}

#[tokio::test]
async fn a_branch_is_merged_once_another_went_beyond_it() {
    let sample = Sample::new();
    sample.git(&["branch", "same"]);
    sample.git(&["checkout", "--quiet", "-b", "merged"]);
    sample.commit("on the side");
    sample.git(&["checkout", "--quiet", "-b", "ahead"]);
    sample.commit("not yet");
    sample.git(&["checkout", "--quiet", "main"]);
    sample.git(&["merge", "--quiet", "--no-ff", "merged"]);
    sample.git(&["branch", "--force", "same", "main"]);
    let repository = sample.open().await;
    let branches = repository.branches().await.unwrap();
    let all: Vec<_> = branches.iter().collect();
    let main = all.iter().find(|branch| branch.name == "main").unwrap();
    let merged = repository.merged(&all, main).await.unwrap();
    assert_eq!(merged.into_iter().collect::<Vec<_>>(), ["merged"]);
}
