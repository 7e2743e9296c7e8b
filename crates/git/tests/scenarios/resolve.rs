//! Names of branches and tags, as they stand at the moment of asking.

use std::sync::Arc;

use rstest::rstest;
use tappet_git::{ReadError, ResolveError};
use tappet_model::{RefKind, RefName};

use crate::fixture::{Sample, name};

#[tokio::test]
async fn a_branch_leads_to_its_commit() {
    let sample = Sample::new();
    let found = sample.open().await.resolve(&name("main")).await.unwrap();
    assert_eq!(found.sha, sample.sha("main"));
    assert_eq!((found.name.as_str(), found.kind), ("main", RefKind::Branch));
    assert_eq!(found.tag_message, None);
}

#[tokio::test]
async fn changes_are_seen_at_once() {
    let sample = Sample::new();
    let repository = sample.open().await;
    let main = async || repository.resolve(&name("main")).await.unwrap().sha;
    let first = main().await;

    let second = sample.commit("second");
    assert_ne!(first, second);
    assert_eq!(main().await, second);

    assert_eq!(
        repository.resolve(&name("new")).await,
        Err(ResolveError::NotFound)
    );
    sample.git(&["branch", "new"]);
    assert_eq!(repository.resolve(&name("new")).await.unwrap().sha, second);

    sample.git(&["pack-refs", "--all"]);
    assert_eq!(main().await, second);
    let third = sample.commit("third");
    assert_eq!(main().await, third);

    sample.git(&["gc", "--quiet", "--prune=now"]);
    assert_eq!(main().await, third);
    assert_eq!(repository.commit(&third).await.unwrap().title(), "third");
    assert_eq!(repository.commit(&first).await.unwrap().title(), "first");

    sample.git(&["branch", "--delete", "--force", "new"]);
    assert_eq!(
        repository.resolve(&name("new")).await,
        Err(ResolveError::NotFound)
    );
    sample.git(&["branch", "new", first.as_str()]);
    sample.git(&["pack-refs", "--all"]);
    assert_eq!(repository.resolve(&name("new")).await.unwrap().sha, first);
}

#[tokio::test]
async fn the_refs_of_a_list_that_exist_are_told_apart_loose_or_packed() {
    let sample = Sample::new();
    let repository = sample.open().await;
    sample.git(&["branch", "packed"]);
    sample.git(&["tag", "v1"]);
    sample.git(&["pack-refs", "--all"]);
    sample.git(&["branch", "loose"]);
    let asked = [
        "heads/gone",
        "heads/loose",
        "heads/packed",
        "tags/v1",
        "tags/loose",
    ];
    let existing = async || {
        let names = asked.map(|name| format!("refs/{name}")).to_vec();
        repository.existing(names).await.unwrap()
    };
    let all = ["refs/heads/loose", "refs/heads/packed", "refs/tags/v1"];
    assert_eq!(existing().await, all);
    assert_eq!(existing().await, all);

    sample.git(&["branch", "--delete", "--force", "loose", "packed"]);
    assert_eq!(existing().await, ["refs/tags/v1"]);
}

#[tokio::test]
async fn annotated_tags_are_followed_and_keep_their_message() {
    let sample = Sample::new();
    sample.git(&["tag", "light"]);
    sample.git(&["tag", "--annotate", "--message", "One\n\nTwo", "v1"]);
    sample.git(&["tag", "--annotate", "--message", "outer", "v2", "v1"]);
    let repository = sample.open().await;
    let tag = async |text| {
        let found = repository.resolve(&name(text)).await.unwrap();
        assert_eq!((found.kind, found.sha), (RefKind::Tag, sample.sha("main")));
        found.tag_message
    };
    assert_eq!(tag("light").await, None);
    assert_eq!(tag("v1").await.as_deref(), Some("One\n\nTwo"));
    assert_eq!(tag("refs/tags/v2").await.as_deref(), Some("outer"));
    assert_eq!(tag("v1").await.as_deref(), Some("One\n\nTwo"));
}

#[tokio::test]
async fn a_name_that_is_both_is_ambiguous_unless_written_in_full() {
    let sample = Sample::new();
    let first = sample.sha("main");
    sample.git(&["tag", "both"]);
    let second = sample.commit("second");
    sample.git(&["branch", "both"]);
    let repository = sample.open().await;
    assert_eq!(
        repository.resolve(&name("both")).await,
        Err(ResolveError::Ambiguous)
    );
    let branch = repository.resolve(&name("refs/heads/both")).await.unwrap();
    let tag = repository.resolve(&name("refs/tags/both")).await.unwrap();
    assert_eq!((branch.sha, branch.name.as_str()), (second, "both"));
    assert_eq!((tag.sha, tag.name.as_str()), (first, "both"));
}

