//! The webhooks of the fake forge are those that `tappet-forge` reads.

use rstest::rstest;
use tappet_fake_forge::Delivery;
use tappet_forge::webhook::{ForgeEvent, delivery_id, parse, verify};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};

#[rstest]
#[case(Github, "ping", "ping")]
#[case(Github, "push", "push")]
#[case(Github, "push_annotated_tag", "push")]
#[case(Github, "pull_request_opened_fork", "pull request")]
#[case(Gitlab, "push_deleted_branch", "push")]
#[case(Gitlab, "tag_push_annotated", "push")]
#[case(Gitlab, "merge_request_open", "pull request")]
#[case(Gitea, "push_test_delivery", "ping")]
#[case(Gitea, "pull_request_synchronized", "pull request")]
#[case(Bitbucket, "push_several_refs", "push")]
#[case(Bitbucket, "pullrequest_created_fork", "pull request")]
fn a_recorded_delivery_is_good(
    #[case] kind: ForgeKind,
    #[case] name: &str,
    #[case] expected: &str,
) {
    let sent = Delivery::recorded(kind, name, "7c1f", "s3cret", |_| {});
    assert_eq!(verify(kind, &sent.headers, &sent.body, "s3cret"), Ok(()));
    assert!(verify(kind, &sent.headers, &sent.body, "another").is_err());
    assert_eq!(delivery_id(kind, &sent.headers).as_deref(), Some("7c1f"));
    let found = match parse(kind, &sent.headers, &sent.body) {
        Ok(ForgeEvent::Ping) => "ping",
        Ok(ForgeEvent::Push(_)) => "push",
        Ok(ForgeEvent::PullRequest(_)) => "pull request",
        other => panic!("{other:?}"),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_gitlab_may_sign() {
    let sent = Delivery::recorded(Gitlab, "push", "7c1f", "s3cret", |_| {});
    let sent = sent.signed_by_gitlab("s3cret");
    assert_eq!(verify(Gitlab, &sent.headers, &sent.body, "s3cret"), Ok(()));
    assert!(verify(Gitlab, &sent.headers, b"{}", "s3cret").is_err());
}
