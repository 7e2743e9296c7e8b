//! Pull and merge requests: what happened, and what the forge says of them.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_forge::webhook::PullRequestAction::{self, Labeled};
use tappet_forge::webhook::Revision;
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};

use super::payloads::{BASE, NEW, as_recorded, pull_request, read};

fn opened(kind: ForgeKind) -> &'static str {
    match kind {
        Gitlab => "merge_request_open",
        Bitbucket => "pullrequest_created",
        Github | Gitea => "pull_request_opened",
    }
}

#[rstest]
#[case(Github, BASE)]
#[case(Gitlab, "")]
#[case(Gitea, BASE)]
fn an_opened_one_tells_its_branches_and_commits(#[case] kind: ForgeKind, #[case] base: &str) {
    let event = pull_request(kind, opened(kind), as_recorded);
    assert_eq!(event.action, PullRequestAction::Opened);
    let found = &event.pull_request;
    assert_eq!(found.number, "12");
    assert_eq!(
        (found.head_branch.as_str(), found.head_sha.as_str()),
        ("feature/prices", NEW)
    );
    assert_eq!(
        (found.base_branch.as_str(), found.base_sha.as_str()),
        ("main", base)
    );
    assert!(!found.is_from_fork());
    assert_eq!(event.head.full().map(|sha| sha.as_str()), Some(NEW));
    assert_eq!(event.base.is_none(), base.is_empty());
}

#[test]
fn bitbucket_gives_twelve_digits_of_each_commit() {
    let event = pull_request(Bitbucket, "pullrequest_created", as_recorded);
    assert_eq!(event.head, Revision::Short("c58e2b71f04d".to_owned()));
    assert_eq!(event.base, Some(Revision::Short("60d7fb1a2c39".to_owned())));
    assert_eq!(event.pull_request.head_sha, "c58e2b71f04d");
    assert_eq!(event.pull_request.base_sha, "60d7fb1a2c39");
    assert_eq!(event.head.full(), None);
}

#[rstest]
#[case(Github, "acme/web", "551204", "40118", "ada-w")]
#[case(Gitlab, "acme/shop/web", "77", "23", "ada-w")]
#[case(Gitea, "acme/web", "31", "5", "ada-w")]
#[case(
    Bitbucket,
    "acme/web",
    "{b1d0c2e3-5f46-4a87-9c10-2e3d4f5a6b7c}",
    "{5d0e7c1a-64b2-4f1e-9c33-0b8a27f1d9e4}",
    "ada"
)]
fn it_tells_where_and_who(
    #[case] kind: ForgeKind,
    #[case] full_name: &str,
    #[case] id: &str,
    #[case] sender: &str,
    #[case] login: &str,
) {
    let event = pull_request(kind, opened(kind), as_recorded);
    assert_eq!(event.repository.full_name, full_name);
    assert_eq!(event.repository.id, id);
    assert_eq!(
        (event.sender.id.as_str(), event.sender.login.as_str()),
        (sender, login)
    );
}

#[rstest]
#[case(Github, Some(1_904_477_210), "https://github.com/acme/web/pull/12", "ada-w", &["prices"], &["bo"], Some("Summer sale"))]
#[case(Gitlab, Some(9911), "https://gitlab.example.com/acme/shop/web/-/merge_requests/12", "ada-w", &["prices"], &["bo"], None)]
#[case(Gitea, Some(640), "https://gitea.example.com/acme/web/pulls/12", "ada-w", &["prices"], &["bo"], None)]
#[case(Bitbucket, None, "https://bitbucket.org/acme/web/pull-requests/12", "ada", &[], &[], None)]
fn it_tells_what_a_job_may_want_to_know(
    #[case] kind: ForgeKind,
    #[case] id: Option<i64>,
    #[case] url: &str,
    #[case] author: &str,
    #[case] labels: &[&str],
    #[case] assignees: &[&str],
    #[case] milestone: Option<&str>,
) {
    let details = pull_request(kind, opened(kind), as_recorded)
        .pull_request
        .details;
    assert_eq!(details.id, id);
    assert_eq!(details.url, url);
    assert_eq!(details.title, "Round prices");
    assert!(details.description.starts_with("Cents were cut off."));
    assert_eq!(details.author, author);
    assert_eq!(details.labels, labels);
    assert_eq!(details.assignees, assignees);
    assert_eq!(details.milestone.as_deref(), milestone);
    assert!(!details.is_draft);
    assert_eq!(details.action, "opened");
}

