//! Replies of the forges, in the shapes that they publish.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use rstest::rstest;
use serde_json::{Value, json};
use tappet_forge::answer::{Api, ApiCall, CommitStatus, MAX_PAGES, Reply};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};
use tappet_model::{Status, Timestamp};

use super::payloads::NEW;

const NOW: Timestamp = Timestamp(1_780_391_551_000_000);

fn api(kind: ForgeKind) -> Api {
    Api::new(kind, "https://git.example.com", "acme/web", "t0ken").expect("the binding is good")
}

fn status(kind: ForgeKind, status: Status) -> ApiCall {
    api(kind).set_status(&CommitStatus {
        sha: NEW,
        name: "tappet",
        status,
        description: "",
        target_url: "https://ci.acme.example/7",
        ref_name: None,
    })
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |&(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_str(value).expect("a plain value");
        (HeaderName::from_static(name), value)
    };
    pairs.iter().map(pair).collect()
}

fn read(call: &ApiCall, code: u16, pairs: &[(&'static str, &str)], body: &Value) -> Reply {
    call.read(code, &headers(pairs), body.to_string().as_bytes(), NOW)
}

#[rstest]
#[case(Github, 201)]
#[case(Gitlab, 201)]
#[case(Gitea, 201)]
#[case(Bitbucket, 200)]
fn a_status_that_was_taken_is_done(#[case] kind: ForgeKind, #[case] code: u16) {
    let call = status(kind, Status::Success);
    assert_eq!(read(&call, code, &[], &json!({"id": 1})), Reply::Done);
    assert_eq!(call.read(code, &HeaderMap::new(), b"", NOW), Reply::Done);
}

#[rstest]
#[case(Github, json!({"id": 1_304_996_213_u64, "body": "x"}), "1304996213")]
#[case(Gitlab, json!({"id": 302, "body": "x", "system": false}), "302")]
#[case(Gitea, json!({"id": 8, "body": "x"}), "8")]
#[case(Bitbucket, json!({"id": 77, "content": {"raw": "x"}, "deleted": false}), "77")]
fn a_written_comment_has_an_id(
    #[case] kind: ForgeKind,
    #[case] body: Value,
    #[case] expected: &str,
) {
    let expected = Reply::Comment {
        id: expected.to_owned(),
    };
    assert_eq!(
        read(&api(kind).new_comment("12", "x"), 201, &[], &body),
        expected
    );
    assert_eq!(
        read(&api(kind).edit_comment("12", "1", "x"), 200, &[], &body),
        expected
    );
}

#[rstest]
#[case(json!({}))]
#[case(json!([]))]
#[case(json!("<html>"))]
#[case(json!({"id": null}))]
fn a_success_that_cannot_be_read_is_tried_again(#[case] body: Value) {
    let found = read(&api(Github).new_comment("12", "x"), 201, &[], &body);
    assert!(matches!(found, Reply::Retry { .. }), "{found:?}");
}

#[rstest]
#[case(404)]
#[case(410)]
fn a_comment_that_somebody_deleted_is_gone(#[case] code: u16) {
    for kind in ForgeKind::ALL {
        let call = api(kind).edit_comment("12", "99", "x");
        assert_eq!(
            read(&call, code, &[], &json!({"message": "Not Found"})),
            Reply::Gone
        );
    }
}

#[rstest]
#[case(Github, 401, json!({"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}), "GitHub answered 401 (Bad credentials); it does not accept the token")]
#[case(Github, 403, json!({"message": "Resource not accessible by personal access token"}), "GitHub answered 403 (Resource not accessible by personal access token); the token may not do this")]
#[case(Github, 404, json!({"message": "Not Found"}), "GitHub answered 404 (Not Found); it does not know the repository, commit or pull request")]
#[case(Github, 422, json!({"message": "No commit found for SHA: c58e"}), "GitHub answered 422 (No commit found for SHA: c58e); check")]
#[case(Github, 301, json!({"message": "Moved Permanently", "url": "https://api.github.com/repositories/1"}), "GitHub answered 301 (Moved Permanently); it sent us elsewhere")]
#[case(Gitlab, 401, json!({"message": "401 Unauthorized"}), "GitLab answered 401 (401 Unauthorized)")]
#[case(Gitlab, 403, json!({"error": "insufficient_scope", "error_description": "The request requires higher privileges"}), "GitLab answered 403 (insufficient_scope)")]
#[case(Gitlab, 400, json!({"message": {"target_url": ["is blocked: Only allowed schemes are http, https"]}}), "GitLab answered 400 ({\"target_url\":[\"is blocked: Only allowed schemes are http, https\"]})")]
#[case(Gitea, 403, json!({"message": "token does not have at least one of required scope(s): [write:repository]", "url": "https://git.example.com/api/swagger"}), "Gitea answered 403 (token does not have")]
#[case(Bitbucket, 400, json!({"type": "error", "error": {"message": "Bad request", "fields": {"key": ["too long"]}}}), "Bitbucket answered 400 (Bad request)")]
#[case(Bitbucket, 404, json!({"type": "error", "error": {"message": "Commit not found"}}), "Bitbucket answered 404 (Commit not found)")]
fn a_refusal_says_why_and_what_to_do(
    #[case] kind: ForgeKind,
    #[case] code: u16,
    #[case] body: Value,
    #[case] start: &str,
) {
    match read(&status(kind, Status::Success), code, &[], &body) {
        Reply::Refused { why } => assert!(why.starts_with(start), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_forge_says_is_one_line_and_short() {
    let body = json!({"message": format!("a\n\u{1b}[31m{}", "b".repeat(5000))});
    match read(&status(Github, Status::Success), 422, &[], &body) {
        Reply::Refused { why } => {
            assert!(!why.contains(char::is_control), "{why}");
            assert!(why.chars().count() < 500, "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case(408)]
#[case(409)]
#[case(500)]
#[case(502)]
#[case(503)]
#[case(504)]
#[case(520)]
fn a_broken_forge_is_tried_again(#[case] code: u16) {
    for kind in ForgeKind::ALL {
        for call in [
            status(kind, Status::Success),
            api(kind).edit_comment("1", "2", "x"),
        ] {
            let found = read(&call, code, &[], &json!({"message": "oops"}));
            assert!(
                matches!(found, Reply::Retry { .. }),
                "{kind} {code}: {found:?}"
            );
        }
    }
}

#[rstest]
#[case(429, &[("retry-after", "17")], "", 17)]
#[case(429, &[], "", 60)]
#[case(429, &[("retry-after", "0")], "", 1)]
#[case(429, &[("retry-after", "-5")], "", 1)]
#[case(429, &[("retry-after", "999999999")], "", 3600)]
#[case(429, &[("retry-after", "soon")], "", 60)]
#[case(429, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "1780391581")], "", 30)]
#[case(403, &[("retry-after", "30")], "", 30)]
#[case(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1780391671")], "API rate limit exceeded for user ID 1.", 120)]
#[case(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")], "API rate limit exceeded for user ID 1.", 1)]
#[case(403, &[("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", "1780395000")], "You have exceeded a secondary rate limit.", 60)]
#[case(403, &[], "You have triggered an abuse detection mechanism.", 60)]
#[case(503, &[("retry-after", "5")], "", 5)]
fn too_often_says_how_long_to_wait(
    #[case] code: u16,
    #[case] pairs: &[(&'static str, &str)],
    #[case] message: &str,
    #[case] seconds: u64,
) {
    let found = read(
        &status(Github, Status::Success),
        code,
        pairs,
        &json!({"message": message}),
    );
    let expected = Reply::RateLimited {
        retry_after: Duration::from_secs(seconds),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_plain_403_is_no_rate_limit() {
    let pairs = [
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-reset", "1780395000"),
    ];
    let body = json!({"message": "Must have admin rights to Repository."});
    let found = read(&status(Github, Status::Success), 403, &pairs, &body);
    assert!(matches!(found, Reply::Refused { .. }), "{found:?}");
}

#[rstest]
#[case(
    Status::Running,
    "Cannot transition status via :run from :running (Reason(s): Status cannot transition via \"run\")",
    true
)]
#[case(
    Status::Pending,
    "Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via \"enqueue\")",
    true
)]
#[case(
    Status::Pending,
    "Cannot transition status via :enqueue from :running",
    true
)]
#[case(
    Status::Success,
    "Cannot transition status via :success from :success",
    true
)]
#[case(
    Status::Failed,
    "Cannot transition status via :drop from :failed",
    true
)]
#[case(
    Status::Failed,
    "Cannot transition status via :drop from :success",
    false
)]
#[case(
    Status::Canceled,
    "Cannot transition status via :cancel from :canceled",
    true
)]
#[case(Status::Success, "state does not have a valid value", false)]
fn gitlab_moves_a_status_only_forwards(
    #[case] wanted: Status,
    #[case] message: &str,
    #[case] is_done: bool,
) {
    let found = read(
        &status(Gitlab, wanted),
        400,
        &[],
        &json!({"message": message}),
    );
    match found {
        Reply::Done => assert!(is_done),
        Reply::Refused { why } => assert!(!is_done, "{why}"),
        other => panic!("{other:?}"),
    }
}

