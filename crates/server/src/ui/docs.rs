//! `/-/docs`: the API for people to read, from the same source as
//! `/-/openapi.json`, without a script and without anything from outside.

use askama::Template;
use axum::response::Response;

use super::problem::PageResult;
use super::visit::{Frame, Visit, html};
use crate::api::openapi::{shown_path, subject};
use crate::api::operation::{Audience, Kind, Operation, Parameter, Place, Shape};
use crate::api::routes_of_all;

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    frame: Frame,
    address: String,
    groups: Vec<Group>,
}

/// Operations about one thing.
struct Group {
    subject: String,
    anchor: String,
    operations: Vec<Shown>,
}

struct Shown {
    id: &'static str,
    verb: String,
    path: String,
    about: &'static str,
    audience: &'static str,
    parameters: Vec<ShownParameter>,
    replies: String,
}

struct ShownParameter {
    name: &'static str,
    place: &'static str,
    kind: String,
    is_required: bool,
    about: &'static str,
}

/// Draws the page.
pub fn page(visit: &Visit) -> PageResult<Response> {
    html(&DocsPage {
        frame: visit.frame("API"),
        address: visit.app.config.url(""),
        groups: groups(routes_of_all().operations()),
    })
}

/// By subject in alphabetical order; inside, as the routes are written.
fn groups(operations: &[(&'static str, Operation)]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (base, operation) in operations {
        let path = shown_path(base, operation);
        let subject = subject(&path);
        let shown = shown(path, operation);
        match groups.iter_mut().find(|group| group.subject == subject) {
            Some(group) => group.operations.push(shown),
            None => groups.push(Group {
                anchor: subject.replace(' ', "-"),
                subject,
                operations: vec![shown],
            }),
        }
    }
    groups.sort_by(|one, other| one.subject.cmp(&other.subject));
    groups
}

fn shown(path: String, operation: &Operation) -> Shown {
    Shown {
        id: operation.id,
        verb: operation.method.to_string(),
        path,
        about: operation.about,
        audience: match operation.audience {
            Audience::Anybody => "no credential",
            Audience::Visitor => "public projects: anybody",
            Audience::User => "access token",
            Audience::Admin => "administrators",
        },
        parameters: operation.parameters.iter().map(parameter).collect(),
        replies: replies(operation),
    }
}

fn parameter(parameter: &Parameter) -> ShownParameter {
    ShownParameter {
        name: parameter.name,
        place: match parameter.place {
            Place::Query => "query",
            Place::Body => "body",
            Place::Header => "header",
        },
        kind: match parameter.kind {
            Kind::Text => "text".to_owned(),
            Kind::Integer => "number".to_owned(),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Time => "time (ISO 8601)".to_owned(),
            Kind::TextList => "list".to_owned(),
            Kind::ObjectList => "list of objects".to_owned(),
            Kind::Object => "map".to_owned(),
            Kind::OneOf(words) => words.join(" | "),
            Kind::SomeOf(words) => format!("any of {}", words.join(" ")),
        },
        is_required: parameter.is_required,
        about: parameter.about,
    }
}

fn replies(operation: &Operation) -> String {
    let replies = operation.replies.iter().map(|(status, shape)| match shape {
        Shape::Empty => status.as_str().to_owned(),
        Shape::Bytes(media_type) => format!("{} {media_type}", status.as_str()),
        Shape::Json(_) => format!("{} JSON", status.as_str()),
        Shape::JsonList(_) => format!("{} JSON list", status.as_str()),
    });
    replies.collect::<Vec<_>>().join(", ")
}
