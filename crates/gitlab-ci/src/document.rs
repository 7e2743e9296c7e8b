//! From the text to one tree of plain YAML, anchors and merge keys resolved
//! (GitLab: `lib/gitlab/config/loader/multi_doc_yaml.rb`).

use tappet_model::{Diagnostic, Position};
use tappet_yaml::{Limits, Mapping, Node, Schema, Value};

use crate::validation::Report;

/// A file that is a map.
pub(crate) struct Document {
    pub(crate) root: Mapping,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Loads the only document of the file.
pub(crate) fn load(text: &str) -> Result<Document, Vec<Diagnostic>> {
    if text.trim().is_empty() {
        let message = "Please provide content of .gitlab-ci.yml";
        return Err(vec![Diagnostic::whole_file(message)]);
    }
    let loaded = tappet_yaml::load(text, Schema::Psych, &Limits::default())
        .map_err(|error| vec![Diagnostic::from(error)])?;
    let mut documents = loaded.documents.into_iter().filter(|node| !node.is_null());
    let first = documents.next();
    if let Some(second) = documents.next() {
        return Err(refuse_header(first.as_ref(), second.position));
    }
    match first {
        Some(Node {
            value: Value::Mapping(root),
            ..
        }) => Ok(Document {
            root,
            warnings: loaded.warnings.into_iter().map(Diagnostic::from).collect(),
        }),
        other => {
            let position = other.map_or(Position { line: 1, column: 1 }, |node| node.position);
            Err(vec![Diagnostic::at(
                position,
                "Invalid configuration format",
            )])
        }
    }
}

/// Two documents: a header with `spec` and the configuration, or a mistake.
fn refuse_header(first: Option<&Node>, second: Position) -> Vec<Diagnostic> {
    let spec = first
        .and_then(Node::as_mapping)
        .and_then(|header| header.key("spec"));
    let mut report = Report::default();
    match spec {
        Some(key) => report.unsupported(key.position, None, "spec"),
        None => report.unsupported(second, None, "---"),
    }
    report.into_result().err().unwrap_or_default()
}
