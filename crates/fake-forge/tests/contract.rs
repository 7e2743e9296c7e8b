//! The calls of `tappet-forge` against the fake forge, over HTTP: what one writes the
//! other takes, and what one answers the other understands.

use std::sync::LazyLock;

use rstest::rstest;
use tappet_fake_forge::{FakeForge, TOKEN, Trouble};
use tappet_forge::answer::{Api, ApiCall, CommitStatus, Reply};
use tappet_model::{ForgeKind, Status, Timestamp};

const SHA: &str = "c58e2b71f04d9a6381b5e7f2094cda36e81f70b5";
/// Long before any reset that a forge names.
const NOW: Timestamp = Timestamp(1_780_391_551_000_000);

/// One for all tests, since each reads the machine's certificates. Connections belong to
/// the runtime of their test, so none is kept.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let client = reqwest::Client::builder().no_proxy();
    let client = client.pool_max_idle_per_host(0).build();
    client.expect("a client can be made")
});

fn api(forge: &FakeForge) -> Api {
    Api::new(forge.kind(), forge.url(), forge.repository(), TOKEN).expect("the binding is good")
}

async fn make(call: &ApiCall) -> Reply {
    let mut request = CLIENT
        .request(call.method.clone(), &call.url)
        .headers(call.headers.clone());
    if let Some(body) = &call.body {
        request = request.body(body.clone());
    }
    let reply = request.send().await.expect("the forge answers");
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    let body = reply.bytes().await.expect("the reply has an end");
    call.read(status, &headers, &body, NOW)
}

fn status(status: Status) -> CommitStatus<'static> {
    CommitStatus {
        sha: SHA,
        name: "tappet/a name of a status that is longer than forty characters",
        status,
        description: "3 of 7 jobs are done",
        target_url: "https://ci.acme.example/acme/web/-/pipelines/7",
        ref_name: Some("feature/prices"),
    }
}

#[rstest]
#[case(ForgeKind::Github, "success")]
#[case(ForgeKind::Gitlab, "success")]
#[case(ForgeKind::Gitea, "success")]
#[case(ForgeKind::Bitbucket, "SUCCESSFUL")]
#[tokio::test]
async fn a_status_goes_its_way(#[case] kind: ForgeKind, #[case] end: &str) {
    let forge = FakeForge::start(kind).await;
    let way = [
        Status::Created,
        Status::Pending,
        Status::Running,
        Status::Running,
        Status::Pending,
        Status::Success,
        Status::Pending,
        Status::Running,
        Status::Canceled,
        Status::Failed,
        Status::Success,
    ];
    for step in way {
        assert_eq!(
            make(&api(&forge).set_status(&status(step))).await,
            Reply::Done,
            "{step}"
        );
    }
    let statuses = forge.statuses(SHA);
    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0].state, end);
    assert_eq!(statuses[0].description, "3 of 7 jobs are done");
    assert_eq!(
        statuses[0].url,
        "https://ci.acme.example/acme/web/-/pipelines/7"
    );
}

#[rstest]
#[tokio::test]
async fn a_comment_is_found_among_others_and_edited(
    #[values(
        ForgeKind::Github,
        ForgeKind::Gitlab,
        ForgeKind::Gitea,
        ForgeKind::Bitbucket
    )]
    kind: ForgeKind,
) {
    let forge = FakeForge::start(kind).await;
    for index in 0..230 {
        forge.write_comment("12", &format!("remark {index}"));
    }
    let api = api(&forge);
    assert_eq!(search(&api).await, Reply::NoComment);
    let Reply::Comment { id } = make(&api.new_comment("12", "marker-5e1f\nfirst")).await else {
        panic!("the comment was not written");
    };
    assert_eq!(search(&api).await, Reply::Comment { id: id.clone() });
    let edit = api.edit_comment("12", &id, "marker-5e1f\nsecond");
    assert_eq!(make(&edit).await, Reply::Comment { id: id.clone() });
    let ours = forge.comments("12").pop().expect("it is the newest");
    assert_eq!((ours.text.as_str(), ours.edits), ("marker-5e1f\nsecond", 1));

    forge.delete_comment(ours.id);
    assert_eq!(make(&edit).await, Reply::Gone);
    assert_eq!(search(&api).await, Reply::NoComment);
}

async fn search(api: &Api) -> Reply {
    let mut page = 1;
    loop {
        match make(&api.find_comment("12", "marker-5e1f", page)).await {
            Reply::NextPage(next) => page = next,
            end => return end,
        }
    }
}

#[rstest]
#[case(Trouble::Status(500), false)]
#[case(Trouble::Status(503), false)]
#[case(Trouble::TooOften(7), true)]
#[case(Trouble::UsedUp(60), true)]
#[case(Trouble::SecondaryLimit, true)]
#[tokio::test]
async fn trouble_passes(#[case] trouble: Trouble, #[case] is_limit: bool) {
    let forge = FakeForge::start(ForgeKind::Github).await;
    forge.trouble([trouble]);
    let call = api(&forge).set_status(&status(Status::Running));
    match make(&call).await {
        Reply::RateLimited { .. } => assert!(is_limit),
        Reply::Retry { .. } => assert!(!is_limit),
        other => panic!("{other:?}"),
    }
    assert_eq!(forge.statuses(SHA), []);
    assert_eq!(make(&call).await, Reply::Done);
}

