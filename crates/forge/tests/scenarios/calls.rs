//! The calls, as each forge's API documents them.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_forge::answer::{Api, ApiCall, CommitStatus, api_url, marker, max_comment_chars};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};
use tappet_model::Status;

use super::payloads::NEW;

fn api(kind: ForgeKind) -> Api {
    let (url, repository) = match kind {
        Github => ("https://api.github.com", "acme/web"),
        Gitlab => ("https://gitlab.com/api/v4", "acme/shop/web"),
        Gitea => ("https://git.example.com/api/v1", "acme/web"),
        Bitbucket => ("https://api.bitbucket.org/2.0", "acme/web"),
    };
    Api::new(kind, url, repository, "t0ken").expect("the binding is good")
}

fn body(call: &ApiCall) -> Value {
    let body = call.body.as_ref().expect("there is a body");
    serde_json::from_slice(body).expect("bodies are JSON")
}

fn header<'a>(call: &'a ApiCall, name: &str) -> Option<&'a str> {
    call.headers
        .get(name)
        .map(|value| value.to_str().expect("headers are plain"))
}

const RUNNING: CommitStatus<'_> = CommitStatus {
    sha: NEW,
    name: "tappet/web",
    status: Status::Running,
    description: "3 of 7 jobs are done",
    target_url: "https://ci.acme.example/acme/web/-/pipelines/7",
    ref_name: Some("feature/prices"),
};

#[rstest]
#[case(Github, "https://api.github.com/repos/acme/web/statuses/{sha}", json!({
    "state": "pending", "context": "tappet/web", "description": "3 of 7 jobs are done",
    "target_url": "https://ci.acme.example/acme/web/-/pipelines/7"}))]
#[case(Gitlab, "https://gitlab.com/api/v4/projects/acme%2Fshop%2Fweb/statuses/{sha}", json!({
    "state": "running", "name": "tappet/web", "description": "3 of 7 jobs are done",
    "target_url": "https://ci.acme.example/acme/web/-/pipelines/7", "ref": "feature/prices"}))]
#[case(Gitea, "https://git.example.com/api/v1/repos/acme/web/statuses/{sha}", json!({
    "state": "pending", "context": "tappet/web", "description": "3 of 7 jobs are done",
    "target_url": "https://ci.acme.example/acme/web/-/pipelines/7"}))]
#[case(Bitbucket, "https://api.bitbucket.org/2.0/repositories/acme/web/commit/{sha}/statuses/build", json!({
    "state": "INPROGRESS", "key": "tappet/web", "name": "tappet/web", "description": "3 of 7 jobs are done",
    "url": "https://ci.acme.example/acme/web/-/pipelines/7", "refname": "feature/prices"}))]
fn a_status_is_set(#[case] kind: ForgeKind, #[case] url: &str, #[case] expected: Value) {
    let call = api(kind).set_status(&RUNNING);
    assert_eq!(call.method, "POST");
    assert_eq!(call.url, url.replace("{sha}", NEW));
    assert_eq!(body(&call), expected);
    assert_eq!(header(&call, "content-type"), Some("application/json"));
}

#[rstest]
#[case(Github, "authorization", "Bearer t0ken")]
#[case(Gitlab, "private-token", "t0ken")]
#[case(Gitea, "authorization", "token t0ken")]
#[case(Bitbucket, "authorization", "Bearer t0ken")]
fn the_token_goes_where_the_forge_wants_it(
    #[case] kind: ForgeKind,
    #[case] name: &str,
    #[case] expected: &str,
) {
    let call = api(kind).set_status(&RUNNING);
    assert_eq!(header(&call, name), Some(expected));
    assert!(header(&call, "user-agent").is_some_and(|agent| agent.starts_with("Tappet/")));
    assert!(
        !format!("{call:?}").contains("t0ken"),
        "tokens are never printed"
    );
    assert!(
        !format!("{:?}", api(kind)).contains("t0ken"),
        "tokens are never printed"
    );
}

#[test]
fn an_app_password_of_bitbucket_goes_with_its_user() {
    let api = Api::new(
        Bitbucket,
        "https://api.bitbucket.org/2.0",
        "acme/web",
        "ada:s3cret",
    )
    .expect("the binding is good");
    let call = api.set_status(&RUNNING);
    assert_eq!(
        header(&call, "authorization"),
        Some("Basic YWRhOnMzY3JldA==")
    );
}

#[test]
fn github_is_told_which_api_is_meant() {
    let call = api(Github).set_status(&RUNNING);
    assert_eq!(header(&call, "accept"), Some("application/vnd.github+json"));
    assert_eq!(header(&call, "x-github-api-version"), Some("2022-11-28"));
}

