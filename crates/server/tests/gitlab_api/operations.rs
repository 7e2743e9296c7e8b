//! Calls of every operation that there is, with parameters that it would take.

use http::Method;
use serde_json::{Map, Value, json};
use tappet_server::api::openapi::shown_path;
use tappet_server::api::operation::{Kind, Operation, Parameter, Place, Shape};
use tappet_server::testing::{TestRequest, TestServer};

use super::Scene;

/// An address of this operation, with each `{part}` filled in.
pub fn address(base: &str, operation: &Operation, fill: impl Fn(&str) -> String) -> String {
    let path = shown_path(base, operation);
    // There a thing is named by its kind and number, without its project.
    let fill = |name: &str| match name {
        "id" if operation.path.starts_with("/-/") => "r1".to_owned(),
        _ => fill(name),
    };
    let parts = path.split('/').map(|part| {
        let name = part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        name.map_or_else(|| part.to_owned(), &fill)
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What an address of a furnished project is filled with.
pub fn first(name: &str, project: &str) -> String {
    match name {
        "id" => project.to_owned(),
        "key" => "KEY".to_owned(),
        "branch" | "ref" | "sha" => "main".to_owned(),
        _ => "1".to_owned(),
    }
}

/// The operation with every parameter set to something that fits.
pub fn call(server: &TestServer, operation: &Operation, path: &str) -> TestRequest {
    let mut query = String::new();
    let mut body = Map::new();
    for parameter in &operation.parameters {
        match parameter.place {
            Place::Query if parameter.is_required => {
                let value = fitting(parameter);
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                query += &format!("{}{}={text}", separator(&query), parameter.name);
            }
            Place::Body => {
                body.insert(parameter.name.to_owned(), fitting(parameter));
            }
            Place::Query | Place::Header => {}
        }
    }
    let request = server.request(operation.method.as_str(), &format!("{path}{query}"));
    if body.is_empty() {
        request
    } else {
        request.json(&Value::Object(body))
    }
}

fn separator(query: &str) -> char {
    if query.is_empty() { '?' } else { '&' }
}

/// A value that passes for this parameter.
pub fn fitting(parameter: &Parameter) -> Value {
    match parameter.kind {
        Kind::Text => json!("main"),
        Kind::Integer => json!(1),
        Kind::Boolean => json!(true),
        Kind::Time => json!("2030-01-01T00:00:00Z"),
        Kind::TextList => json!(["main"]),
        Kind::ObjectList => json!([{ "key": "A", "value": "b" }]),
        Kind::Object => json!({ "A": "b" }),
        Kind::OneOf(words) | Kind::SomeOf(words) => json!(words[0]),
    }
}

/// Whether the answer goes on until somebody hangs up.
pub fn is_stream(operation: &Operation) -> bool {
    let mut shapes = operation.replies.iter().map(|(_, shape)| shape);
    shapes.any(|shape| matches!(shape, Shape::Bytes("text/event-stream")))
}

/// Whether the operation only reads.
pub fn reads(operation: &Operation) -> bool {
    operation.method == Method::GET
}

/// One of everything in the scene's project.
pub async fn furnish(scene: &Scene) {
    scene.run_with("ref=main&variables[KEY]=value").await;
    for (path, body) in [
        ("/hooks", json!({ "url": "https://example.com/hook" })),
        ("/variables", json!({ "key": "KEY", "value": "value" })),
        (
            "/pipeline_schedules",
            // On a day that is not likely to begin while a test compares.
            json!({ "description": "rarely", "ref": "main", "cron": "0 1 29 2 *" }),
        ),
        ("/protected_branches", json!({ "name": "release" })),
    ] {
        let request = scene.server.post(&scene.path(path)).root();
        let reply = request.json(&body).send().await;
        assert_eq!(reply.status, 201, "{path}: {}", reply.text());
    }
    let schedule = "/pipeline_schedules/1/variables";
    let request = scene.server.post(&scene.path(schedule)).root();
    let reply = request
        .json(&json!({ "key": "KEY", "value": "v" }))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// What a project holds, as far as time alone does not change it.
pub async fn holdings(scene: &Scene) -> Vec<String> {
    let mut all = Vec::new();
    for rest in [
        "",
        "/pipelines",
        "/pipelines/1/variables",
        "/triggers",
        "/hooks",
        "/variables",
        "/pipeline_schedules",
        "/protected_branches",
        "/members",
    ] {
        let reply = scene.get(rest).await;
        assert_eq!(reply.status, 200, "{rest}: {}", reply.text());
        all.push(reply.text());
    }
    all
}