#[rstest]
#[case(Github, "pull_request_opened_fork", "mallory/web", "99031")]
#[case(Gitlab, "merge_request_open_fork", "mallory/web", "88")]
#[case(Gitea, "pull_request_opened_fork", "mallory/web", "9")]
#[case(
    Bitbucket,
    "pullrequest_created_fork",
    "mallory/web",
    "{e19b3c77-0a52-4c58-8b1d-6f2d90a7c4e8}"
)]
fn a_fork_is_known_and_so_is_its_draft(
    #[case] kind: ForgeKind,
    #[case] name: &str,
    #[case] fork: &str,
    #[case] sender: &str,
) {
    let event = pull_request(kind, name, as_recorded);
    assert_eq!(event.pull_request.details.fork.as_deref(), Some(fork));
    assert_eq!(event.sender.id, sender);
    assert!(event.pull_request.details.is_draft);
    assert_ne!(event.repository.full_name, fork);
}

#[rstest]
#[case(
    Github,
    "pull_request_opened_fork",
    "/pull_request/head/repo/full_name",
    "acme/web"
)]
#[case(Github, "pull_request_opened_fork", "/pull_request/head/repo/fork", "")]
#[case(
    Gitlab,
    "merge_request_open_fork",
    "/object_attributes/source/path_with_namespace",
    "acme/shop/web"
)]
#[case(
    Gitea,
    "pull_request_opened_fork",
    "/pull_request/head/repo/full_name",
    "acme/web"
)]
#[case(
    Bitbucket,
    "pullrequest_created_fork",
    "/pullrequest/source/repository/full_name",
    "acme/web"
)]
fn only_ids_tell_a_fork(
    #[case] kind: ForgeKind,
    #[case] name: &str,
    #[case] place: &str,
    #[case] lie: &str,
) {
    let event = pull_request(kind, name, |body| {
        *body.pointer_mut(place).expect("the place exists") = json!(lie);
    });
    assert!(event.pull_request.is_from_fork());
}

#[rstest]
#[case(Github, "/pull_request/head/repo", "acme:feature/prices")]
#[case(Gitlab, "/object_attributes/source_project_id", "acme/shop/web")]
#[case(Gitea, "/pull_request/head/repo", "feature/prices")]
#[case(
    Bitbucket,
    "/pullrequest/source/repository",
    "a repository that was deleted"
)]
fn a_repository_that_is_gone_was_a_fork(
    #[case] kind: ForgeKind,
    #[case] place: &str,
    #[case] expected: &str,
) {
    let event = pull_request(kind, opened(kind), |body| {
        *body.pointer_mut(place).expect("the place exists") = Value::Null;
    });
    assert_eq!(event.pull_request.details.fork.as_deref(), Some(expected));
}

#[rstest]
#[case("synchronize", json!({}), PullRequestAction::Synchronize)]
#[case("reopened", json!({}), PullRequestAction::Reopened)]
#[case("edited", json!({"changes": {"title": {"from": "Prices"}}}), PullRequestAction::Edited { base_changed: false })]
#[case("edited", json!({"changes": {"base": {"ref": {"from": "x"}, "sha": {"from": BASE}}}}), PullRequestAction::Edited { base_changed: true })]
#[case("edited", json!({}), PullRequestAction::Edited { base_changed: false })]
#[case("labeled", json!({"label": {"name": "ci"}}), Labeled { added: vec!["ci".into()] })]
#[case("unlabeled", json!({"label": {"name": "ci"}}), PullRequestAction::Unlabeled)]
#[case("ready_for_review", json!({}), PullRequestAction::ReadyForReview)]
#[case("converted_to_draft", json!({}), PullRequestAction::ConvertedToDraft)]
#[case("closed", json!({}), PullRequestAction::Closed { merged: false })]
#[case("enqueued", json!({}), PullRequestAction::Other("enqueued".into()))]
fn github_names_its_actions(
    #[case] word: &str,
    #[case] more: Value,
    #[case] expected: PullRequestAction,
) {
    let event = pull_request(Github, "pull_request_opened", |body| {
        body["action"] = json!(word);
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
    });
    assert_eq!(event.pull_request.details.action, word);
    assert_eq!(event.action, expected);
}

#[rstest]
#[case("pull_request_synchronize", PullRequestAction::Synchronize)]
#[case("pull_request_labeled", Labeled { added: vec!["prices".into()] })]
#[case("pull_request_edited_base", PullRequestAction::Edited { base_changed: true })]
#[case("pull_request_closed_merged", PullRequestAction::Closed { merged: true })]
fn github_as_recorded(#[case] name: &str, #[case] expected: PullRequestAction) {
    assert_eq!(pull_request(Github, name, as_recorded).action, expected);
}

