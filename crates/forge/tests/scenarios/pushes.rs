//! Pushes: which refs moved, from where to where.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_forge::webhook::{ForgeEvent, RefChange};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};

use super::payloads::{NEW, OLD, TAG, as_recorded, push, read};

const MESSAGE: &str = "Round prices\n\nCents were cut off.";

fn moves(change: &RefChange) -> (&str, Option<&str>, Option<&str>) {
    (
        change.full_ref.as_str(),
        change.before.as_ref().map(|before| before.as_str()),
        change.after.as_ref().map(|after| after.as_str()),
    )
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
fn a_push_tells_where_who_and_what(
    #[case] kind: ForgeKind,
    #[case] full_name: &str,
    #[case] id: &str,
    #[case] sender: &str,
    #[case] login: &str,
) {
    let event = push(kind, "push", as_recorded);
    assert_eq!(event.repository.full_name, full_name);
    assert_eq!(event.repository.id, id);
    assert_eq!(
        (event.sender.id.as_str(), event.sender.login.as_str()),
        (sender, login)
    );
    assert!(!event.is_cut);
    assert_eq!(event.changes.len(), 1);
    assert_eq!(
        moves(&event.changes[0]),
        ("refs/heads/main", Some(OLD), Some(NEW))
    );
    let message = event.changes[0].message.as_deref().map(str::trim_end);
    assert_eq!(message, Some(MESSAGE));
    assert!(!event.changes[0].asks_for_no_run);
}

#[rstest]
#[case(Github, "push_new_branch", ("refs/heads/feature/prices", None, Some(NEW)))]
#[case(Github, "push_deleted_branch", ("refs/heads/feature/prices", Some(NEW), None))]
#[case(Github, "push_annotated_tag", ("refs/tags/v1.4.0", None, Some(NEW)))]
#[case(Gitlab, "push_deleted_branch", ("refs/heads/feature/prices", Some(NEW), None))]
#[case(Gitlab, "tag_push_annotated", ("refs/tags/v1.4.0", None, Some(NEW)))]
#[case(Gitea, "push_tag", ("refs/tags/v1.4.0", None, Some(NEW)))]
fn refs_come_and_go(
    #[case] kind: ForgeKind,
    #[case] name: &str,
    #[case] expected: (&str, Option<&str>, Option<&str>),
) {
    let event = push(kind, name, as_recorded);
    assert_eq!(moves(&event.changes[0]), expected);
}

#[test]
fn a_tag_without_its_commit_keeps_its_own_id() {
    let event = push(Github, "push_annotated_tag", |body| {
        body["head_commit"] = Value::Null
    });
    assert_eq!(
        moves(&event.changes[0]),
        ("refs/tags/v1.4.0", None, Some(TAG))
    );
}

#[test]
fn a_gitlab_tag_on_an_old_commit_lists_no_commits() {
    let event = push(Gitlab, "tag_push_annotated", |body| {
        body["commits"] = json!([])
    });
    assert_eq!(
        moves(&event.changes[0]),
        ("refs/tags/v1.4.0", None, Some(NEW))
    );
    assert_eq!(event.changes[0].message, None);
}

#[test]
fn one_bitbucket_push_moves_several_refs() {
    let event = push(Bitbucket, "push_several_refs", as_recorded);
    let mid = "9a40c7d1e85b2f36709cd4ab1e6f05d3c8b7a214";
    let found: Vec<_> = event.changes.iter().map(moves).collect();
    assert_eq!(
        found,
        [
            ("refs/heads/main", Some(OLD), Some(NEW)),
            ("refs/heads/feature/prices", None, Some(mid)),
            ("refs/heads/old", Some(OLD), None),
            ("refs/tags/v1.4.0", None, Some(NEW)),
            ("refs/tags/v1.3.0", Some(OLD), None),
        ]
    );
    let forced: Vec<_> = event.changes.iter().map(|change| change.forced).collect();
    assert_eq!(
        forced,
        [
            Some(true),
            Some(false),
            Some(false),
            Some(false),
            Some(false)
        ]
    );
}

#[test]
fn a_push_of_more_refs_than_anybody_needs_says_that_it_was_cut() {
    let event = push(Bitbucket, "push", |body| {
        let change = body["push"]["changes"][0].clone();
        body["push"]["changes"] = Value::Array(vec![change; 101]);
    });
    assert_eq!(event.changes.len(), 100);
    assert!(event.is_cut);
}

#[rstest]
#[case(Github, Some(true))]
#[case(Github, Some(false))]
#[case(Gitea, None)]
fn only_some_forges_tell_whether_it_was_forced(
    #[case] kind: ForgeKind,
    #[case] forced: Option<bool>,
) {
    let event = push(kind, "push", |body| {
        if let Some(forced) = forced {
            body["forced"] = json!(forced);
        }
    });
    assert_eq!(event.changes[0].forced, forced);
}

#[rstest]
#[case(json!({"ci": {"skip": true}}), true)]
#[case(json!({"ci": {"skip": ""}}), true)]
#[case(json!({"ci": {"skip": 1}}), true)]
#[case(json!({"ci": {"skip": false}}), false)]
#[case(json!({"ci": {"variable": {"A=1": 1}}}), false)]
#[case(json!({}), false)]
#[case(Value::Null, false)]
fn gitlab_passes_the_wish_for_no_run_on(#[case] options: Value, #[case] expected: bool) {
    let event = push(Gitlab, "push", |body| body["push_options"] = options);
    assert_eq!(event.changes[0].asks_for_no_run, expected);
}

#[rstest]
#[case(Github, "ping", "ping")]
#[case(Gitea, "push", "push_test_delivery")]
fn a_test_is_no_push(#[case] kind: ForgeKind, #[case] event: &str, #[case] name: &str) {
    assert_eq!(read(kind, event, name, as_recorded), Ok(ForgeEvent::Ping));
}

#[rstest]
#[case(Github, "create", "push")]
#[case(Github, "workflow_run", "push")]
#[case(Gitlab, "Pipeline Hook", "push")]
#[case(Gitlab, "Note Hook", "push")]
#[case(Gitea, "create", "push")]
#[case(Gitea, "issue_comment", "push")]
#[case(Bitbucket, "repo:commit_status_created", "push")]
#[case(Bitbucket, "pullrequest:comment_created", "pullrequest_created")]
fn other_events_are_named(#[case] kind: ForgeKind, #[case] event: &str, #[case] name: &str) {
    let expected = Ok(ForgeEvent::Other(event.to_owned()));
    assert_eq!(read(kind, event, name, as_recorded), expected);
}

#[test]
fn refs_that_are_neither_branch_nor_tag_start_nothing() {
    let found = read(Github, "push", "push", |body| {
        body["ref"] = json!("refs/notes/commits")
    });
    assert_eq!(found, Ok(ForgeEvent::Other("push".to_owned())));
    let found = read(Bitbucket, "repo:push", "push", |body| {
        body["push"]["changes"][0]["new"]["type"] = json!("bookmark");
    });
    assert_eq!(found, Ok(ForgeEvent::Other("repo:push".to_owned())));
}

#[test]
fn gitlab_system_hooks_have_the_same_bodies() {
    let found = read(Gitlab, "System Hook", "push", as_recorded);
    assert_eq!(
        found,
        Ok(ForgeEvent::Push(push(Gitlab, "push", as_recorded)))
    );
    let found = read(Gitlab, "System Hook", "push", |body| {
        body["object_kind"] = json!("project_create");
    });
    assert_eq!(found, Ok(ForgeEvent::Other("System Hook".to_owned())));
}

#[test]
fn forgejo_names_the_event_in_its_own_header() {
    let mut headers = super::payloads::headers(Gitea, "push");
    headers.remove("x-gitea-event");
    headers.remove("x-gogs-event");
    headers.insert("x-forgejo-event", http::HeaderValue::from_static("push"));
    let body = super::payloads::payload(Gitea, "push").to_string();
    let found = tappet_forge::webhook::parse(Gitea, &headers, body.as_bytes());
    assert_eq!(
        found,
        Ok(ForgeEvent::Push(push(Gitea, "push", as_recorded)))
    );
}
