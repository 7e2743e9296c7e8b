//! Forges of projects, what came from them, and the comments there. What is to be
//! told there stands in [`forge_reports`].

use std::collections::HashSet;

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, RunId, UserId};

use super::SqliteStore;
use super::content::Db;
use super::forge_reports;
use super::page;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer};
use crate::{
    COUNT_LIMIT, DueForgeReport, ForgeBinding, ForgeComment, ForgeDelivery, ForgeReportOutcome,
    Listing, NewForgeDelivery, PageRequest, StoreError, StoreResult, Verb,
};

statements! {
    BINDING = "SELECT project_id, kind, api_url, repository, sealed_token, sealed_webhook_secret,
               owner_id, created_at, updated_at FROM forge_bindings WHERE project_id = ?1";
    BIND = "INSERT INTO forge_bindings (project_id, kind, api_url, repository, sealed_token,
            sealed_webhook_secret, owner_id, created_at, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            ON CONFLICT DO UPDATE SET kind = excluded.kind, api_url = excluded.api_url,
            repository = excluded.repository, sealed_token = excluded.sealed_token,
            sealed_webhook_secret = excluded.sealed_webhook_secret,
            owner_id = excluded.owner_id, quiet_until = NULL, updated_at = excluded.updated_at";
    UNBIND = "DELETE FROM forge_bindings WHERE project_id = ?1";
    BOUND = "SELECT project_id FROM forge_bindings";
    ANY = "SELECT EXISTS (SELECT 1 FROM forge_bindings)";
    FORGET_DELIVERIES = "DELETE FROM forge_deliveries WHERE project_id = ?1";
    FORGET_COMMENTS = "DELETE FROM forge_comments WHERE project_id = ?1";
    KNOWS_DELIVERY = "SELECT EXISTS (SELECT 1 FROM forge_deliveries
                      WHERE project_id = ?1 AND delivery = ?2)";
    ADD_DELIVERY = "INSERT INTO forge_deliveries
                    (project_id, delivery, event, outcome, runs, received_at)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    FORGET_OLD_DELIVERIES = "DELETE FROM forge_deliveries WHERE id IN (SELECT id FROM
                             (SELECT id, received_at FROM forge_deliveries
                             WHERE project_id = ?1 ORDER BY id LIMIT 20) WHERE received_at < ?2)";
    DELIVERIES = "SELECT id, project_id, delivery, event, outcome, runs, received_at
                  FROM forge_deliveries WHERE project_id = ?1
                  ORDER BY id DESC LIMIT ?2 OFFSET ?3";
    COUNT_DELIVERIES = "SELECT count(*) FROM (SELECT 1 FROM forge_deliveries
                        WHERE project_id = ?1 LIMIT ?2)";
    COMMENT = "SELECT project_id, number, comment_id, digest FROM forge_comments
               WHERE project_id = ?1 AND number = ?2";
    SET_COMMENT = "INSERT INTO forge_comments (project_id, number, comment_id, digest)
                   VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET comment_id = excluded.comment_id,
                   digest = excluded.digest";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<ForgeBinding> {
    Ok(ForgeBinding {
        project_id: ProjectId(row.get(0)?),
        kind: row.col(1)?,
        api_url: row.get(2)?,
        repository: row.get(3)?,
        sealed_token: row.get(4)?,
        sealed_webhook_secret: row.get(5)?,
        owner_id: UserId(row.get(6)?),
        created_at: row.col(7)?,
        updated_at: row.col(8)?,
    })
}

fn binding(db: &Db<'_>, project: ProjectId) -> StoreResult<Option<ForgeBinding>> {
    Ok(db
        .conn
        .prepare_cached(BINDING)?
        .query_row([project.0], stored)
        .optional()?)
}

fn bind(session: &mut Session, binding: &ForgeBinding) -> StoreResult<()> {
    let project = binding.project_id;
    let place = |of: &ForgeBinding| (of.kind, of.api_url.clone(), of.repository.clone());
    let before = self::binding(&session.db(), project)?;
    if before.is_some_and(|before| place(&before) != place(binding)) {
        forget_told(session, project)?;
    }
    session.conn.prepare_cached(BIND)?.execute((
        project.0,
        Col(binding.kind),
        &binding.api_url,
        &binding.repository,
        &binding.sealed_token,
        &binding.sealed_webhook_secret,
        binding.owner_id.0,
        Col(binding.created_at),
        Col(binding.updated_at),
    ))?;
    session.bound_projects = None;
    Ok(())
}

/// What was told to a forge means nothing to another one.
fn forget_told(session: &Session, project: ProjectId) -> StoreResult<()> {
    forge_reports::drop_of_project(session, project)?;
    session
        .conn
        .prepare_cached(FORGET_COMMENTS)?
        .execute([project.0])?;
    Ok(())
}

/// Removes the forge of a project with all that belongs to it.
pub(super) fn unbind(session: &mut Session, project: ProjectId) -> StoreResult<bool> {
    forget_told(session, project)?;
    let conn = &session.conn;
    conn.prepare_cached(FORGET_DELIVERIES)?
        .execute([project.0])?;
    let count = conn.prepare_cached(UNBIND)?.execute([project.0])?;
    session.bound_projects = None;
    Ok(count > 0)
}

/// Whether a project has a forge. The writer knows it by heart, since every change
/// of every run asks.
pub(super) fn is_bound(session: &mut Session, project: ProjectId) -> StoreResult<bool> {
    if let Some(bound) = &session.bound_projects {
        return Ok(bound.contains(&project));
    }
    let bound: HashSet<ProjectId> = session
        .conn
        .prepare_cached(BOUND)?
        .query_map([], |row| row.get(0).map(ProjectId))?
        .collect::<Result<_, _>>()?;
    Ok(session.bound_projects.insert(bound).contains(&project))
}

