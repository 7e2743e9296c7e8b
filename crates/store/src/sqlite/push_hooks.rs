//! Secrets of push hooks.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, Timestamp, UserId};

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, opt};
use crate::{PushHook, StoreResult, Verb};

statements! {
    ONE = "SELECT project_id, owner_id, sealed_secret, created_at, last_used_at
           FROM push_hooks WHERE project_id = ?1";
    SET = "INSERT INTO push_hooks (project_id, owner_id, sealed_secret, created_at, last_used_at)
           VALUES (?1, ?2, ?3, ?4, ?5)
           ON CONFLICT DO UPDATE SET owner_id = excluded.owner_id,
           sealed_secret = excluded.sealed_secret, created_at = excluded.created_at,
           last_used_at = excluded.last_used_at";
    DELETE = "DELETE FROM push_hooks WHERE project_id = ?1";
    TOUCH = "UPDATE push_hooks SET last_used_at = ?2 WHERE project_id = ?1";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<PushHook> {
    Ok(PushHook {
        project_id: ProjectId(row.get(0)?),
        owner_id: UserId(row.get(1)?),
        sealed_secret: row.get(2)?,
        created_at: row.col(3)?,
        last_used_at: row.opt(4)?,
    })
}

fn one(db: &Db<'_>, project: ProjectId) -> StoreResult<Option<PushHook>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([project.0], stored)
        .optional()?)
}

fn set(session: &Session, hook: &PushHook) -> StoreResult<()> {
    session.conn.prepare_cached(SET)?.execute((
        hook.project_id.0,
        hook.owner_id.0,
        &hook.sealed_secret,
        Col(hook.created_at),
        opt(hook.last_used_at),
    ))?;
    Ok(())
}

impl crate::PushHooks for SqliteStore {
    fn push_hook(&self, project: ProjectId) -> Verb<'_, Option<PushHook>> {
        Box::pin(async move { self.readers.read(|db| one(db, project)) })
    }

    fn set_push_hook(&self, hook: PushHook) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| set(session, &hook)))
    }

    fn delete_push_hook(&self, project: ProjectId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let count = session.conn.prepare_cached(DELETE)?.execute([project.0])?;
            Ok(count > 0)
        }))
    }

    fn touch_push_hook(&self, project: ProjectId, now: Timestamp) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| {
            session
                .conn
                .prepare_cached(TOUCH)?
                .execute((project.0, Col(now)))?;
            Ok(())
        }))
    }
}