#[rstest]
#[case("open", json!({}), PullRequestAction::Opened)]
#[case("reopen", json!({}), PullRequestAction::Reopened)]
#[case("close", json!({}), PullRequestAction::Closed { merged: false })]
#[case("merge", json!({}), PullRequestAction::Closed { merged: true })]
#[case("approved", json!({}), PullRequestAction::Other("approved".into()))]
#[case("update", json!({}), PullRequestAction::Edited { base_changed: false })]
#[case("update", json!({"title": {"previous": "Prices", "current": "Round prices"}}), PullRequestAction::Edited { base_changed: false })]
#[case("update", json!({"target_branch": {"previous": "next", "current": "main"}}), PullRequestAction::Edited { base_changed: true })]
#[case("update", json!({"draft": {"previous": true, "current": false}}), PullRequestAction::ReadyForReview)]
#[case("update", json!({"draft": {"previous": false, "current": true}}), PullRequestAction::ConvertedToDraft)]
#[case("update", json!({"work_in_progress": {"previous": true, "current": false}}), PullRequestAction::ReadyForReview)]
#[case("update", json!({"title": {"previous": "WIP: Round prices", "current": "Round prices"}}), PullRequestAction::ReadyForReview)]
#[case("update", json!({"title": {"previous": "Round prices", "current": "Draft: Round prices"}}), PullRequestAction::ConvertedToDraft)]
#[case("update", json!({"labels": {"previous": [{"title": "a"}], "current": [{"title": "b"}, {"title": "a"}]}}), Labeled { added: vec!["b".into()] })]
#[case("update", json!({"labels": {"previous": [{"title": "a"}], "current": []}}), PullRequestAction::Unlabeled)]
#[case("update", json!({"labels": {"previous": [], "current": [{"title": "b"}]}, "draft": {"previous": true, "current": false}}), PullRequestAction::ReadyForReview)]
fn gitlab_tells_by_what_changed(
    #[case] word: &str,
    #[case] changes: Value,
    #[case] expected: PullRequestAction,
) {
    let event = pull_request(Gitlab, "merge_request_open", |body| {
        body["object_attributes"]["action"] = json!(word);
        body["changes"] = changes;
    });
    assert_eq!(event.action, expected);
}

#[rstest]
#[case("merge_request_update_commits", PullRequestAction::Synchronize)]
#[case("merge_request_update_labels", Labeled { added: vec!["prices".into()] })]
#[case("merge_request_merge", PullRequestAction::Closed { merged: true })]
fn gitlab_as_recorded(#[case] name: &str, #[case] expected: PullRequestAction) {
    assert_eq!(pull_request(Gitlab, name, as_recorded).action, expected);
}

#[test]
fn a_gitlab_test_event_has_no_action() {
    let event = pull_request(Gitlab, "merge_request_open", |body| {
        body["object_attributes"]
            .as_object_mut()
            .expect("an object")
            .remove("action");
    });
    assert_eq!(event.action, PullRequestAction::Other(String::new()));
}

#[test]
fn gitlab_tells_the_message_of_the_newest_commit() {
    let event = pull_request(Gitlab, "merge_request_open", as_recorded);
    assert!(
        event
            .head_message
            .expect("it is told")
            .starts_with("Round prices\n")
    );
}

#[test]
fn gitlab_does_not_tell_the_name_of_an_author_who_did_not_send_it() {
    let event = pull_request(Gitlab, "merge_request_open", |body| {
        body["object_attributes"]["author_id"] = json!(99);
    });
    assert_eq!(event.pull_request.details.author, "");
    assert_eq!(event.sender.login, "ada-w");
}

#[rstest]
#[case(json!({"draft": true}), true)]
#[case(json!({"work_in_progress": true}), true)]
#[case(json!({"draft": false, "title": "Draft: x"}), false)]
#[case(json!({"title": "Draft: x"}), true)]
#[case(json!({"title": "x"}), false)]
fn older_gitlabs_have_other_words_for_a_draft(#[case] attributes: Value, #[case] expected: bool) {
    let event = pull_request(Gitlab, "merge_request_open", |body| {
        let found = body["object_attributes"]
            .as_object_mut()
            .expect("an object");
        found.remove("draft");
        found.remove("work_in_progress");
        for (name, value) in attributes.as_object().expect("an object") {
            found.insert(name.clone(), value.clone());
        }
    });
    assert_eq!(event.pull_request.details.is_draft, expected);
}

