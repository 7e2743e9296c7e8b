//! The audit log.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};
use tappet_model::{AuditEntryId, ProjectId, UserId};

use super::SqliteStore;
use super::content::Db;
use super::page;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer};
use crate::{
    AuditEntry, AuditFilter, COUNT_LIMIT, Listing, NewAuditEntry, PageRequest, StoreResult, Verb,
};

macro_rules! select {
    () => {
        "SELECT id, action, actor_id, credential, project_id, details, created_at
         FROM audit_entries"
    };
}

statements! {
    ADD = "INSERT INTO audit_entries (action, actor_id, credential, project_id, details, created_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    ONE = concat!(select!(), " WHERE id = ?1");
    LIST = select!();
}

fn stored(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        id: AuditEntryId(row.get(0)?),
        entry: NewAuditEntry {
            action: row.get(1)?,
            actor_id: row.get::<_, Option<i64>>(2)?.map(UserId),
            credential: row.get(3)?,
            project_id: row.get::<_, Option<i64>>(4)?.map(ProjectId),
            details: row.get(5)?,
            created_at: row.col(6)?,
        },
    })
}

/// Adds an entry, inside whatever transaction this is.
pub(super) fn add(session: &Session, new: &NewAuditEntry) -> StoreResult<()> {
    session.conn.prepare_cached(ADD)?.execute((
        &new.action,
        new.actor_id.map(|id| id.0),
        &new.credential,
        new.project_id.map(|id| id.0),
        &new.details,
        Col(new.created_at),
    ))?;
    Ok(())
}

fn one(db: &Db<'_>, id: AuditEntryId) -> StoreResult<Option<AuditEntry>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

/// The conditions of a filter with their values, in order.
fn conditions(filter: &AuditFilter) -> (String, Vec<Value>) {
    let mut texts = Vec::new();
    let mut values = Vec::new();
    let mut add = |text: &'static str, value: Option<Value>| {
        if let Some(value) = value {
            texts.push(text);
            values.push(value);
        }
    };
    let time = |time: Option<tappet_model::Timestamp>| time.map(|time| Value::Integer(time.0));
    add("project_id = ?", filter.project_id.map(|id| id.0.into()));
    add("actor_id = ?", filter.actor_id.map(|id| id.0.into()));
    add("action = ?", filter.action.clone().map(Value::Text));
    add("created_at >= ?", time(filter.created_after));
    add("created_at <= ?", time(filter.created_before));
    if texts.is_empty() {
        return (String::new(), values);
    }
    (format!(" WHERE {}", texts.join(" AND ")), values)
}

fn list(
    db: &Db<'_>,
    filter: &AuditFilter,
    request: PageRequest,
) -> StoreResult<Listing<AuditEntry>> {
    let (conditions, values) = conditions(filter);
    let with = |more: &[i64]| {
        let more: Vec<Value> = more.iter().map(|number| Value::Integer(*number)).collect();
        params_from_iter(values.clone().into_iter().chain(more))
    };
    let sql = format!("{LIST}{conditions} ORDER BY id DESC LIMIT ? OFFSET ?");
    let rows: Vec<AuditEntry> = db
        .conn
        .prepare_cached(&sql)?
        .query_map(with(&[page::limit(request), page::offset(request)]), stored)?
        .collect::<Result<_, _>>()?;
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM audit_entries{conditions} LIMIT ?)");
    let count: u64 = db
        .conn
        .prepare_cached(&sql)?
        .query_row(with(&[integer(COUNT_LIMIT + 1)]), |row| row.count(0))?;
    Ok(page::listing(rows, request, page::total(count)))
}

impl crate::Audit for SqliteStore {
    fn add_audit_entry(&self, new: NewAuditEntry) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| add(session, &new)))
    }

    fn audit_entries(
        &self,
        filter: AuditFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<AuditEntry>> {
        Box::pin(async move { self.readers.read(|db| list(db, &filter, page)) })
    }

    fn audit_entry(&self, id: AuditEntryId) -> Verb<'_, Option<AuditEntry>> {
        Box::pin(async move { self.readers.read(|db| one(db, id)) })
    }
}
