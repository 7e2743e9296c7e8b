//! `depot ci migrate`: what it may ask, and that nothing is moved.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestServer};

use super::{code, done, refusal, rpc};

const GOOD: &str =
    "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n";
const BAD: &str = "on: push\njobs: 7\n";

async fn ask(server: &TestServer, name: &str, body: Value) -> Value {
    done(
        server,
        &format!("depot.ci.v2.MigrationService/{name}"),
        &body,
    )
    .await
}

#[tokio::test]
async fn repositories_are_the_projects_that_one_sees() {
    let server = TestServer::start().await;
    for path in ["acme/a", "acme/b", "acme/c"] {
        server.project(path, &[]).await;
    }
    let first = ask(&server, "ListRepositories", json!({ "pageSize": 2 })).await;
    assert_eq!(first["repositories"][1]["fullName"], "acme/b");
    let token = &first["nextPageToken"];
    let second = ask(&server, "ListRepositories", json!({ "pageToken": token })).await;
    assert_eq!(second["repositories"][0]["fullName"], "acme/c");
    assert_eq!(second["nextPageToken"], Value::Null);
    let stranger = server.user("stranger").await;
    let method = "depot.ci.v2.MigrationService/ListRepositories";
    let none = rpc(&server, &stranger.token, method, &json!({})).await;
    assert_eq!(none.json(), json!({}));
}

#[tokio::test]
async fn workflows_are_ready_or_say_what_is_wrong() {
    let server = TestServer::start().await;
    let files = [
        (".github/workflows/good.yml", GOOD),
        (".github/workflows/bad.yml", BAD),
        (".github/workflows/README.md", "not a workflow"),
    ];
    let id = server.project("acme/web", &files).await;
    let readiness = |analysis: &Value| -> Vec<(String, String)> {
        let workflows = analysis["workflows"].as_array().cloned().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pair = |one: &Value| {
            (
                text(&one["path"]),
                text(&one["analysis"]["migrationReadiness"]),
            )
        };
        workflows.iter().map(pair).collect()
    };
    let pair = |path: &str, word: &str| (path.to_owned(), format!("MIGRATION_READINESS_{word}"));
    let body = json!({ "workflowRepoId": id.to_string() });
    let analysis = ask(&server, "GetRepositoryAnalysis", body).await;
    assert_eq!(analysis["repository"]["fullName"], "acme/web");
    let expected = [
        pair(".github/workflows/bad.yml", "NOT_READY"),
        pair(".github/workflows/good.yml", "READY"),
    ];
    assert_eq!(readiness(&analysis), expected);
    let blocker = &analysis["workflows"][0]["analysis"]["blockers"][0];
    assert!(
        blocker["message"].to_string().contains("line 2"),
        "{blocker}"
    );
    let body = json!({
        "repositoryUrl": "https://github.com/acme/web.git",
        "workflowFiles": { "workflows": [{ "path": "x.yml", "content": GOOD }] },
    });
    let analysis = ask(&server, "GetRepositoryAnalysis", body).await;
    assert_eq!(readiness(&analysis), [pair("x.yml", "READY")]);
}

#[tokio::test]
async fn a_project_is_an_installation_of_its_own() {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    let method = "depot.ci.v1.MigrationService/GetInstallation";
    let found = done(&server, method, &json!({ "repo": "acme/web" })).await;
    assert_eq!(found["installations"][0]["owner"], "acme");
    assert_eq!(found["installations"][0]["repoAccessible"], true);
}

#[rstest]
#[case("v2", "StartMigration", json!({}), 412, "failed_precondition")]
#[case("v2", "RetryMigration", json!({}), 412, "failed_precondition")]
#[case("v2", "ReportSecretImport", json!({}), 412, "failed_precondition")]
#[case("v2", "RegisterSecretMigrationIntent", json!({}), 412, "failed_precondition")]
#[case("v1", "ImportSecretsAndVars", json!({ "repo": "a/b" }), 412, "failed_precondition")]
#[case("v1", "GetInstallation", json!({}), 400, "invalid_argument")]
#[case("v1", "GetInstallation", json!({ "repo": "no/where" }), 404, "not_found")]
#[case("v2", "GetRepositoryAnalysis", json!({}), 400, "invalid_argument")]
#[case("v2", "GetRepositoryAnalysis", json!({ "workflowRepoId": "99" }), 404, "not_found")]
#[case("v2", "ListRepositories", json!({ "pageToken": "x" }), 400, "invalid_argument")]
#[tokio::test]
async fn what_cannot_be_is_refused(
    #[case] version: &str,
    #[case] name: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] word: &str,
) {
    let server = TestServer::start().await;
    let method = format!("depot.ci.{version}.MigrationService/{name}");
    let reply = rpc(&server, ROOT_TOKEN, &method, &body).await;
    assert_eq!(refusal(&reply), code(status, word));
}
