//! Who belongs to a project.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, Timestamp, UserId};

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, opt};
use crate::{Member, StoreResult, Verb};

macro_rules! select {
    () => {
        "SELECT m.project_id, m.user_id, m.level, m.expires_at, m.created_by, m.created_at
         FROM members m"
    };
}

statements! {
    ONE = concat!(select!(), " WHERE m.project_id = ?1 AND m.user_id = ?2
          AND (m.expires_at IS NULL OR m.expires_at > ?3)");
    ADD = "INSERT INTO members (project_id, user_id, level, expires_at, created_by, created_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        project_id: ProjectId(row.get(0)?),
        user_id: UserId(row.get(1)?),
        level: row.count(2)?,
        expires_at: row.opt(3)?,
        created_by: row.get::<_, Option<i64>>(4)?.map(UserId),
        created_at: row.col(5)?,
    })
}

/// Adds a member.
pub(super) fn add(session: &Session, member: &Member) -> StoreResult<()> {
    session.conn.prepare_cached(ADD)?.execute((
        member.project_id.0,
        member.user_id.0,
        member.level,
        opt(member.expires_at),
        member.created_by.map(|id| id.0),
        Col(member.created_at),
    ))?;
    Ok(())
}

fn one(
    db: &Db<'_>,
    project: ProjectId,
    user: UserId,
    now: Timestamp,
) -> StoreResult<Option<Member>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row((project.0, user.0, Col(now)), stored)
        .optional()?)
}

impl crate::Members for SqliteStore {
    fn membership(
        &self,
        project: ProjectId,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, Option<Member>> {
        Box::pin(async move { self.readers.read(|db| one(db, project, user, now)) })
    }
}