#[tokio::test]
async fn a_lost_reply_was_done_all_the_same() {
    let forge = FakeForge::start(ForgeKind::Gitea).await;
    forge.trouble([Trouble::LostReply]);
    let reply = make(&api(&forge).new_comment("12", "once")).await;
    assert!(matches!(reply, Reply::Retry { .. }), "{reply:?}");
    assert_eq!(forge.comments("12").len(), 1);
}

#[rstest]
#[tokio::test]
async fn an_unknown_commit_and_a_wrong_token_are_refused(
    #[values(
        ForgeKind::Github,
        ForgeKind::Gitlab,
        ForgeKind::Gitea,
        ForgeKind::Bitbucket
    )]
    kind: ForgeKind,
) {
    let forge = FakeForge::start(kind).await;
    let call = api(&forge).set_status(&status(Status::Running));
    forge.forget_commit(SHA);
    assert!(matches!(make(&call).await, Reply::Refused { .. }));
    forge.revoke_token();
    assert!(matches!(make(&call).await, Reply::Refused { .. }));
    let codes: Vec<u16> = forge.calls().iter().map(|call| call.status).collect();
    assert_eq!(codes[1], 401);
}

#[rstest]
#[case("PUT", "/repos/acme/web/statuses/1", "{}", "is no call of this API")]
#[case(
    "POST",
    "/repos/acme/web/statuses/c58e2b7",
    "{}",
    "`c58e2b7` is no commit"
)]
#[case(
    "POST",
    "/repos/acme/web/issues/x/comments",
    "{}",
    "`x` is no pull request"
)]
#[case(
    "POST",
    "/repos/acme/web/issues/12/comments",
    "{}",
    "`body` is missing"
)]
#[case(
    "POST",
    "/repos/acme/web/issues/12/comments",
    r#"{"body": " "}"#,
    "`body` is blank"
)]
#[case(
    "POST",
    "/repos/acme/web/issues/12/comments",
    r#"{"body": 3}"#,
    "`body` must be a text"
)]
#[case(
    "POST",
    "/repos/acme/web/issues/12/comments",
    r#"{"body": "x", "text": "y"}"#,
    "`text` is no field of this call"
)]
#[case("POST", "/repos/acme/web/issues/12/comments", "[]", "[] is no object")]
#[case(
    "GET",
    "/repos/acme/web/issues/12/comments?per_page=101",
    "",
    "`per_page` must be 1 to 100"
)]
#[case(
    "GET",
    "/repos/acme/web/issues/12/comments?pagelen=10",
    "",
    "`pagelen` is no parameter"
)]
#[tokio::test]
async fn what_is_not_published_is_noticed(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] expected: &str,
) {
    let forge = FakeForge::start(ForgeKind::Github).await;
    let mut call = api(&forge).new_comment("12", "x");
    call.method = method.parse().expect("a method");
    call.url = format!("{}{path}", forge.url());
    call.body = Some(body.as_bytes().to_vec());
    make(&call).await;
    let violations = forge.take_violations();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].contains(expected), "{violations:?}");
}

#[tokio::test]
async fn words_lengths_and_headers_are_noticed() {
    let forge = FakeForge::start(ForgeKind::Github).await;
    let good = api(&forge).set_status(&status(Status::Running));
    let mut without_version = good.clone();
    without_version.headers.remove("x-github-api-version");
    make(&without_version).await;
    let mut without_type = good.clone();
    without_type.headers.remove("content-type");
    make(&without_type).await;
    for body in [
        r#"{"state": "running"}"#.to_owned(),
        r#"{"state": "success", "target_url": "ftp://x"}"#.to_owned(),
        format!(
            r#"{{"state": "success", "description": "{}"}}"#,
            "x".repeat(141)
        ),
    ] {
        let mut call = good.clone();
        call.body = Some(body.into_bytes());
        make(&call).await;
    }
    let violations = forge.take_violations();
    let expected = [
        "`X-GitHub-Api-Version` must be",
        "`Content-Type` must be",
        "`state` is `running`, but must be one of",
        "`target_url` is `ftp://x`, but must be",
        "`description` has more than 140 characters",
    ];
    assert_eq!(violations.len(), expected.len(), "{violations:#?}");
    for (violation, expected) in violations.iter().zip(expected) {
        assert!(violation.contains(expected), "{violation}");
    }
    assert_eq!(forge.statuses(SHA), []);
}

#[tokio::test]
async fn waiting_ends_with_the_call_that_was_waited_for() {
    let forge = FakeForge::start(ForgeKind::Github).await;
    let call = api(&forge).set_status(&status(Status::Success));
    let teller = tokio::spawn(async move { make(&call).await });
    forge
        .until("a status", |forge| !forge.statuses(SHA).is_empty())
        .await;
    assert_eq!(teller.await.expect("it told"), Reply::Done);
    assert_eq!(forge.words(SHA, &forge.statuses(SHA)[0].name), ["success"]);
}