fn add_delivery(session: &Session, new: &NewForgeDelivery) -> StoreResult<()> {
    let conn = &session.conn;
    let runs = serde_json::to_string(&new.runs).expect("ids are plain data");
    let added = conn.prepare_cached(ADD_DELIVERY)?.execute((
        new.project_id.0,
        &new.delivery,
        &new.event,
        &new.outcome,
        runs,
        Col(new.now),
    ));
    added.map_err(|error| match error.sqlite_error() {
        Some(cause) if cause.extended_code == SQLITE_CONSTRAINT_UNIQUE => {
            StoreError::Taken { field: "delivery" }
        }
        _ => error.into(),
    })?;
    conn.prepare_cached(FORGET_OLD_DELIVERIES)?
        .execute((new.project_id.0, Col(new.forget_before)))?;
    Ok(())
}

fn deliveries(
    db: &Db<'_>,
    project: ProjectId,
    request: PageRequest,
) -> StoreResult<Listing<ForgeDelivery>> {
    let place = (project.0, page::limit(request), page::offset(request));
    let rows: Vec<ForgeDelivery> = db
        .conn
        .prepare_cached(DELIVERIES)?
        .query_map(place, |row| {
            Ok(ForgeDelivery {
                id: row.get(0)?,
                project_id: ProjectId(row.get(1)?),
                delivery: row.get(2)?,
                event: row.get(3)?,
                outcome: row.get(4)?,
                runs: row.json(5)?,
                received_at: row.col(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let count: u64 = db
        .conn
        .prepare_cached(COUNT_DELIVERIES)?
        .query_row((project.0, integer(COUNT_LIMIT + 1)), |row| row.count(0))?;
    Ok(page::listing(rows, request, page::total(count)))
}

fn comment(db: &Db<'_>, project: ProjectId, number: &str) -> StoreResult<Option<ForgeComment>> {
    let mut statement = db.conn.prepare_cached(COMMENT)?;
    let found = statement.query_row((project.0, number), |row| {
        Ok(ForgeComment {
            project_id: ProjectId(row.get(0)?),
            number: row.get(1)?,
            comment_id: row.get(2)?,
            digest: row.get(3)?,
        })
    });
    Ok(found.optional()?)
}

impl crate::Forges for SqliteStore {
    fn forge_binding(&self, project: ProjectId) -> Verb<'_, Option<ForgeBinding>> {
        Box::pin(async move { self.readers.look_up(|db| binding(db, project)) })
    }

    fn set_forge_binding(&self, binding: ForgeBinding) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| bind(session, &binding)))
    }

    fn delete_forge_binding(&self, project: ProjectId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| unbind(session, project)))
    }

    fn has_forges(&self) -> Verb<'_, bool> {
        Box::pin(async move {
            self.readers
                .look_up(|db| Ok(db.conn.query_row(ANY, [], |row| row.get(0))?))
        })
    }

    fn knows_forge_delivery(&self, project: ProjectId, delivery: String) -> Verb<'_, bool> {
        Box::pin(async move {
            self.readers.look_up(|db| {
                let mut statement = db.conn.prepare_cached(KNOWS_DELIVERY)?;
                Ok(statement.query_row((project.0, &delivery), |row| row.get(0))?)
            })
        })
    }

    fn add_forge_delivery(&self, new: NewForgeDelivery) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| add_delivery(session, &new)),
        )
    }

    fn forge_deliveries(
        &self,
        project: ProjectId,
        page: PageRequest,
    ) -> Verb<'_, Listing<ForgeDelivery>> {
        Box::pin(async move { self.readers.read(|db| deliveries(db, project, page)) })
    }

    fn due_forge_reports(&self) -> Verb<'_, Vec<DueForgeReport>> {
        Box::pin(async move { self.readers.look_up(forge_reports::due) })
    }

    fn finish_forge_report(&self, run: RunId, outcome: ForgeReportOutcome) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| forge_reports::finish(session, run, &outcome)),
        )
    }

    fn forge_report_error(&self, run: RunId) -> Verb<'_, Option<String>> {
        Box::pin(async move { self.readers.look_up(|db| forge_reports::error(db, run)) })
    }

    fn newest_forge_failure(&self, project: ProjectId) -> Verb<'_, Option<(RunId, String)>> {
        Box::pin(async move {
            self.readers
                .look_up(|db| forge_reports::newest_failure(db, project))
        })
    }

    fn forge_comment(&self, project: ProjectId, number: String) -> Verb<'_, Option<ForgeComment>> {
        Box::pin(async move { self.readers.look_up(|db| comment(db, project, &number)) })
    }

    fn set_forge_comment(&self, comment: ForgeComment) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| {
            session.conn.prepare_cached(SET_COMMENT)?.execute((
                comment.project_id.0,
                &comment.number,
                &comment.comment_id,
                &comment.digest,
            ))?;
            Ok(())
        }))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sqlite::query_plan;

    #[rstest]
    #[case::page(DELIVERIES)]
    #[case::forgetting(FORGET_OLD_DELIVERIES)]
    fn deliveries_are_read_in_their_order(#[case] sql: &str) {
        let steps = query_plan::steps(sql);
        let walks = |step: &String| step.contains("forge_deliveries_by_project (project_id=?)");
        assert!(steps.iter().any(walks), "{steps:?}");
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorts, "{steps:?}");
    }
}