#[rstest]
#[case("synchronized", json!({}), PullRequestAction::Synchronize)]
#[case("reopened", json!({}), PullRequestAction::Reopened)]
#[case("closed", json!({}), PullRequestAction::Closed { merged: false })]
#[case("label_updated", json!({}), Labeled { added: vec!["prices".into()] })]
#[case("label_updated", json!({"added_labels": [{"name": "ci"}], "removed_labels": []}), Labeled { added: vec!["ci".into()] })]
#[case("label_updated", json!({"added_labels": null, "removed_labels": [{"name": "ci"}]}), PullRequestAction::Unlabeled)]
#[case("label_cleared", json!({}), PullRequestAction::Unlabeled)]
#[case("edited", json!({"ref": {"from": "next"}}), PullRequestAction::Edited { base_changed: true })]
#[case("edited", json!({"title": {"from": "WIP: Round prices"}}), PullRequestAction::ReadyForReview)]
#[case("edited", json!({"title": {"from": "Prices"}}), PullRequestAction::Edited { base_changed: false })]
#[case("edited", json!({"body": {"from": ""}}), PullRequestAction::Edited { base_changed: false })]
#[case("milestoned", json!({}), PullRequestAction::Other("milestoned".into()))]
fn gitea_has_its_own_words(
    #[case] word: &str,
    #[case] changes: Value,
    #[case] expected: PullRequestAction,
) {
    let event = pull_request(Gitea, "pull_request_opened", |body| {
        body["action"] = json!(word);
        body["changes"] = changes;
    });
    assert_eq!(event.action, expected);
    assert_eq!(event.pull_request.details.action, expected.as_str());
}

#[rstest]
#[case("pull_request_synchronized", PullRequestAction::Synchronize)]
#[case("pull_request_label_updated", Labeled { added: vec!["prices".into()] })]
#[case("pull_request_closed_merged", PullRequestAction::Closed { merged: true })]
fn gitea_as_recorded(#[case] name: &str, #[case] expected: PullRequestAction) {
    assert_eq!(pull_request(Gitea, name, as_recorded).action, expected);
}

#[test]
fn gitea_makes_drafts_by_title() {
    let event = pull_request(Gitea, "pull_request_opened", |body| {
        body["action"] = json!("edited");
        body["changes"] = json!({"title": {"from": "Round prices"}});
        body["pull_request"]["title"] = json!("WIP: Round prices");
        body["pull_request"]
            .as_object_mut()
            .expect("an object")
            .remove("draft");
    });
    assert_eq!(event.action, PullRequestAction::ConvertedToDraft);
    assert!(event.pull_request.details.is_draft);
}

#[rstest]
#[case("pullrequest:updated", PullRequestAction::Updated)]
#[case("pullrequest:rejected", PullRequestAction::Closed { merged: false })]
#[case("pullrequest:fulfilled", PullRequestAction::Closed { merged: true })]
#[case("pullrequest:approved", PullRequestAction::Other("approved".into()))]
fn bitbucket_tells_by_the_event(#[case] event: &str, #[case] expected: PullRequestAction) {
    let found = read(Bitbucket, event, "pullrequest_created", as_recorded);
    let Ok(tappet_forge::webhook::ForgeEvent::PullRequest(found)) = found else {
        panic!("{event} is of a pull request, not {found:?}");
    };
    assert_eq!(found.action, expected);
    assert_eq!(found.pull_request.details.action, expected.as_str());
}

#[test]
fn a_merged_bitbucket_pull_request_has_a_short_merge_commit() {
    let event = pull_request(Bitbucket, "pullrequest_fulfilled", as_recorded);
    assert_eq!(event.action, PullRequestAction::Closed { merged: true });
}

#[test]
fn githubs_payload_is_handed_on_as_it_came() {
    let event = pull_request(Github, "pull_request_opened", as_recorded);
    let expected = super::payloads::payload(Github, "pull_request_opened");
    assert_eq!(event.payload, Some(expected));
    for kind in [Gitlab, Gitea, Bitbucket] {
        assert_eq!(pull_request(kind, opened(kind), as_recorded).payload, None);
    }
}

#[test]
fn a_huge_payload_of_github_is_read_but_not_kept() {
    let event = pull_request(Github, "pull_request_opened", |body| {
        body["pull_request"]["body"] = json!("x".repeat(1024 * 1024));
    });
    assert_eq!(event.payload, None);
    assert_eq!(event.pull_request.details.description.len(), 65_536);
}

#[test]
fn texts_are_cut_and_hold_no_nul() {
    let event = pull_request(Github, "pull_request_opened", |body| {
        body["pull_request"]["title"] = json!("ä\0".repeat(300));
        body["pull_request"]["labels"] = Value::Array(vec![json!({"name": "l"}); 150]);
    });
    let details = event.pull_request.details;
    assert_eq!(details.title, "ä".repeat(255));
    assert_eq!(details.labels.len(), 100);
}
