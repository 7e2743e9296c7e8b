//! The description of the API in OpenAPI 3.1, made from the routes themselves.

use std::sync::OnceLock;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::operation::{Audience, Kind, Operation, Parameter, Place, Shape, WholeBody};
use crate::app::SharedApp;
use crate::version::TAPPET_VERSION;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// `GET /-/openapi.json`. The document is made once, on first demand.
pub async fn serve(State(app): State<SharedApp>) -> Response {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| document(super::routes_of_all().operations()));
    let mut document = document.clone();
    document["servers"] = json!([{ "url": app.config.url("") }]);
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], document.to_string()).into_response()
}

/// The document without its servers.
pub fn document(operations: &[(&'static str, Operation)]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for (base, operation) in operations {
        let path = shown_path(base, operation);
        let item = paths
            .entry(path.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        let verb = operation.method.as_str().to_ascii_lowercase();
        item[verb] = described(&path, operation, &mut schemas);
    }
    let mut components: Map<String, Value> = Map::new();
    components.insert("Error".to_owned(), error_schema());
    for (name, schema) in schemas {
        let schema = serde_json::to_value(schema).expect("schemas are plain data");
        components.insert(name, schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tappet",
            "version": TAPPET_VERSION,
            "description": "Start, watch and steer CI runs. Below /api/v4 and /api/v3 GitLab's \
                            clients work unchanged; what GitLab does not have is marked as our own. \
                            Below /api/v1 and /api/internal are Datafold's, whose refusals stand \
                            under `detail`. \
                            Depot's services, below /depot.*, are calls of Connect, gRPC and \
                            gRPC-web: their protobuf files describe them.",
        },
        "paths": paths,
        "components": { "schemas": components, "securitySchemes": security_schemes() },
    })
}

/// The address as readers write it: `{*path}` of the router becomes `{path}`.
pub fn shown_path(base: &str, operation: &Operation) -> String {
    let path = operation.shown_path.unwrap_or(operation.path);
    format!("{base}{path}").replace("{*", "{")
}

/// What an operation is about, for grouping: the first plain word behind the
/// project, or of the address.
pub fn subject(path: &str) -> String {
    if super::datafold::owns(path) {
        return "ci configs".to_owned();
    }
    let words: Vec<&str> = path
        .split('/')
        .filter(|word| !word.is_empty() && !word.starts_with('{'))
        .skip_while(|word| matches!(*word, "api" | "v1" | "v3" | "v4"))
        .collect();
    let word = match words.as_slice() {
        ["projects", "jobs", "artifacts", ..] => "artifacts",
        ["projects", "repository", .., "statuses"] => "statuses",
        ["projects" | "groups", second, ..] => second,
        ["admin", .., last] => last,
        [first, ..] => first,
        [] => "-",
    };
    let subject = match word {
        "-" | "version" | "metadata" | "audit_events" | "gc" => "server",
        "archive" | "unarchive" => "projects",
        "ci" if path.ends_with("/trigger") => "triggers",
        "ci" => "lint",
        "job" => "jobs",
        "pipeline" => "pipelines",
        "trigger" | "ref" | "refs" => "triggers",
        "user" => "users",
        word => word,
    };
    subject.replace('_', " ")
}

fn described(path: &str, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.about,
        "tags": [subject(path)],
        "security": security(operation.audience),
        "parameters": parameters(path, operation),
        "responses": responses(operation, schemas),
    });
    let body: Vec<&Parameter> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.place == Place::Body)
        .collect();
    match operation.whole_body {
        Some(WholeBody::JsonList(of)) => {
            let list = json!({ "type": "array", "items": of(schemas) });
            let content = json!({ "application/json": { "schema": list } });
            described["requestBody"] = json!({ "required": true, "content": content });
        }
        Some(WholeBody::Bytes(media_type)) => {
            described["requestBody"] = json!({ "required": true, "content": { media_type: {} } });
        }
        None if !body.is_empty() && operation.method != Method::GET => {
            described["requestBody"] = request_body(&body, operation.is_json_only);
        }
        None => {}
    }
    described
}

fn parameters(path: &str, operation: &Operation) -> Vec<Value> {
    let in_path = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "schema": path_schema(name),
                "description": path_about(name),
            })
        });
    let others = operation.parameters.iter().filter_map(|parameter| {
        let place = match parameter.place {
            Place::Query => "query",
            Place::Header => "header",
            Place::Body => return None,
        };
        let list = matches!(parameter.kind, Kind::TextList | Kind::SomeOf(_));
        let name = match list {
            true => format!("{}[]", parameter.name),
            false => parameter.name.to_owned(),
        };
        Some(json!({
            "name": name,
            "in": place,
            "required": parameter.is_required,
            "schema": schema(parameter.kind),
            "description": parameter.about,
        }))
    });
    in_path.chain(others).collect()
}

