//! Payloads that no forge would send: they are refused with the place that is wrong, or
//! read as far as they make sense, and nothing ever panics.

use std::fs;
use std::path::Path;

use rstest::rstest;
use serde_json::{Value, json};
use tappet_forge::webhook::{self, BadPayload, ForgeEvent, MAX_ITEMS, MAX_TEXT_CHARS};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};
use tappet_model::RefName;

use super::payloads::{headers, read};

#[rstest]
#[case(Github, "push", "push", "/ref", json!(7), "ref")]
#[case(Github, "push", "push", "/ref", json!("refs/heads/-x"), "ref")]
#[case(Github, "push", "push", "/ref", json!("refs/heads/a..b"), "ref")]
#[case(Github, "push", "push", "/ref", json!("refs/heads/a\u{0}b"), "ref")]
#[case(Github, "push", "push", "/ref", Value::Null, "ref")]
#[case(Github, "push", "push", "/after", json!("HEAD"), "after")]
#[case(Github, "push", "push", "/after", json!("--upload-pack=x"), "after")]
#[case(Github, "push", "push", "/before", json!(["a"]), "before")]
#[case(Github, "push", "push", "/forced", json!("yes"), "forced")]
#[case(Github, "push", "push", "/repository", json!("acme/web"), "repository")]
#[case(
    Github,
    "push",
    "push",
    "/repository/full_name",
    Value::Null,
    "repository.full_name"
)]
#[case(Github, "push", "push", "/repository/id", json!({}), "repository.id")]
#[case(Github, "push", "push", "/sender/id", json!(1.5), "sender.id")]
#[case(
    Github,
    "pull_request",
    "pull_request_opened",
    "/action",
    Value::Null,
    "action"
)]
#[case(Github, "pull_request", "pull_request_opened", "/number", json!("12"), "number")]
#[case(Github, "pull_request", "pull_request_opened", "/number", json!(-1), "number")]
#[case(Github, "pull_request", "pull_request_opened", "/number", json!(0), "number")]
#[case(Github, "pull_request", "pull_request_opened", "/number", json!(1e300), "number")]
#[case(
    Github,
    "pull_request",
    "pull_request_opened",
    "/pull_request",
    Value::Null,
    "pull_request.head.sha"
)]
#[case(Github, "pull_request", "pull_request_opened", "/pull_request/head/ref", json!(""), "pull_request.head.ref")]
#[case(Github, "pull_request", "pull_request_opened", "/pull_request/head/sha", json!("c58e"), "pull_request.head.sha")]
#[case(Github, "pull_request", "pull_request_opened", "/pull_request/draft", json!(1), "pull_request.draft")]
#[case(Github, "pull_request", "pull_request_opened", "/pull_request/labels", json!({}), "pull_request.labels")]
#[case(Github, "pull_request", "pull_request_opened", "/pull_request/labels/0", json!("x"), "pull_request.labels[0]")]
#[case(
    Github,
    "pull_request",
    "pull_request_opened",
    "/pull_request/base/repo",
    Value::Null,
    "pull_request.base.repo.id"
)]
#[case(
    Github,
    "pull_request",
    "pull_request_labeled",
    "/label",
    Value::Null,
    "label.name"
)]
#[case(Gitlab, "Push Hook", "push", "/project/path_with_namespace", json!(3), "project.path_with_namespace")]
#[case(Gitlab, "Push Hook", "push", "/commits", json!("none"), "commits")]
#[case(Gitlab, "Push Hook", "push", "/push_options", json!(["ci.skip"]), "push_options")]
#[case(
    Gitlab,
    "Merge Request Hook",
    "merge_request_open",
    "/object_attributes/iid",
    Value::Null,
    "object_attributes.iid"
)]
#[case(
    Gitlab,
    "Merge Request Hook",
    "merge_request_open",
    "/object_attributes/last_commit",
    Value::Null,
    "object_attributes.last_commit.id"
)]
#[case(
    Gitlab,
    "Merge Request Hook",
    "merge_request_open",
    "/object_attributes/target_project_id",
    Value::Null,
    "object_attributes.target_project_id"
)]
#[case(Gitlab, "Merge Request Hook", "merge_request_update_labels", "/changes/labels/current", json!("x"), "changes.labels.current")]
#[case(Gitea, "pull_request", "pull_request_opened", "/pull_request/title", json!([]), "pull_request.title")]
#[case(Bitbucket, "repo:push", "push", "/push/changes", json!({"0": {}}), "push.changes")]
#[case(Bitbucket, "repo:push", "push", "/push/changes/0/new/name", json!("a b"), "push.changes[0].new.name")]
#[case(Bitbucket, "pullrequest:created", "pullrequest_created", "/pullrequest/source/branch", json!("x"), "pullrequest.source.branch")]
#[case(
    Bitbucket,
    "pullrequest:created",
    "pullrequest_created",
    "/repository/uuid",
    Value::Null,
    "repository.uuid"
)]
fn what_is_wrong_is_named(
    #[case] kind: ForgeKind,
    #[case] event: &str,
    #[case] name: &str,
    #[case] place: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let found = read(kind, event, name, |body| {
        *body.pointer_mut(place).expect("the place exists") = value;
    });
    match found {
        Err(BadPayload::Field { field, .. }) => assert_eq!(field, expected),
        other => panic!("expected an error about {expected}, not {other:?}"),
    }
}

#[test]
fn an_error_reads_as_a_sentence() {
    let found = read(Github, "push", "push", |body| body["after"] = json!("HEAD"));
    let text = found.expect_err("it is no commit").to_string();
    assert_eq!(text, "`after` must be a commit id of 40 hex digits");
}

