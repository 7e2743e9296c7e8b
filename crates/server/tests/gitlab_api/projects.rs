//! Projects: create, list, get.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer, git};

use super::{PIPELINE, assert_reply};

async fn create(server: &TestServer, body: Value) -> TestReply {
    server
        .post("/api/v4/projects")
        .root()
        .json(&body)
        .send()
        .await
}

#[rstest]
#[case("/api/v4/projects")]
#[case("/api/v4/projects?simple=true")]
#[case("/api/v3/projects")]
#[tokio::test]
async fn lists_know_the_default_branch_of_the_repository(#[case] list: &str) {
    let server = TestServer::start().await;
    server.project("acme/web", &[PIPELINE]).await;
    let reply = server.get(list).root().send().await;
    assert_eq!(reply.json()[0]["default_branch"], "main");
}

#[tokio::test]
async fn a_repository_becomes_a_project() {
    let server = TestServer::start().await;
    let repository = server.repository("web", &[PIPELINE]);
    let reply = create(
        &server,
        json!({ "path": "acme/tools/web", "name": "The Web", "import_url": repository }),
    )
    .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let project = reply.json();
    let url = server.url();
    assert_eq!(project["name"], "The Web");
    assert_eq!(project["name_with_namespace"], "acme / tools / The Web");
    assert_eq!(project["path"], "web");
    assert_eq!(project["path_with_namespace"], "acme/tools/web");
    assert_eq!(project["default_branch"], "main");
    assert_eq!(project["visibility"], "private");
    assert_eq!(project["empty_repo"], false);
    assert_eq!(project["web_url"], format!("{url}/acme/tools/web"));
    assert_eq!(project["namespace"]["full_path"], "acme/tools");
    assert_eq!(project["permissions"]["project_access"]["access_level"], 50);
    assert!(project["ci_configs"][0]["id"].is_i64());
    assert_eq!(project["ci_configs"][0]["name"], "default");
    let id = &project["id"];
    assert_eq!(
        project["_links"]["self"],
        format!("{url}/api/v4/projects/{id}")
    );
    let got = server
        .get(&format!("/api/v4/projects/{id}"))
        .root()
        .send()
        .await;
    assert_reply(&got, 200, &project);
}

#[rstest]
#[case(json!({ "path": "web" }), "root/web")]
#[case(json!({ "path_with_namespace": "a/b" }), "a/b")]
#[case(json!({ "name": "My App" }), "root/my-app")]
#[tokio::test]
async fn the_path_may_be_left_to_the_server(#[case] mut body: Value, #[case] expected: &str) {
    let server = TestServer::start().await;
    body["import_url"] = json!(server.repository("web", &[PIPELINE]));
    let reply = create(&server, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["path_with_namespace"], expected);
}

#[tokio::test]
async fn a_path_is_taken_once_whatever_its_case() {
    let server = TestServer::start().await;
    let repository = server.repository("web", &[PIPELINE]);
    let body = |path| json!({ "path": path, "import_url": repository });
    assert_eq!(create(&server, body("acme/web")).await.status, 201);
    let reply = create(&server, body("ACME/Web")).await;
    let taken = json!({ "message": { "path": ["has already been taken"] } });
    assert_reply(&reply, 400, &taken);
}

#[rstest]
#[case("api/web")]
#[case("ci/web")]
#[case("-/web")]
#[case("depot.ci.v1.CIService/web")]
#[case("acme/../web")]
#[case("acme/web.git")]
#[case("acme/<b>")]
#[tokio::test]
async fn paths_that_could_be_mistaken_are_refused(#[case] path: &str) {
    let server = TestServer::start().await;
    let repository = server.repository("web", &[PIPELINE]);
    let reply = create(&server, json!({ "path": path, "import_url": repository })).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.json()["message"]["path"][0].is_string());
}

#[rstest]
#[case("/nowhere/at/all")]
#[case("ext::sh -c id")]
#[case("ssh://-oProxyCommand=id/x")]
#[case("fd::3")]
#[case("relative/path")]
#[tokio::test]
async fn an_address_that_cannot_be_read_is_refused(#[case] address: &str) {
    let server = TestServer::start().await;
    let reply = create(
        &server,
        json!({ "path": "acme/web", "import_url": address }),
    )
    .await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.json()["message"]["import_url"][0].is_string());
    let list = server.get("/api/v4/projects").root().send().await;
    assert_eq!(list.json(), json!([]));
}