#[rstest]
#[case(Github, "description", 140)]
#[case(Gitlab, "description", 255)]
#[case(Gitea, "description", 255)]
#[case(Bitbucket, "description", 255)]
fn a_description_is_cut_between_letters(
    #[case] kind: ForgeKind,
    #[case] field: &str,
    #[case] limit: usize,
) {
    let fits = "ü".repeat(limit);
    let status = CommitStatus {
        description: &fits,
        ..RUNNING
    };
    assert_eq!(body(&api(kind).set_status(&status))[field], json!(fits));
    let longer = "ü".repeat(limit + 1);
    let status = CommitStatus {
        description: &longer,
        ..RUNNING
    };
    let expected = format!("{}…", "ü".repeat(limit - 1));
    assert_eq!(body(&api(kind).set_status(&status))[field], json!(expected));
}

#[test]
fn a_key_of_bitbucket_has_forty_characters_and_stays_its_own() {
    let key = |name: &str| {
        let call = api(Bitbucket).set_status(&CommitStatus { name, ..RUNNING });
        let body = body(&call);
        assert_eq!(body["name"], json!(name));
        body["key"].as_str().expect("a text").to_owned()
    };
    let forty = "k".repeat(40);
    assert_eq!(key(&forty), forty);
    let (one, other) = (format!("{forty}a"), format!("{forty}b"));
    assert_eq!(key(&one).chars().count(), 40);
    assert!(key(&one).starts_with("kkkkkkkkkk"));
    assert_ne!(key(&one), key(&other));
    assert_eq!(key(&one), key(&one));
}

#[test]
fn gitlab_gets_no_address_that_it_would_refuse() {
    let long = format!("https://ci.acme.example/{}", "x".repeat(250));
    let call = api(Gitlab).set_status(&CommitStatus {
        target_url: &long,
        ..RUNNING
    });
    assert_eq!(body(&call).get("target_url"), None);
}

#[rstest]
#[case(Github, "https://api.github.com/repos/acme/web/issues/12/comments", json!({"body": "All good."}))]
#[case(Gitlab, "https://gitlab.com/api/v4/projects/acme%2Fshop%2Fweb/merge_requests/12/notes", json!({"body": "All good."}))]
#[case(Gitea, "https://git.example.com/api/v1/repos/acme/web/issues/12/comments", json!({"body": "All good."}))]
#[case(Bitbucket, "https://api.bitbucket.org/2.0/repositories/acme/web/pullrequests/12/comments", json!({"content": {"raw": "All good."}}))]
fn a_comment_is_written(#[case] kind: ForgeKind, #[case] url: &str, #[case] expected: Value) {
    let call = api(kind).new_comment("12", "All good.");
    assert_eq!((call.method.as_str(), call.url.as_str()), ("POST", url));
    assert_eq!(body(&call), expected);
}

#[rstest]
#[case(Github, "PATCH", "https://api.github.com/repos/acme/web/issues/comments/99", json!({"body": "All good."}))]
#[case(Gitlab, "PUT", "https://gitlab.com/api/v4/projects/acme%2Fshop%2Fweb/merge_requests/12/notes/99", json!({"body": "All good."}))]
#[case(Gitea, "PATCH", "https://git.example.com/api/v1/repos/acme/web/issues/comments/99", json!({"body": "All good."}))]
#[case(Bitbucket, "PUT", "https://api.bitbucket.org/2.0/repositories/acme/web/pullrequests/12/comments/99", json!({"content": {"raw": "All good."}}))]
fn a_comment_is_changed(
    #[case] kind: ForgeKind,
    #[case] method: &str,
    #[case] url: &str,
    #[case] expected: Value,
) {
    let call = api(kind).edit_comment("12", "99", "All good.");
    assert_eq!((call.method.as_str(), call.url.as_str()), (method, url));
    assert_eq!(body(&call), expected);
}

#[rstest]
#[case(
    Github,
    "https://api.github.com/repos/acme/web/issues/12/comments?per_page=100&page=2"
)]
#[case(
    Gitlab,
    "https://gitlab.com/api/v4/projects/acme%2Fshop%2Fweb/merge_requests/12/notes?sort=asc&order_by=created_at&per_page=100&page=2"
)]
#[case(
    Gitea,
    "https://git.example.com/api/v1/repos/acme/web/issues/12/comments?limit=50&page=2"
)]
#[case(
    Bitbucket,
    "https://api.bitbucket.org/2.0/repositories/acme/web/pullrequests/12/comments?sort=created_on&pagelen=100&page=2"
)]
fn comments_are_listed(#[case] kind: ForgeKind, #[case] url: &str) {
    let call = api(kind).find_comment("12", "tappet:1", 2);
    assert_eq!((call.method.as_str(), call.url.as_str()), ("GET", url));
    assert_eq!(call.body, None);
    assert_eq!(header(&call, "content-type"), None);
}

#[rstest]
#[case(Github, 65_536)]
#[case(Bitbucket, 32_768)]
fn a_comment_is_cut_to_what_the_forge_takes(#[case] kind: ForgeKind, #[case] limit: usize) {
    assert_eq!(max_comment_chars(kind), limit);
    let call = api(kind).new_comment("12", &"ü".repeat(limit + 1));
    let body = body(&call);
    let text = [&body["body"], &body["content"]["raw"]]
        .into_iter()
        .find_map(Value::as_str)
        .expect("there is a text");
    assert_eq!(text.chars().count(), limit);
}

