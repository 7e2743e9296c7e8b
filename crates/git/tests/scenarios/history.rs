//! Histories and how much a commit changed.

use tappet_git::{CommitStats, HistoryFilter, Repository};
use tappet_model::{CommitSha, Timestamp};

use crate::fixture::Sample;

/// Titles of a history.
async fn titles(
    repository: &Repository,
    from: &[CommitSha],
    filter: &HistoryFilter,
    skip: u64,
    limit: u32,
) -> Vec<String> {
    let mut titles = Vec::new();
    for sha in repository.history(from, filter, skip, limit).await.unwrap() {
        titles.push(repository.commit(&sha).await.unwrap().title().to_owned());
    }
    titles
}

#[tokio::test]
async fn a_history_is_newest_first_and_comes_in_pages() {
    let sample = Sample::new();
    sample.commit("second");
    sample.commit("third");
    let repository = sample.open().await;
    let (from, all) = ([sample.sha("main")], HistoryFilter::default());
    assert_eq!(
        titles(&repository, &from, &all, 0, 2).await,
        ["third", "second"]
    );
    assert_eq!(titles(&repository, &from, &all, 2, 2).await, ["first"]);
    assert!(titles(&repository, &from, &all, 3, 2).await.is_empty());
}

#[tokio::test]
async fn without_a_start_every_branch_and_tag_counts() {
    let sample = Sample::new();
    sample.git(&["checkout", "--quiet", "-b", "side"]);
    sample.commit("on the side");
    let repository = sample.open().await;
    let all = HistoryFilter::default();
    assert_eq!(titles(&repository, &[], &all, 0, 9).await.len(), 2);
    let empty = Sample::empty();
    let repository = empty.open().await;
    assert!(titles(&repository, &[], &all, 0, 9).await.is_empty());
}

#[tokio::test]
async fn filters_narrow_a_history() {
    let sample = Sample::new();
    sample.write("*.md", "a star is a letter here");
    sample.commit("a starred file");
    sample.write("x.md", "x");
    sample.commit("another file");
    let repository = sample.open().await;
    let from = [sample.sha("main")];
    let shown = async |filter: HistoryFilter| titles(&repository, &from, &filter, 0, 9).await;
    let path = HistoryFilter {
        path: Some("*.md".into()),
        ..HistoryFilter::default()
    };
    assert_eq!(shown(path).await, ["a starred file"]);
    let author = |author: &str| HistoryFilter {
        author: Some(author.into()),
        ..HistoryFilter::default()
    };
    assert_eq!(shown(author("ada@example")).await.len(), 3);
    assert!(shown(author("A.a")).await.is_empty());
    let at = Timestamp(1_700_000_000_000_000);
    let since = |since| HistoryFilter {
        since: Some(since),
        ..HistoryFilter::default()
    };
    assert_eq!(shown(since(at)).await.len(), 3);
    let later = at.plus(std::time::Duration::from_secs(60));
    assert!(shown(since(later)).await.is_empty());
    let until = HistoryFilter {
        until: Some(Timestamp(at.0 - 60_000_000)),
        ..HistoryFilter::default()
    };
    assert!(shown(until).await.is_empty());
}

#[tokio::test]
async fn stats_count_changed_lines_against_the_first_parent() {
    let sample = Sample::new();
    let first = sample.sha("main");
    sample.write("a", "1\n2\n3\n");
    sample.write("binary", [0, 1, 2]);
    sample.commit("add");
    sample.write("a", "1\n3\nfour\nfive\n");
    let changed = sample.commit("change");
    let repository = sample.open().await;
    let stats = |additions, deletions| CommitStats {
        additions,
        deletions,
    };
    assert_eq!(repository.stats(&first).await.unwrap(), stats(1, 0));
    assert_eq!(repository.stats(&changed).await.unwrap(), stats(2, 1));
}