/// Comments as a forge lists them: one of somebody else's, and those given.
fn list(kind: ForgeKind, texts: &[&str]) -> Value {
    let comment = |(index, text): (usize, &&str)| match kind {
        Bitbucket => {
            json!({"id": 70 + index, "content": {"raw": text, "markup": "markdown"}, "deleted": false})
        }
        _ => json!({"id": 70 + index, "body": text}),
    };
    let mut all = vec!["looks good"];
    all.extend(texts);
    let all: Vec<Value> = all.iter().enumerate().map(comment).collect();
    match kind {
        Bitbucket => json!({"pagelen": 100, "page": 1, "size": all.len(), "values": all}),
        _ => json!(all),
    }
}

#[test]
fn the_oldest_comment_with_the_marker_is_ours() {
    for kind in ForgeKind::ALL {
        let call = api(kind).find_comment("12", "tappet:5e1f", 1);
        let found = list(
            kind,
            &["tappet:other", "<!-- tappet:5e1f -->\n1", "tappet:5e1f 2"],
        );
        let expected = Reply::Comment {
            id: "72".to_owned(),
        };
        assert_eq!(read(&call, 200, &[], &found), expected);
        assert_eq!(
            read(&call, 200, &[], &list(kind, &["tappet:other"])),
            Reply::NoComment
        );
    }
}