#[tokio::test]
async fn a_tag_that_appears_beside_a_known_branch_is_seen() {
    let sample = Sample::new();
    let repository = sample.open().await;
    let kind = async || {
        let found = repository.resolve(&name("main")).await;
        found.map(|found| found.kind)
    };
    for pack in [false, true] {
        for _ in 0..3 {
            assert_eq!(kind().await, Ok(RefKind::Branch));
        }
        sample.git(&["tag", "main"]);
        if pack {
            sample.git(&["pack-refs", "--all"]);
        }
        assert_eq!(kind().await, Err(ResolveError::Ambiguous));
        sample.git(&["tag", "--delete", "main"]);
    }
    sample.git(&["tag", "main"]);
    sample.git(&["checkout", "--quiet", "--detach"]);
    sample.git(&["branch", "--delete", "--force", "main"]);
    assert_eq!(kind().await, Ok(RefKind::Tag));
}

#[tokio::test]
async fn commit_ids_and_remote_refs_are_not_refs() {
    let sample = Sample::new();
    sample.git(&["update-ref", "refs/remotes/origin/far", "HEAD"]);
    let repository = sample.open().await;
    let sha = sample.sha("main");
    for text in [
        sha.as_str(),
        sha.short(),
        "origin/far",
        "refs/remotes/origin/far",
    ] {
        let found = repository.resolve(&name(text)).await;
        assert_eq!(found, Err(ResolveError::NotFound), "{text}");
    }
}

/// `git cat-file` reads `x-g1234567` as the commit 1234567.
#[tokio::test]
async fn a_name_that_looks_like_git_describe_is_not_guessed() {
    let sample = Sample::new();
    let repository = sample.open().await;
    let described = format!("release-g{}", sample.sha("main").short());
    let found = repository.resolve(&name(&described)).await;
    assert_eq!(found, Err(ResolveError::NotFound));
    sample.git(&["branch", &described]);
    assert!(repository.resolve(&name(&described)).await.is_ok());
    sample.git(&["pack-refs", "--all"]);
    assert!(repository.resolve(&name(&described)).await.is_ok());
}

/// `git cat-file` finds a branch with the short name `refs/heads/ghost` as well.
#[tokio::test]
async fn a_branch_named_like_a_full_ref_is_not_mistaken() {
    let sample = Sample::new();
    sample.git(&["update-ref", "refs/heads/refs/heads/ghost", "HEAD"]);
    let repository = sample.open().await;
    for text in ["ghost", "refs/heads/ghost"] {
        let found = repository.resolve(&name(text)).await;
        assert_eq!(found, Err(ResolveError::NotFound), "{text}");
    }
    let full = name("refs/heads/refs/heads/ghost");
    assert_eq!(
        repository.resolve(&full).await.unwrap().name,
        "refs/heads/ghost"
    );
}

#[tokio::test]
async fn a_tag_of_a_file_leads_to_no_commit() {
    let sample = Sample::new();
    sample.git(&["tag", "file", "HEAD:.gitlab-ci.yml"]);
    sample.git(&["tag", "tree", "HEAD^{tree}"]);
    let repository = sample.open().await;
    for text in ["file", "tree"] {
        let found = repository.resolve(&name(text)).await;
        assert_eq!(found, Err(ResolveError::NotFound), "{text}");
    }
}

#[tokio::test]
async fn a_branch_whose_commit_is_lost_is_damage_not_absence() {
    let sample = Sample::new();
    sample.git(&["checkout", "--quiet", "-b", "other"]);
    let lost = sample.commit("lost");
    std::fs::remove_file(sample.loose(lost.as_str())).unwrap();
    sample.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    let repository = sample.open().await;
    let found = repository.resolve(&name("other")).await;
    assert!(
        matches!(&found, Err(ResolveError::Read(ReadError::Corrupt { detail })) if detail.contains("other")),
        "{found:?}"
    );
    assert!(repository.resolve(&name("main")).await.is_ok());
}