#[tokio::test]
async fn a_corrupt_repository_is_refused_and_an_empty_one_is_not() {
    let server = TestServer::start().await;
    let corrupt = server.scratch().join("corrupt");
    std::fs::create_dir_all(corrupt.join(".git")).unwrap();
    let reply = create(
        &server,
        json!({ "path": "acme/corrupt", "import_url": corrupt }),
    )
    .await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.json()["message"]["import_url"][0].is_string());

    let empty = server.scratch().join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    git(&empty, &["init", "--quiet", "--initial-branch=main"]);
    let reply = create(
        &server,
        json!({ "path": "acme/empty", "import_url": empty }),
    )
    .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["empty_repo"], true);
    let project = reply.json()["id"].as_i64().unwrap();
    let token = server.trigger(project).await;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline?token={token}&ref=main");
    let reply = server.post(&path).send().await;
    assert_reply(
        &reply,
        400,
        &json!({ "message": { "base": ["Reference not found"] } }),
    );
}

#[rstest]
#[case(json!({}), "import_url is missing, import_url is empty, name, path are missing, at least one parameter must be provided")]
#[case(json!({ "path": "a/b", "import_url": "/x", "visibility": "secret" }), "visibility does not have a valid value")]
#[tokio::test]
async fn missing_parameters_are_named(#[case] body: Value, #[case] error: &str) {
    let server = TestServer::start().await;
    assert_reply(
        &create(&server, body).await,
        400,
        &json!({ "error": error }),
    );
}

#[tokio::test]
async fn settings_that_cannot_be_kept_are_refused_by_name() {
    let server = TestServer::start().await;
    let repository = server.repository("web", &[PIPELINE]);
    let body = json!({ "path": "a/b", "import_url": repository, "mirror": true });
    let reply = create(&server, body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("mirror"));
}

#[tokio::test]
async fn local_repositories_need_the_servers_consent() {
    let server = TestServer::start_with(|config| config.allow_local_repositories = false).await;
    let repository = server.repository("web", &[PIPELINE]);
    let reply = create(
        &server,
        json!({ "path": "acme/web", "import_url": repository }),
    )
    .await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.json()["message"]["import_url"][0].is_string());
}

#[tokio::test]
async fn only_who_is_signed_in_creates_projects() {
    let server = TestServer::start().await;
    let reply = server
        .post("/api/v4/projects")
        .json(&json!({ "path": "a/b" }))
        .send()
        .await;
    assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
}

async fn three_projects() -> TestServer {
    let server = TestServer::start().await;
    let repository = server.repository("web", &[PIPELINE]);
    for (path, visibility) in [
        ("acme/one", "private"),
        ("acme/two", "public"),
        ("zoo/three", "public"),
    ] {
        let body = json!({ "path": path, "import_url": repository, "visibility": visibility });
        assert_eq!(create(&server, body).await.status, 201);
    }
    server
}

fn paths(reply: &TestReply) -> Vec<String> {
    let projects = reply.json();
    let projects = projects
        .as_array()
        .unwrap_or_else(|| panic!("{}", reply.text()));
    let path = |project: &Value| project["path_with_namespace"].as_str().unwrap().to_owned();
    projects.iter().map(path).collect()
}

#[rstest]
#[case("", &["zoo/three", "acme/two", "acme/one"], "3")]
#[case("?search=acme", &["acme/two", "acme/one"], "2")]
#[case("?search=%25", &[], "0")]
#[case("?visibility=public", &["zoo/three", "acme/two"], "2")]
#[case("?visibility=public&per_page=1&page=2", &["acme/two"], "2")]
#[case("?membership=true&simple=true&owned=true&order_by=id&sort=desc", &["zoo/three", "acme/two", "acme/one"], "3")]
#[case("?archived=true", &[], "0")]
#[tokio::test]
async fn projects_come_newest_first(
    #[case] query: &str,
    #[case] expected: &[&str],
    #[case] total: &str,
) {
    let server = three_projects().await;
    let reply = server
        .get(&format!("/api/v4/projects{query}"))
        .root()
        .send()
        .await;
    assert_eq!(paths(&reply), expected);
    assert_eq!(reply.header("x-total"), total);
}

#[tokio::test]
async fn strangers_see_public_projects_only() {
    let server = three_projects().await;
    let reply = server.get("/api/v4/projects").send().await;
    assert_eq!(paths(&reply), ["zoo/three", "acme/two"]);
    assert_eq!(reply.json()[0]["import_url"], Value::Null);
}

#[rstest]
#[case("order_by=star_count")]
#[case("order_by=id;--")]
#[case("visibility=all")]
#[case("starred=true")]
#[case("min_access_level=41")]
#[tokio::test]
async fn a_filter_that_would_be_ignored_is_refused(#[case] query: &str) {
    let server = TestServer::start().await;
    let reply = server
        .get(&format!("/api/v4/projects?{query}"))
        .root()
        .send()
        .await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let name = query.split('=').next().unwrap();
    assert!(reply.text().contains(name), "{}", reply.text());
}