#[test]
fn a_deleted_comment_of_bitbucket_is_still_listed_but_not_ours() {
    let mut found = list(Bitbucket, &["tappet:5e1f"]);
    found["values"][1]["deleted"] = json!(true);
    let call = api(Bitbucket).find_comment("12", "tappet:5e1f", 1);
    assert_eq!(read(&call, 200, &[], &found), Reply::NoComment);
}

#[rstest]
#[case(Github, &[("link", "<https://api.github.com/repositories/1/issues/12/comments?page=3>; rel=\"next\", <https://api.github.com/x?page=9>; rel=\"last\"")], Reply::NextPage(3))]
#[case(Github, &[("link", "<https://api.github.com/x?page=1>; rel=\"first\", <https://api.github.com/x?page=1>; rel=\"prev\"")], Reply::NoComment)]
#[case(Gitlab, &[("x-next-page", "3")], Reply::NextPage(3))]
#[case(Gitlab, &[("x-next-page", "")], Reply::NoComment)]
#[case(Gitea, &[("x-total-count", "2")], Reply::NoComment)]
fn more_comments_are_on_the_next_page(
    #[case] kind: ForgeKind,
    #[case] pairs: &[(&'static str, &str)],
    #[case] expected: Reply,
) {
    let call = api(kind).find_comment("12", "tappet:5e1f", 2);
    assert_eq!(read(&call, 200, pairs, &list(kind, &[])), expected);
}

#[test]
fn bitbucket_links_the_next_page_in_the_body() {
    let mut found = list(Bitbucket, &[]);
    found["next"] = json!("https://api.bitbucket.org/2.0/x?page=2");
    let call = api(Bitbucket).find_comment("12", "tappet:5e1f", 1);
    assert_eq!(read(&call, 200, &[], &found), Reply::NextPage(2));
}

#[test]
fn a_search_ends_somewhere() {
    let call = api(Gitlab).find_comment("12", "tappet:5e1f", MAX_PAGES);
    let found = read(&call, 200, &[("x-next-page", "31")], &list(Gitlab, &[]));
    assert_eq!(found, Reply::NoComment);
}
