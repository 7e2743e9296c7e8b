//! What every operation of the API has in common, whoever wrote it: the list is
//! the one that the router and the API description are made of.

use tappet_server::api::openapi::shown_path;
use tappet_server::api::operation::{Audience, Operation};
use tappet_server::api::routes_of_all;
use tappet_server::testing::TestServer;

use super::operations;

/// An address of this operation: of project `project`, and of the first of
/// everything else.
fn address(base: &str, operation: &Operation, project: i64) -> String {
    operations::address(base, operation, |name| {
        operations::first(name, &project.to_string())
    })
}

/// Which statuses a caller without any credential may see on a private project.
fn expected(audience: Audience) -> &'static [u16] {
    match audience {
        // The credential is a parameter, or nobody needs one.
        Audience::Anybody => &[200, 400, 401, 403, 404, 410, 415],
        // A project that must not be seen looks as if it did not exist, whose
        // parameters are checked all the same; people are shown to strangers by
        // name only.
        Audience::Visitor => &[200, 400, 401, 403, 404],
        Audience::User | Audience::Admin => &[401],
    }
}

#[tokio::test]
async fn nobody_gets_in_without_credentials() {
    let server = TestServer::start().await;
    let project = server.project("acme/web", &[]).await;
    let mut wrong = Vec::new();
    for (base, operation) in routes_of_all().operations() {
        let path = address(base, operation, project);
        let call = server.request(operation.method.as_str(), &path);
        let reply = call.send().await;
        if !expected(operation.audience).contains(&reply.status) {
            let what = format!(
                "{} {path} is for {:?}",
                operation.method, operation.audience
            );
            wrong.push(format!(
                "{what} but answers {}: {}",
                reply.status,
                reply.text()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_wrong_credential_is_refused_wherever_one_is_looked_at() {
    let server = TestServer::start().await;
    let project = server.project("acme/web", &[]).await;
    let mut wrong = Vec::new();
    for (base, operation) in routes_of_all().operations() {
        if operation.audience == Audience::Anybody {
            continue;
        }
        let path = address(base, operation, project);
        let call = server.request(operation.method.as_str(), &path);
        let reply = call.header("PRIVATE-TOKEN", "glpat-nobody").send().await;
        if reply.status != 401 {
            wrong.push(format!("{} {path}: {}", operation.method, reply.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_description_covers_every_route_and_is_served() {
    let server = TestServer::start().await;
    let reply = server.get("/-/openapi.json").send().await;
    assert_eq!(reply.status, 200);
    let document = reply.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], server.url());
    for (base, operation) in routes_of_all().operations() {
        let path = shown_path(base, operation);
        let verb = operation.method.as_str().to_ascii_lowercase();
        let described = &document["paths"][&path][&verb];
        assert_eq!(described["operationId"], operation.id, "{verb} {path}");
    }
}

#[tokio::test]
async fn people_read_the_same_as_a_page() {
    let server = TestServer::start().await;
    let reply = server.get("/-/docs").send().await;
    assert_eq!(reply.status, 200);
    let text = reply.text();
    assert!(text.contains("/api/v4/projects/{id}/triggers/{trigger_id}"));
    assert!(!text.contains("//cdn") && !text.contains("<script src=\"http"));
}

/// A route that is added around [`routes_of_all`] would be missing in the
/// description, so only the rooms named here may talk to axum's router. Depot's
/// services are described by their protobuf files.
#[test]
fn no_route_of_the_api_bypasses_its_description() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let mut offenders = Vec::new();
    visit(&source, &mut |path, text| {
        let is_allowed = path.ends_with("api/routes.rs");
        let is_rpc = path.ends_with("api/depot.rs") || path.ends_with("depot/json_only.rs");
        let services = text.matches(".route_service(").count();
        let calls = text.matches(".route(").count() + if is_rpc { 0 } else { services };
        // Unknown addresses of the API are answered by routes of their own.
        let unknown = text.matches("any(unknown_route)").count();
        if !is_allowed && calls > unknown {
            offenders.push(format!("{}: {calls}", path.display()));
        }
    });
    assert!(offenders.is_empty(), "{offenders:?}");
}

fn visit(dir: &std::path::Path, look: &mut dyn FnMut(&std::path::Path, &str)) {
    for entry in std::fs::read_dir(dir).expect("the source is readable") {
        let path = entry.expect("the source is readable").path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("the source is text");
            look(&path, &text);
        }
    }
}