#[rstest]
#[case("it's\"quoted\"")]
#[case("a$(touch${IFS}marker)")]
#[case("`id`;&|<>")]
#[case("häus/日本語/🚀")]
#[case("feature/a/b/c")]
#[case("%2e%2e%0a")]
#[case("a'b!c#d,e=f+g")]
#[tokio::test]
async fn strange_names_are_only_names(#[case] text: &str) {
    let sample = Sample::new();
    let full = format!("refs/heads/{text}");
    sample.git(&["update-ref", "--", &full, "HEAD"]);
    let repository = sample.open().await;
    let found = repository.resolve(&name(text)).await.unwrap();
    assert_eq!(found.name, text);
    assert!(!sample.dir.join("marker").exists());
    sample.git(&["pack-refs", "--all"]);
    assert!(repository.resolve(&name(&full)).await.is_ok());
}

#[tokio::test]
async fn names_of_the_greatest_length_are_answered() {
    let sample = Sample::new();
    let repository = sample.open().await;
    let part = "x".repeat(200);
    let long = name(&[&*part; 5].join("/"));
    assert_eq!(repository.resolve(&long).await, Err(ResolveError::NotFound));
    // Longer than the file system allows for one part.
    let wide = name(&"y".repeat(1000));
    assert_eq!(repository.resolve(&wide).await, Err(ResolveError::NotFound));
    assert!(repository.resolve(&name("main")).await.is_ok());
}

#[rstest]
#[case("-x")]
#[case("--upload-pack=touch")]
#[case("a\nb")]
#[case("a\0b")]
fn refs_that_could_reach_git_as_something_else_are_no_refs(#[case] text: &str) {
    assert!(RefName::new(text).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_callers_each_get_their_own_answer() {
    let sample = Sample::new();
    let mut shas = Vec::new();
    for index in 0..8 {
        shas.push(sample.commit(&format!("commit {index}")));
        sample.git(&["branch", &format!("branch-{index}")]);
    }
    let repository = sample.open().await;
    let shas = Arc::new(shas);
    let callers: Vec<_> = (0..64)
        .map(|caller: usize| {
            let (repository, shas) = (Arc::clone(&repository), Arc::clone(&shas));
            tokio::spawn(async move {
                for round in 0..50 {
                    let index = (caller + round) % 9;
                    let found = repository.resolve(&name(&format!("branch-{index}"))).await;
                    match shas.get(index) {
                        Some(sha) => assert_eq!(&found.unwrap().sha, sha),
                        None => assert_eq!(found, Err(ResolveError::NotFound)),
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(sample.batch_processes().len() <= 2, "a process per caller");
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_mix_up_the_others() {
    let sample = Sample::new();
    sample.git(&["tag", "v1"]);
    let repository = sample.open().await;
    for _ in 0..100 {
        let (main, tag) = (name("main"), name("v1"));
        let mut leaving = Box::pin(repository.resolve(&main));
        // One poll sends the request; dropping the future abandons the answer.
        assert!(polled_once(leaving.as_mut()).await);
        drop(leaving);
        let found = repository.resolve(&tag).await.unwrap();
        assert_eq!(found.kind, RefKind::Tag);
    }
}

/// Polls once; whether it is still pending.
async fn polled_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
    })
    .await
}

#[tokio::test]
async fn a_commit_is_found_by_its_id_and_by_the_beginning_of_it() {
    let sample = Sample::new();
    let first = sample.sha("main");
    sample.commit("second");
    let repository = sample.open().await;
    let upper = first.as_str().to_ascii_uppercase();
    for text in [first.as_str(), &first.as_str()[..7], &upper] {
        let found = repository.resolve_commit(text).await.unwrap().unwrap();
        assert_eq!((found.kind, &found.sha), (RefKind::Commit, &first));
        assert_eq!(found.name, text);
    }
}

#[tokio::test]
async fn what_is_no_commit_id_finds_no_commit() {
    let sample = Sample::new();
    let first = sample.sha("main");
    let tree = sample.git(&["rev-parse", "main^{tree}"]);
    sample.git(&["update-ref", "refs/remotes/abcdef0", first.as_str()]);
    sample.git(&["update-ref", "refs/1234567", first.as_str()]);
    let repository = sample.open().await;
    let absent = "0123456789abcdef0123456789abcdef01234567";
    let texts = [
        &first.as_str()[..6],
        absent,
        &tree,
        "abcdef0",
        "1234567",
        "main",
        "HEAD~1",
        "",
    ];
    for text in texts {
        assert_eq!(repository.resolve_commit(text).await, Ok(None), "{text}");
    }
}
