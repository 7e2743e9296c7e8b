//! Settings of a project for CI: its CI configs.

use tappet_server::testing::{TestReply, TestServer};

use super::visitor::{self, Visitor};

const PAGE: &str = "/acme/web/-/settings/ci_cd";

async fn save(root: &Visitor<'_>, rest: &str, form: &str) -> TestReply {
    root.send(&format!("/acme/web/-/settings/ci_configs{rest}"), form)
        .await
}

/// The number of the CI config that a project begins with.
async fn first(server: &TestServer) -> i64 {
    let project = visitor::project(server).await;
    let shown = server
        .get(&format!("/api/v4/projects/{project}"))
        .root()
        .send()
        .await;
    shown.json()["ci_configs"][0]["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_project_begins_with_one_ci_config_and_says_how_to_use_it() {
    let server = TestServer::start().await;
    let id = first(&server).await;
    let root = visitor::root(&server).await;
    let page = root.look(PAGE).await;
    assert!(page.contains("<bdi>default</bdi>"), "{page}");
    assert!(page.contains(&format!("--ci-config-id {id} ")), "{page}");
    assert!(!page.contains("/remove\""), "the last one stays: {page}");
}

#[tokio::test]
async fn a_ci_config_is_added_changed_and_removed() {
    let server = TestServer::start().await;
    let id = first(&server).await;
    let root = visitor::root(&server).await;
    let form = "name=docs&status_name=ci%2Fdocs&pipeline_files=docs%2Fci.yml%0D%0A&label=ready\
                &ignored_files=*.md%0D%0A%0D%0A%21README.md&comments=true";
    let reply = save(&root, "", form).await;
    let place = reply.header("location").to_owned();
    let new: i64 = place.rsplit('-').next().unwrap().parse().unwrap();
    assert_eq!((reply.status, new > id), (303, true), "{place}");
    let page = root.look(PAGE).await;
    for shown in [
        "<bdi>docs</bdi>",
        "value=\"ci/docs\"",
        ">docs/ci.yml</textarea>",
        ">*.md\n!README.md</textarea>",
        "label ready",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let reply = save(
        &root,
        &format!("/{new}"),
        "name=text&status_name=x&expects_diffs=true",
    )
    .await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let page = root.look(PAGE).await;
    assert!(
        page.contains("waits for diffs") && !page.contains("label ready"),
        "{page}"
    );
    let reply = save(&root, &format!("/{new}/remove"), "name=text").await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let page = root.look(PAGE).await;
    assert!(!page.contains("<bdi>text</bdi>"), "{page}");
}

#[tokio::test]
async fn what_will_not_do_is_shown_again_as_it_was_typed() {
    let server = TestServer::start().await;
    let id = first(&server).await;
    let root = visitor::root(&server).await;
    let form = "name=default&status_name=typed+before";
    let reply = save(&root, "", form).await;
    let page = reply.text();
    assert_eq!(reply.status, 422, "{page}");
    assert!(
        page.contains("another CI config of the project has this name"),
        "{page}"
    );
    assert!(page.contains("value=\"typed before\""), "{page}");
    let form = "name=default&status_name=x&pipeline_files=a.yml%0Ab.yml";
    let reply = save(&root, &format!("/{id}"), form).await;
    assert_eq!(reply.status, 422);
    assert!(
        reply.text().contains("one pipeline file"),
        "{}",
        reply.text()
    );
    let reply = save(&root, &format!("/{id}/remove"), "").await;
    assert_eq!(reply.status, 422);
    assert!(
        reply.text().contains("the only CI config"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_ci_config_of_another_project_is_not_there() {
    let server = TestServer::start().await;
    visitor::project(&server).await;
    let other = server.project("acme/other", &[]).await;
    let shown = server
        .get(&format!("/api/v4/projects/{other}"))
        .root()
        .send()
        .await;
    let foreign = shown.json()["ci_configs"][0]["id"].as_i64().unwrap();
    let root = visitor::root(&server).await;
    let reply = save(&root, &format!("/{foreign}"), "name=a&status_name=b").await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn only_maintainers_see_the_settings() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    for (name, level, status) in [("dev", 30, 403), ("main", 40, 200)] {
        let member = server.member(project, name, level).await;
        let signed_in = visitor::sign_in(&server, &member.token, "").await;
        let reply = server
            .get(PAGE)
            .header("cookie", &visitor::cookie_of(&signed_in))
            .send()
            .await;
        assert_eq!(reply.status, status, "{name}");
    }
    assert_eq!(server.get(PAGE).send().await.status, 303);
}
