//! An entry of the audit log.

use serde::Serialize;
use serde_json::{Map, Value};
use tappet_store::AuditEntry;
use utoipa::ToSchema;

use super::Time;

/// GitLab: `EE::API::Entities::AuditEvent`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    id: i64,
    /// -1 when the server acted by itself or nobody was known.
    author_id: i64,
    entity_id: i64,
    entity_type: &'static str,
    event_name: String,
    /// Names and ids of what it is about, and the credential in use.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    created_at: Time,
}

impl AuditEvent {
    /// Shows an entry with the names that belong to its ids.
    pub fn of(found: AuditEntry, author: Option<String>, path: Option<String>) -> Self {
        let entry = found.entry;
        let mut details = match serde_json::from_str(&entry.details) {
            Ok(Value::Object(details)) => details,
            _ => Map::new(),
        };
        let author = author.unwrap_or_else(|| "(nobody)".to_owned());
        details.insert("author_name".to_owned(), author.into());
        if let Some(path) = path {
            details.insert("entity_path".to_owned(), path.into());
        }
        if !entry.credential.is_empty() {
            details.insert("credential".to_owned(), entry.credential.into());
        }
        Self {
            id: found.id.0,
            author_id: entry.actor_id.map_or(-1, |id| id.0),
            entity_id: entry.project_id.map_or(1, |id| id.0),
            entity_type: match entry.project_id {
                Some(_) => "Project",
                None => "Gitlab::Audit::InstanceScope",
            },
            event_name: entry.action,
            details,
            created_at: Time(entry.created_at),
        }
    }
}