#[rstest]
#[case(b"" as &[u8])]
#[case(b"payload=%7B%7D")]
#[case(b"\xff\xfe{}")]
#[case(b"{\"ref\": \"refs/heads/main\"")]
fn what_is_no_json_is_refused(#[case] body: &[u8]) {
    for kind in ForgeKind::ALL {
        let found = webhook::parse(kind, &headers(kind, "push"), body);
        assert!(matches!(found, Err(BadPayload::NotJson(_))), "{found:?}");
    }
}

#[test]
fn endless_nesting_is_refused() {
    let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let found = webhook::parse(Github, &headers(Github, "push"), body.as_bytes());
    assert!(matches!(found, Err(BadPayload::NotJson(_))), "{found:?}");
}

#[rstest]
#[case("[]")]
#[case("null")]
#[case("3")]
#[case("\"push\"")]
fn a_body_has_to_be_an_object(#[case] body: &str) {
    let found = webhook::parse(Gitlab, &headers(Gitlab, "Push Hook"), body.as_bytes());
    let text = found.expect_err("it is no object").to_string();
    assert_eq!(text, "`the body` must be an object");
}

#[test]
fn an_event_without_a_name_is_refused() {
    let found = webhook::parse(Gitlab, &headers(Github, "push"), b"{}");
    let expected = BadPayload::NoEvent {
        header: "x-gitlab-event",
    };
    assert_eq!(found, Err(expected));
}

/// Every recorded payload with the events that it may be sent as.
fn recorded() -> Vec<(ForgeKind, Vec<&'static str>, Value)> {
    let mut all = Vec::new();
    for kind in ForgeKind::ALL {
        let events = match kind {
            Github | Gitea => vec!["push", "pull_request"],
            Gitlab => vec!["Push Hook", "Merge Request Hook", "System Hook"],
            Bitbucket => vec!["repo:push", "pullrequest:created", "pullrequest:updated"],
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/payloads")
            .join(kind.as_str());
        let mut files: Vec<_> = fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("it can be listed").path())
            .collect();
        files.sort();
        for file in files {
            let text = fs::read(&file).expect("it can be read");
            let value = serde_json::from_slice(&text).expect("payloads are JSON");
            all.push((kind, events.clone(), value));
        }
    }
    all
}

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("a side of the dice")
    }
}

fn hostile_value(dice: &mut Dice) -> Value {
    match dice.roll(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(1e308),
        5 => json!(""),
        6 => json!("\u{0}"),
        7 => json!("x".repeat(70_000)),
        8 => json!("🦀\u{202e}\r\n".repeat(200)),
        9 => json!("0000000000000000000000000000000000000000"),
        10 => json!("../../etc/passwd"),
        11 => json!([]),
        12 => json!({}),
        _ => json!([[[[{"a": [null]}]]]]),
    }
}

/// Walks down a random way and changes what stands at its end.
fn mutate(value: &mut Value, dice: &mut Dice) {
    let stays = dice.roll(6) == 0;
    match value {
        Value::Object(members) if !members.is_empty() && !stays => {
            let index = dice.roll(members.len());
            let (_, member) = members.iter_mut().nth(index).expect("it was counted");
            mutate(member, dice);
        }
        Value::Array(items) if !items.is_empty() && !stays => {
            let index = dice.roll(items.len());
            mutate(&mut items[index], dice);
        }
        other => *other = hostile_value(dice),
    }
}

fn check(found: Result<ForgeEvent, BadPayload>) {
    match found {
        Ok(ForgeEvent::PullRequest(event)) => {
            let found = &event.pull_request;
            assert!(found.number.bytes().all(|digit| digit.is_ascii_digit()));
            assert!(RefName::new(found.head_branch.clone()).is_ok());
            assert!(RefName::new(found.base_branch.clone()).is_ok());
            assert_eq!(found.head_sha, event.head.as_str());
            assert!(found.details.description.chars().count() <= MAX_TEXT_CHARS);
            assert!(!found.details.title.contains('\0'));
            assert!(found.details.labels.len() <= MAX_ITEMS);
            assert!(!event.repository.full_name.is_empty());
        }
        Ok(ForgeEvent::Push(event)) => {
            assert!(!event.changes.is_empty());
            for change in &event.changes {
                assert_ne!(change.before, change.after);
            }
        }
        Ok(ForgeEvent::Ping | ForgeEvent::Other(_)) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn nothing_panics_whatever_stands_where() {
    let mut dice = Dice(0x7a99_e701);
    for (kind, events, recorded) in recorded() {
        for round in 0..60 {
            let mut value = recorded.clone();
            for _ in 0..=dice.roll(3) {
                mutate(&mut value, &mut dice);
            }
            let event = events[round % events.len()];
            check(webhook::parse(
                kind,
                &headers(kind, event),
                value.to_string().as_bytes(),
            ));
        }
    }
}

#[test]
fn nothing_panics_whatever_bytes_are_wrong() {
    let mut dice = Dice(0x5eed_0002);
    for (kind, events, recorded) in recorded() {
        let text = recorded.to_string().into_bytes();
        for round in 0..25 {
            let mut bytes = text.clone();
            let at = dice.roll(bytes.len());
            match dice.roll(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] = dice.roll(256).to_le_bytes()[0],
                _ => bytes.splice(at..at, *b"\\u0000\"[{").for_each(drop),
            }
            let event = events[round % events.len()];
            check(webhook::parse(kind, &headers(kind, event), &bytes));
        }
    }
}
