//! The first two generations of the secret and variable services.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestServer};

use super::{done, refusal, rpc};

fn names(listed: &Value, of: &str) -> Vec<String> {
    let all = listed[of].as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[rstest]
#[case::secrets("Secret", "secrets")]
#[case::variables("Variable", "variables")]
#[tokio::test]
async fn values_for_all_repositories_and_for_one_do_not_touch(
    #[case] kind: &str,
    #[case] listed: &str,
) {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    let call = |name: &str, body: Value| {
        let method = format!("depot.ci.v2.{kind}Service/{}", name.replace('*', kind));
        let server = &server;
        async move { done(server, &method, &body).await }
    };
    let of_org = json!({ "name": "A", "value": "1", "description": "why" });
    call("AddOrg*", of_org).await;
    let inputs = json!([{ "name": "A", "value": "2" }, { "name": "B", "value": "3" }]);
    call(
        "BatchAddRepo*s",
        json!({ "repo": "acme/web", listed: inputs }),
    )
    .await;

    let org = call("ListOrg*s", json!({})).await;
    assert_eq!(names(&org, listed), ["A"]);
    assert_eq!(org[listed][0]["description"], "why");
    let repo = call("ListRepo*s", json!({ "repo": "acme/web" })).await;
    assert_eq!(names(&repo, listed), ["A", "B"]);

    let words = json!({ "repo": "acme/web", "name": "B", "description": "so" });
    call("UpdateRepo*Description", words).await;
    let repo = call("ListRepo*s", json!({ "repo": "acme/web" })).await;
    assert_eq!(repo[listed][1]["description"], "so");

    call("RemoveOrg*", json!({ "name": "A" })).await;
    assert!(names(&call("ListOrg*s", json!({})).await, listed).is_empty());
    let repo = call("ListRepo*s", json!({ "repo": "acme/web" })).await;
    assert_eq!(names(&repo, listed), ["A", "B"]);
    call("RemoveRepo*", json!({ "repo": "acme/web", "name": "A" })).await;
    let repo = call("ListRepo*s", json!({ "repo": "acme/web" })).await;
    assert_eq!(names(&repo, listed), ["B"]);
}

#[tokio::test]
async fn values_of_variables_are_told_in_one_map() {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    let service = "depot.ci.v2.VariableService";
    let all =
        json!({ "variables": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] });
    done(&server, &format!("{service}/BatchAddOrgVariables"), &all).await;
    let of_repo = json!({ "repo": "acme/web", "name": "A", "value": "3" });
    done(&server, &format!("{service}/AddRepoVariable"), &of_repo).await;
    let org = done(
        &server,
        &format!("{service}/GetOrgVariableValues"),
        &json!({}),
    )
    .await;
    assert_eq!(org["variables"], json!({ "A": "1", "B": "2" }));
    let repo = json!({ "repo": "acme/web" });
    let repo = done(&server, &format!("{service}/GetRepoVariableValues"), &repo).await;
    assert_eq!(repo["variables"], json!({ "A": "3" }));
    let first = "depot.ci.v1.VariableService/GetAllVariables";
    let all = done(&server, first, &json!({})).await;
    assert_eq!(all["variables"], json!({ "A": "1", "B": "2" }));
}

#[rstest]
#[case::secrets("Secret", "secrets")]
#[case::variables("Variable", "variables")]
#[tokio::test]
async fn the_first_generation_knows_all_repositories_only(
    #[case] kind: &str,
    #[case] listed: &str,
) {
    let server = TestServer::start().await;
    let call = |name: &str, body: Value| {
        let method = format!("depot.ci.v1.{kind}Service/{}", name.replace('*', kind));
        let server = &server;
        async move { done(server, &method, &body).await }
    };
    call("Add*", json!({ "name": "A", "value": "1" })).await;
    let more = json!({ listed: [{ "name": "B", "value": "2" }] });
    call("BatchAdd*s", more).await;
    call(
        "Update*Description",
        json!({ "name": "B", "description": "so" }),
    )
    .await;
    call("Remove*", json!({ "name": "A" })).await;
    let all = call("List*s", json!({})).await;
    assert_eq!(names(&all, listed), ["B"]);
    assert_eq!(all[listed][0]["description"], "so");
}

#[tokio::test]
async fn a_batch_with_one_bad_name_keeps_nothing() {
    let server = TestServer::start().await;
    let body =
        json!({ "secrets": [{ "name": "A", "value": "1" }, { "name": "A B", "value": "2" }] });
    let method = "depot.ci.v2.SecretService/BatchAddOrgSecrets";
    let reply = rpc(&server, ROOT_TOKEN, method, &body).await;
    assert_eq!(refusal(&reply), (400, "invalid_argument".to_owned()));
    let all = done(
        &server,
        "depot.ci.v2.SecretService/ListOrgSecrets",
        &json!({}),
    )
    .await;
    assert!(names(&all, "secrets").is_empty());
}

#[rstest]
#[case("ListRepoSecrets", json!({}), 400, "invalid_argument")]
#[case("ListRepoSecrets", json!({ "repo": "no/where" }), 404, "not_found")]
#[case("RemoveOrgSecret", json!({ "name": "NONE" }), 404, "not_found")]
#[case("RemoveRepoSecret", json!({ "repo": "acme/web", "name": "NONE" }), 404, "not_found")]
#[case("UpdateOrgSecretDescription", json!({ "name": "NONE" }), 404, "not_found")]
#[tokio::test]
async fn what_does_not_exist_is_refused(
    #[case] name: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    let method = format!("depot.ci.v2.SecretService/{name}");
    let reply = rpc(&server, ROOT_TOKEN, &method, &body).await;
    assert_eq!(refusal(&reply), (status, code.to_owned()));
}

#[tokio::test]
async fn people_without_rights_neither_add_nor_list() {
    let server = TestServer::start().await;
    let project = server.project("acme/web", &[]).await;
    let developer = server.member(project, "dev", 30).await;
    let of_repo = json!({ "repo": "acme/web", "name": "A", "value": "1" });
    let of_org = json!({ "name": "A", "value": "1" });
    for (name, body) in [
        ("AddOrgSecret", &of_org),
        ("AddRepoSecret", &of_repo),
        ("ListRepoSecrets", &of_repo),
    ] {
        let method = format!("depot.ci.v2.SecretService/{name}");
        let body = match name {
            "ListRepoSecrets" => json!({ "repo": "acme/web" }),
            _ => body.clone(),
        };
        let reply = rpc(&server, &developer.token, &method, &body).await;
        assert_eq!(
            refusal(&reply),
            (403, "permission_denied".to_owned()),
            "{name}"
        );
    }
}
