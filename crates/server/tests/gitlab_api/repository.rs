//! Branches, tags and commits.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{commit, git};

use super::{PIPELINE, Scene, assert_reply};

/// The project's repository.
fn repository(scene: &Scene) -> std::path::PathBuf {
    scene.server.scratch().join("repositories/acme-web")
}

fn run_git(scene: &Scene, arguments: &[&str]) -> String {
    git(&repository(scene), arguments)
}

/// One field of every item of a list.
fn each(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

async fn protect(scene: &Scene, kind: &str, name: &str) {
    let form = format!("name={name}");
    let path = scene.path(&format!("/protected_{kind}"));
    let reply = scene.server.post(&path).root().form(&form).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[tokio::test]
async fn a_branch_shows_its_commit_and_what_may_be_done() {
    let scene = Scene::new().await;
    let sha = run_git(&scene, &["rev-parse", "HEAD"]);
    let reply = scene.get("/repository/branches/main").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut branch = reply.json();
    let shown = branch["commit"].take();
    assert_eq!(
        branch,
        json!({
            "name": "main", "commit": null, "merged": false, "protected": false,
            "developers_can_push": false, "developers_can_merge": false, "can_push": true,
            "default": true,
            "web_url": format!("{}/acme/web/-/tree/main", scene.server.url()),
        })
    );
    assert_eq!(
        [&shown["id"], &shown["title"], &shown["author_email"]],
        [
            &json!(sha),
            &json!("Initial commit"),
            &json!("test@example.com")
        ]
    );
}

#[tokio::test]
async fn branches_are_listed_by_name_with_merged_ones_marked() {
    let scene = Scene::new().await;
    run_git(&scene, &["branch", "team/old"]);
    commit(&repository(&scene), &[("a", "1")], "Go on");
    let reply = scene.get("/repository/branches").await;
    let branches = reply.json();
    assert_eq!(each(&branches, "name"), ["main", "team/old"]);
    assert_eq!(branches[0]["merged"], false);
    assert_eq!(branches[1]["merged"], true);
    assert_eq!(reply.header("x-total"), "2");
    let second = scene.get("/repository/branches?per_page=1&page=2").await;
    assert_eq!(each(&second.json(), "name"), ["team/old"]);
    assert_eq!(second.header("x-prev-page"), "1");
}

#[rstest]
#[case("search=^team", &["team/a", "team/b"])]
#[case("search=N$", &["main"])]
#[case("regex=^(main|team/b)$", &["main", "team/b"])]
#[case("search=none", &[])]
#[tokio::test]
async fn branches_can_be_searched(#[case] query: &str, #[case] expected: &[&str]) {
    let scene = Scene::new().await;
    run_git(&scene, &["branch", "team/a"]);
    run_git(&scene, &["branch", "team/b"]);
    let query = query
        .replace('^', "%5E")
        .replace('$', "%24")
        .replace('|', "%7C");
    let reply = scene.get(&format!("/repository/branches?{query}")).await;
    assert_eq!(each(&reply.json(), "name"), expected);
}

#[tokio::test]
async fn a_slash_in_a_name_comes_encoded() {
    let scene = Scene::new().await;
    run_git(&scene, &["branch", "team/a"]);
    run_git(&scene, &["tag", "rel/1"]);
    let branch = scene.get("/repository/branches/team%2Fa").await;
    assert_eq!(branch.json()["name"], "team/a");
    let tag = scene.get("/repository/tags/rel%2F1").await;
    assert_eq!(tag.json()["name"], "rel/1");
    let sha = scene.get("/repository/commits/team%2Fa").await;
    assert_eq!(sha.json()["title"], "Initial commit");
}

#[tokio::test]
async fn protection_shows_on_branches_and_tags() {
    let scene = Scene::new().await;
    run_git(&scene, &["tag", "v1"]);
    let shown = async |path: &str| scene.get(path).await.json()["protected"].clone();
    assert_eq!(shown("/repository/branches/main").await, false);
    protect(&scene, "branches", "main").await;
    protect(&scene, "tags", "v*").await;
    assert_eq!(shown("/repository/branches/main").await, true);
    assert_eq!(shown("/repository/tags/v1").await, true);
}

#[tokio::test]
async fn an_annotated_tag_shows_its_message_and_both_objects() {
    let scene = Scene::new().await;
    run_git(&scene, &["tag", "-a", "-m", "First\n\nrelease", "v1"]);
    let object = run_git(&scene, &["rev-parse", "v1"]);
    let sha = run_git(&scene, &["rev-parse", "HEAD"]);
    let mut tag = scene.get("/repository/tags/v1").await.json();
    assert_eq!(tag["commit"].take()["id"], *sha);
    assert!(tag["created_at"].take().is_string());
    assert_eq!(
        tag,
        json!({
            "name": "v1", "message": "First\n\nrelease", "target": object, "commit": null,
            "release": null, "protected": false, "created_at": null,
        })
    );
}

#[tokio::test]
async fn tags_are_listed_newest_first_or_by_version() {
    let scene = Scene::new().await;
    for name in ["v1.9", "v1.10"] {
        run_git(&scene, &["tag", name]);
    }
    let names = async |query: &str| {
        let reply = scene.get(&format!("/repository/tags{query}")).await;
        each(&reply.json(), "name")
    };
    assert_eq!(names("?order_by=version").await, ["v1.10", "v1.9"]);
    assert_eq!(names("?order_by=name&sort=asc").await, ["v1.10", "v1.9"]);
    assert_eq!(names("?search=%5Ev1.1").await, ["v1.10"]);
    assert_eq!(names("").await.len(), 2);
}

#[tokio::test]
async fn a_commit_is_shown_by_id_digits_branch_and_tag_with_its_pipeline() {
    let scene = Scene::new().await;
    run_git(&scene, &["tag", "v1"]);
    let sha = run_git(&scene, &["rev-parse", "HEAD"]);
    for name in [&sha, &sha[..8], "main", "v1", "HEAD"] {
        let commit = scene.get(&format!("/repository/commits/{name}")).await;
        assert_eq!(commit.json()["id"], *sha, "{name}: {}", commit.text());
        assert_eq!(commit.json()["status"], Value::Null);
    }
    let run = scene.run().await;
    let commit = scene.get("/repository/commits/main").await.json();
    assert_eq!(commit["status"], "pending");
    assert_eq!(commit["last_pipeline"]["id"], run);
    assert_eq!(commit["project_id"], scene.project);
    assert_eq!(
        commit["stats"],
        json!({ "additions": 7, "deletions": 0, "total": 7 })
    );
    let bare = scene.get("/repository/commits/main?stats=false").await;
    assert!(bare.json().get("stats").is_none());
}

#[tokio::test]
async fn commits_are_listed_newest_first_and_not_counted() {
    let scene = Scene::new().await;
    commit(&repository(&scene), &[("docs/a", "1\n")], "Second");
    commit(&repository(&scene), &[("b", "1\n")], "Third");
    let reply = scene.get("/repository/commits?per_page=2").await;
    assert_eq!(each(&reply.json(), "title"), ["Third", "Second"]);
    assert_eq!(reply.header("x-next-page"), "2");
    assert_eq!(reply.header("x-total"), "");
    let titles = async |query: &str| {
        let reply = scene.get(&format!("/repository/commits?{query}")).await;
        each(&reply.json(), "title")
    };
    assert_eq!(titles("per_page=2&page=2").await, ["Initial commit"]);
    assert_eq!(titles("path=docs").await, ["Second"]);
    assert_eq!(titles("ref_name=main~1").await, [""; 0]);
    assert_eq!(titles("ref_name=nowhere").await, [""; 0]);
    assert_eq!(titles("author=nobody").await, [""; 0]);
    assert_eq!(titles("all=true").await.len(), 3);
    let with_stats = scene.get("/repository/commits?with_stats=true").await;
    assert_eq!(with_stats.json()[0]["stats"]["total"], 1);
}

#[rstest]
#[case("/repository/branches/none", 404, json!({ "message": "404 Branch Not Found" }))]
#[case("/repository/branches/mai", 404, json!({ "message": "404 Branch Not Found" }))]
#[case("/repository/branches/a..b", 400, json!({ "message": "The branch refname is invalid" }))]
#[case("/repository/branches?sort=x", 400, json!({ "error": "sort does not have a valid value" }))]
#[case("/repository/branches?regex=%28", 400, json!({ "error": "regex is invalid" }))]
#[case("/repository/tags/none", 404, json!({ "message": "404 Tag Not Found" }))]
#[case("/repository/tags/a%20b", 400, json!({ "message": "The tag refname is invalid" }))]
#[case("/repository/tags?order_by=x", 400, json!({ "error": "order_by does not have a valid value" }))]
#[case("/repository/commits/none", 404, json!({ "message": "404 Commit Not Found" }))]
#[case("/repository/commits/0000000", 404, json!({ "message": "404 Commit Not Found" }))]
#[case("/repository/commits/main~0", 404, json!({ "message": "404 Commit Not Found" }))]
#[case("/repository/commits?ref_name=--all", 400, json!({ "message": "ref_name is invalid" }))]
#[case("/repository/commits?since=x", 400, json!({ "error": "since is invalid" }))]
#[case("/repository/commits?per_page=0", 400, json!({ "error": "per_page has a value not allowed" }))]
#[tokio::test]
async fn a_call_that_cannot_be_answered_says_why(
    #[case] path: &str,
    #[case] status: u16,
    #[case] body: Value,
) {
    let scene = Scene::new().await;
    assert_reply(&scene.get(path).await, status, &body);
}

#[tokio::test]
async fn an_empty_repository_has_nothing() {
    let scene = Scene::new().await;
    let path = scene.server.scratch().join("empty");
    std::fs::create_dir(&path).unwrap();
    git(&path, &["init", "--quiet", "--initial-branch=main"]);
    let body = json!({ "path": "acme/empty", "import_url": path });
    let created = scene.server.post("/api/v4/projects").root().json(&body);
    assert_eq!(created.send().await.status, 201);
    let get = async |rest: &str| {
        let path = format!("/api/v4/projects/acme%2Fempty/repository{rest}");
        scene.server.get(&path).root().send().await
    };
    for list in ["/branches", "/tags", "/commits"] {
        assert_reply(&get(list).await, 200, &json!([]));
    }
    let missing = json!({ "message": "404 Branch Not Found" });
    assert_reply(&get("/branches/main").await, 404, &missing);
    let missing = json!({ "message": "404 Commit Not Found" });
    assert_reply(&get("/commits/main").await, 404, &missing);
}

#[tokio::test]
async fn a_private_repository_is_invisible_to_strangers_and_a_public_one_open() {
    let scene = Scene::new().await;
    let paths = [
        "/branches",
        "/branches/main",
        "/tags",
        "/commits",
        "/commits/main",
    ];
    for path in paths {
        let path = scene.path(&format!("/repository{path}"));
        let reply = scene.server.get(&path).send().await;
        let body = json!({ "message": "404 Project Not Found" });
        assert_reply(&reply, 404, &body);
    }
    let public = scene.server.repository("public", &[PIPELINE]);
    let body = json!({ "path": "acme/open", "import_url": public, "visibility": "public" });
    let created = scene.server.post("/api/v4/projects").root().json(&body);
    assert_eq!(created.send().await.status, 201);
    for path in paths {
        let path = format!("/api/v4/projects/acme%2Fopen/repository{path}");
        let reply = scene.server.get(&path).send().await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    let branch = "/api/v4/projects/acme%2Fopen/repository/branches/main";
    let reply = scene.server.get(branch).send().await;
    assert_eq!(reply.json()["can_push"], false);
}