fn path_schema(name: &str) -> Value {
    let is_number = name.ends_with("_id") || name == "pr_num";
    if is_number {
        json!({ "type": "integer", "minimum": 1 })
    } else {
        json!({ "type": "string", "minLength": 1 })
    }
}

fn path_about(name: &str) -> &'static str {
    match name {
        "id" => "Number, or path with `/` as `%2F`.",
        _ => "",
    }
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::TextList => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::ObjectList => json!({ "type": "array", "items": { "type": "object" } }),
        Kind::Object => json!({ "type": "object" }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::SomeOf(words) => {
            json!({ "type": "array", "items": { "type": "string", "enum": words } })
        }
    }
}

/// An object as JSON and, unless that is all, as both kinds of form.
fn request_body(parameters: &[&Parameter], is_json_only: bool) -> Value {
    let properties: Map<String, Value> = parameters
        .iter()
        .map(|parameter| {
            let mut schema = schema(parameter.kind);
            if !parameter.about.is_empty() {
                schema["description"] = parameter.about.into();
            }
            (parameter.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = parameters
        .iter()
        .filter(|parameter| parameter.is_required)
        .map(|parameter| parameter.name)
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = required.clone().into();
    }
    let content = json!({ "schema": schema });
    let mut contents = json!({ "application/json": content });
    if !is_json_only {
        for form in ["application/x-www-form-urlencoded", "multipart/form-data"] {
            contents[form] = content.clone();
        }
    }
    json!({ "required": !required.is_empty(), "content": contents })
}

fn responses(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for (status, shape) in &operation.replies {
        let reason = status.canonical_reason().unwrap_or_default();
        let mut response = json!({ "description": reason });
        match shape {
            Shape::Empty => {}
            Shape::Bytes(media_type) => {
                response["content"] = json!({ *media_type: {} });
            }
            Shape::Json(of) => {
                response["content"] = json!({ "application/json": { "schema": of(schemas) } });
            }
            Shape::JsonList(of) => {
                let list = json!({ "type": "array", "items": of(schemas) });
                response["content"] = json!({ "application/json": { "schema": list } });
            }
        }
        responses.insert(status.as_str().to_owned(), response);
    }
    responses.insert(
        "default".to_owned(),
        json!({
            "description": "Refused; the body says why.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
        }),
    );
    Value::Object(responses)
}

fn error_schema() -> Value {
    let any = json!({
        "description": "A refused parameter stands under `error`, everything else under `message`.",
    });
    json!({
        "type": "object",
        "properties": { "message": any, "error": { "type": "string" }, "detail": any },
    })
}

fn security(audience: Audience) -> Value {
    let signed_in = [json!({ "privateToken": [] }), json!({ "bearer": [] })];
    match audience {
        Audience::Anybody => json!([]),
        Audience::Visitor => json!([{}, signed_in[0], signed_in[1]]),
        Audience::User | Audience::Admin => json!(signed_in),
    }
}

fn security_schemes() -> Value {
    json!({
        "privateToken": { "type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN" },
        "bearer": { "type": "http", "scheme": "bearer" },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;

    use super::*;
    use crate::api::routes_of_all;

    #[rstest]
    #[case("/api/v4/projects/{id}/triggers/{trigger_id}", "triggers")]
    #[case("/api/v4/projects/{id}", "projects")]
    #[case("/api/v4/users/{user_id}", "users")]
    #[case("/-/healthz", "server")]
    #[case("/-/hooks/push", "server")]
    #[case("/api/v4/projects/{id}/jobs/{job_id}/artifacts", "artifacts")]
    #[case("/api/v4/projects/{id}/trigger/pipeline", "triggers")]
    #[case("/api/v1/projects/{id}/refs/{ref}/trigger", "triggers")]
    #[case("/api/v1/ci/{ci_config_id}/trigger", "ci configs")]
    #[case("/api/internal/sdk/log", "ci configs")]
    #[case("/api/v4/admin/ci/variables", "variables")]
    #[case("/api/v4/projects/{id}/ci/lint", "lint")]
    #[case("/api/v4/projects/{id}/protected_branches", "protected branches")]
    fn operations_are_grouped_by_what_they_are_about(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(subject(path), expected);
    }

    #[test]
    fn every_operation_says_what_it_is_and_answers() {
        let mut ids = BTreeSet::new();
        for (base, operation) in routes_of_all().operations() {
            let path = shown_path(base, operation);
            let what = format!("{} {path}", operation.method);
            assert!(!operation.id.is_empty(), "{what} has no id");
            assert!(
                ids.insert(operation.id),
                "{what}: {} is taken",
                operation.id
            );
            assert!(operation.about.ends_with('.'), "{what} has no sentence");
            assert!(!operation.replies.is_empty(), "{what} has no reply");
        }
    }

    #[test]
    fn a_reference_leads_to_a_schema() {
        let document = document(routes_of_all().operations());
        let text = document.to_string();
        let known = document["components"]["schemas"].as_object().unwrap();
        for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(known.contains_key(name), "{name} is not described");
        }
    }
}