#[rstest]
#[case(Github, "<!-- tappet:5e1f -->")]
#[case(Gitlab, "<!-- tappet:5e1f -->")]
#[case(Gitea, "<!-- tappet:5e1f -->")]
#[case(Bitbucket, "[//]: # (tappet:5e1f)")]
fn a_marker_is_not_shown(#[case] kind: ForgeKind, #[case] expected: &str) {
    assert_eq!(marker(kind, "tappet:5e1f"), expected);
}

#[rstest]
#[case(Github, "a b/web", None)]
#[case(Github, "acme", None)]
#[case(Github, "acme/web/x", None)]
#[case(Github, "acme/..", None)]
#[case(Github, "", None)]
#[case(Github, "acme/wéb?x#y", Some("/repos/acme/w%C3%A9b%3Fx%23y/statuses/"))]
#[case(Gitlab, "web", None)]
#[case(Gitlab, "acme//web", None)]
#[case(Gitlab, "1234", Some("/projects/1234/statuses/"))]
#[case(Gitlab, "a/b/c/d", Some("/projects/a%2Fb%2Fc%2Fd/statuses/"))]
#[case(
    Bitbucket,
    "{b1d0}/{c2e3}",
    Some("/repositories/%7Bb1d0%7D/%7Bc2e3%7D/commit/")
)]
fn names_of_repositories_are_checked_and_encoded(
    #[case] kind: ForgeKind,
    #[case] repository: &str,
    #[case] expected: Option<&str>,
) {
    let found = Api::new(kind, "https://git.example.com", repository, "t");
    match expected {
        Some(expected) => {
            let url = found.expect("the name is good").set_status(&RUNNING).url;
            assert!(url.contains(expected), "{url}");
        }
        None => assert_eq!(found.expect_err("the name is bad").field, "repository"),
    }
}

#[rstest]
#[case("")]
#[case("two words")]
#[case("line\nbreak")]
#[case("tökn")]
fn a_token_that_no_header_can_hold_is_refused(#[case] token: &str) {
    let found = Api::new(Github, "https://api.github.com", "acme/web", token);
    let error = found.expect_err("the token is bad");
    assert_eq!(error.field, "token");
    assert!(token.is_empty() || !error.to_string().contains(token));
}

#[rstest]
#[case(Github, None, Ok("https://api.github.com"))]
#[case(Gitlab, None, Ok("https://gitlab.com/api/v4"))]
#[case(Bitbucket, Some("  "), Ok("https://api.bitbucket.org/2.0"))]
#[case(
    Gitea,
    None,
    Err("`api_url` is missing: give the address of the Gitea or Forgejo and `/api/v1`")
)]
#[case(
    Github,
    Some("https://ghe.example.com/api/v3/"),
    Ok("https://ghe.example.com/api/v3")
)]
#[case(
    Gitea,
    Some("http://127.0.0.1:3000/git/api/v1"),
    Ok("http://127.0.0.1:3000/git/api/v1")
)]
#[case(
    Github,
    Some("ftp://example.com"),
    Err("`api_url` must begin with http:// or https:// and a host")
)]
#[case(
    Github,
    Some("gopher://example.com"),
    Err("`api_url` must begin with http:// or https:// and a host")
)]
#[case(
    Github,
    Some("file:///etc/passwd"),
    Err("`api_url` must begin with http:// or https:// and a host")
)]
#[case(
    Github,
    Some("https://ada:pw@example.com"),
    Err("`api_url` must hold no user or password: give the `token`")
)]
#[case(
    Github,
    Some("https://example.com/?a=b"),
    Err("`api_url` must have no `?` and no `#`")
)]
#[case(
    Github,
    Some("api.github.com"),
    Err("`api_url` must be an http or https address like https://git.example.com/api/v1")
)]
fn the_address_of_an_api(
    #[case] kind: ForgeKind,
    #[case] given: Option<&str>,
    #[case] expected: Result<&str, &str>,
) {
    let found = api_url(kind, given).map_err(|error| error.to_string());
    assert_eq!(found.as_deref().map_err(String::as_str), expected);
}

#[test]
fn a_path_before_the_api_stays() {
    let api = Api::new(Gitea, "http://127.0.0.1:3000/git/api/v1/", "acme/web", "t")
        .expect("the binding is good");
    let url = api.new_comment("12", "x").url;
    assert_eq!(
        url,
        "http://127.0.0.1:3000/git/api/v1/repos/acme/web/issues/12/comments"
    );
}

#[test]
fn nothing_in_a_number_or_id_leaves_its_place_in_the_path() {
    let url = api(Gitlab).edit_comment("12/../../x", "9?a#b", "x").url;
    assert!(
        url.ends_with("/merge_requests/12%2F..%2F..%2Fx/notes/9%3Fa%23b"),
        "{url}"
    );
}
