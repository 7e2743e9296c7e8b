//! Which other projects' job tokens a project lets in.

use tappet_model::ProjectId;

use super::SqliteStore;
use super::content::Db;
use super::page;
use super::projects;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer};
use crate::{
    COUNT_LIMIT, GrantOutcome, JobTokenGrant, Listing, PageRequest, Project, StoreError,
    StoreResult, Verb,
};

statements! {
    LETS_IN = "SELECT EXISTS (SELECT 1 FROM job_token_grants WHERE project_id = ?1 AND source_id = ?2)
               OR EXISTS (SELECT 1 FROM open_job_token_scopes WHERE project_id = ?1)";
    IS_OPEN = "SELECT EXISTS (SELECT 1 FROM open_job_token_scopes WHERE project_id = ?1)";
    OPEN = "INSERT INTO open_job_token_scopes (project_id) VALUES (?1) ON CONFLICT DO NOTHING";
    CLOSE = "DELETE FROM open_job_token_scopes WHERE project_id = ?1";
    HAS = "SELECT EXISTS (SELECT 1 FROM job_token_grants WHERE project_id = ?1 AND source_id = ?2)";
    COUNT_GRANTS = "SELECT count(*) FROM job_token_grants WHERE project_id = ?1";
    ADD = "INSERT INTO job_token_grants (project_id, source_id, added_by, created_at)
           VALUES (?1, ?2, ?3, ?4)";
    REMOVE = "DELETE FROM job_token_grants WHERE project_id = ?1 AND source_id = ?2";
    LIST = "SELECT source_id FROM job_token_grants WHERE project_id = ?1
            UNION SELECT ?1 ORDER BY 1 LIMIT ?2 OFFSET ?3";
    COUNT = "SELECT count(*) FROM (SELECT source_id FROM job_token_grants WHERE project_id = ?1
             UNION SELECT ?1 LIMIT ?2)";
}

fn has(db: &Db<'_>, project: ProjectId, source: ProjectId) -> StoreResult<bool> {
    Ok(db
        .conn
        .prepare_cached(HAS)?
        .query_row((project.0, source.0), |row| row.get(0))?)
}

fn lets_in(db: &Db<'_>, project: ProjectId, source: ProjectId) -> StoreResult<bool> {
    Ok(db
        .conn
        .prepare_cached(LETS_IN)?
        .query_row((project.0, source.0), |row| row.get(0))?)
}

fn is_open(db: &Db<'_>, project: ProjectId) -> StoreResult<bool> {
    Ok(db
        .conn
        .prepare_cached(IS_OPEN)?
        .query_row([project.0], |row| row.get(0))?)
}

fn set(session: &Session, project: ProjectId, is_open: bool) -> StoreResult<()> {
    let sql = if is_open { OPEN } else { CLOSE };
    session.conn.prepare_cached(sql)?.execute([project.0])?;
    Ok(())
}

fn add(session: &Session, grant: &JobTokenGrant) -> StoreResult<GrantOutcome> {
    let conn = &session.conn;
    if has(&session.db(), grant.project_id, grant.source_id)? {
        return Ok(GrantOutcome::Known);
    }
    let count: u64 = conn
        .prepare_cached(COUNT_GRANTS)?
        .query_row([grant.project_id.0], |row| row.count(0))?;
    if count >= grant.limit {
        return Ok(GrantOutcome::LimitReached);
    }
    conn.prepare_cached(ADD)?.execute((
        grant.project_id.0,
        grant.source_id.0,
        grant.added_by.map(|id| id.0),
        Col(grant.now),
    ))?;
    Ok(GrantOutcome::Added)
}

fn remove(session: &Session, project: ProjectId, source: ProjectId) -> StoreResult<bool> {
    let count = session
        .conn
        .prepare_cached(REMOVE)?
        .execute((project.0, source.0))?;
    Ok(count > 0)
}

fn list(db: &Db<'_>, project: ProjectId, request: PageRequest) -> StoreResult<Listing<Project>> {
    let ids: Vec<i64> = db
        .conn
        .prepare_cached(LIST)?
        .query_map(
            (project.0, page::limit(request), page::offset(request)),
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    let count: u64 = db
        .conn
        .prepare_cached(COUNT)?
        .query_row((project.0, integer(COUNT_LIMIT + 1)), |row| row.count(0))?;
    let ids = page::listing(ids, request, page::total(count));
    let items = ids
        .items
        .into_iter()
        .map(|id| projects::project(db, ProjectId(id))?.ok_or(StoreError::NotFound("project")))
        .collect::<StoreResult<_>>()?;
    Ok(Listing {
        items,
        total: ids.total,
        has_next: ids.has_next,
    })
}

impl crate::JobTokenScope for SqliteStore {
    fn lets_jobs_in(&self, project: ProjectId, source: ProjectId) -> Verb<'_, bool> {
        Box::pin(async move { self.readers.read(|db| lets_in(db, project, source)) })
    }

    fn let_jobs_in(&self, grant: JobTokenGrant) -> Verb<'_, GrantOutcome> {
        Box::pin(self.writer.write(move |session| add(session, &grant)))
    }

    fn keep_jobs_out(&self, project: ProjectId, source: ProjectId) -> Verb<'_, bool> {
        Box::pin(
            self.writer
                .write(move |session| remove(session, project, source)),
        )
    }

    fn has_open_job_token_scope(&self, project: ProjectId) -> Verb<'_, bool> {
        Box::pin(async move { self.readers.read(|db| is_open(db, project)) })
    }

    fn set_job_token_scope(&self, project: ProjectId, is_open: bool) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| set(session, project, is_open)),
        )
    }

    fn job_token_sources(
        &self,
        project: ProjectId,
        page: PageRequest,
    ) -> Verb<'_, Listing<Project>> {
        Box::pin(async move { self.readers.read(|db| list(db, project, page)) })
    }
}
