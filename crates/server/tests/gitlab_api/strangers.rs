//! What somebody learns who should learn nothing: of every operation, the answers
//! about things that must not be seen are those about things that do not exist.

use tappet_server::api::routes_of_all;
use tappet_server::testing::{TestReply, TestUser};

use super::Scene;
use super::operations::{self, address, call, first, holdings, is_stream};

/// Status and text, which must not tell one case from another.
fn told(reply: &TestReply) -> (u16, String, String) {
    let kind = reply.header("content-type").to_owned();
    (reply.status, kind, reply.text())
}

#[tokio::test]
async fn a_private_project_answers_strangers_as_one_that_does_not_exist() {
    let scene = Scene::new().await;
    operations::furnish(&scene).await;
    let before = holdings(&scene).await;
    let stranger = scene.server.user("stranger").await;
    let here = scene.project.to_string();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (base, operation) in routes_of_all().operations() {
        if !operation.path.starts_with("/projects/{id}") {
            continue;
        }
        count += 1;
        for (hidden, missing) in [(here.as_str(), "999"), ("acme%2Fweb", "acme%2Fnothing")] {
            for caller in [None, Some(&stranger)] {
                let ask = async |project: &str| {
                    let path = address(base, operation, |name| first(name, project));
                    let request = call(&scene.server, operation, &path);
                    let reply = by(request, caller).send().await;
                    told(&reply)
                };
                let (seen, unseen) = (ask(hidden).await, ask(missing).await);
                if seen != unseen || seen.0 < 400 {
                    let name = caller.map_or("nobody", |_| "a stranger");
                    wrong.push(format!(
                        "{} {base}{} for {name}:\n  {seen:?}\n  {unseen:?}",
                        operation.method, operation.path
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "only {count} operations were tried");
    assert_eq!(holdings(&scene).await, before);
}

fn by(
    request: tappet_server::testing::TestRequest,
    caller: Option<&TestUser>,
) -> tappet_server::testing::TestRequest {
    match caller {
        Some(user) => request.user(user),
        None => request,
    }
}

#[tokio::test]
async fn look_ups_by_id_alone_tell_strangers_nothing() {
    let scene = Scene::new().await;
    scene.run().await;
    let stranger = scene.server.user("stranger").await;
    for what in ["lookup", "explain"] {
        for kind in ["r", "j", "a", ""] {
            let ask = async |id: u32| {
                let path = format!("/api/v4/-/{what}/{kind}{id}");
                told(&scene.server.get(&path).user(&stranger).send().await)
            };
            assert_eq!(ask(1).await, ask(999).await, "{what} {kind}");
        }
    }
}

/// Parts of addresses that name a thing of one project, with what is there of it
/// in the furnished project.
fn foreign(name: &str, member: i64, token: &str) -> Option<String> {
    match name {
        "pipeline_id" | "job_id" | "hook_id" | "trigger_id" | "pipeline_schedule_id" => {
            Some("1".to_owned())
        }
        "user_id" => Some(member.to_string()),
        "token" => Some(token.to_owned()),
        _ => None,
    }
}

#[tokio::test]
async fn things_of_another_project_do_not_exist_in_this_one() {
    let scene = Scene::new().await;
    operations::furnish(&scene).await;
    let member = scene.server.member(scene.project, "ann", 30).await;
    let token = scene.get("/triggers/1").await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = holdings(&scene).await;
    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    let mut wrong = Vec::new();
    let mut count = 0;
    for (base, operation) in routes_of_all().operations() {
        let names_a_thing = operation.path.split('/').any(|part| {
            let name = part.trim_matches(['{', '}']);
            part.starts_with('{') && foreign(name, member.id, &token).is_some()
        });
        let in_project = operation.path.starts_with("/projects/{id}");
        if !in_project || !names_a_thing || is_stream(operation) {
            continue;
        }
        count += 1;
        let ask = async |is_foreign: bool| {
            let path = address(base, operation, |name| {
                match foreign(name, member.id, &token) {
                    Some(thing) if is_foreign => thing,
                    Some(_) => "999999".to_owned(),
                    None => first(name, &other.to_string()),
                }
            });
            let request = call(&scene.server, operation, &path).root();
            told(&request.send().await)
        };
        let (there, nowhere) = (ask(true).await, ask(false).await);
        if there != nowhere || there.0 < 400 {
            wrong.push(format!(
                "{} {base}{}:\n  {there:?}\n  {nowhere:?}",
                operation.method, operation.path
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "only {count} operations were tried");
    assert_eq!(holdings(&scene).await, before);
}
