//! Who belongs to a project.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, Timestamp, UserId};

use super::SqliteStore;
use super::content::Db;
use super::filter::{Filter, anywhere};
use super::schedules;
use super::session::Session;
use super::statement::statements;
use super::users;
use super::value::{Col, RowExt, opt};
use crate::{
    Listing, Member, MemberChange, MemberFilter, OWNER_LEVEL, PageRequest, StoreError, StoreResult,
    User, Verb,
};

macro_rules! columns {
    () => {
        "m.project_id, m.user_id, m.level, m.expires_at, m.created_by, m.created_at"
    };
}

/// How many columns a member has.
const COLUMNS: usize = 6;

statements! {
    ONE = concat!("SELECT ", columns!(), " FROM members m
          WHERE m.project_id = ?1 AND m.user_id = ?2
          AND (m.expires_at IS NULL OR m.expires_at > ?3)");
    ADD = "INSERT INTO members (project_id, user_id, level, expires_at, created_by, created_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6)
           ON CONFLICT (project_id, user_id) DO UPDATE SET level = ?3, expires_at = ?4,
           created_by = ?5, created_at = ?6 WHERE expires_at <= ?6";
    UPDATE = "UPDATE members SET level = ?3, expires_at = ?4
              WHERE project_id = ?1 AND user_id = ?2";
    REMOVE = "DELETE FROM members WHERE project_id = ?1 AND user_id = ?2";
    OTHER_OWNER = "SELECT EXISTS (SELECT 1 FROM members WHERE project_id = ?1 AND level = ?2
                   AND user_id <> ?3 AND (expires_at IS NULL OR expires_at > ?4))";
}

fn stored(row: &Row<'_>, first: usize) -> rusqlite::Result<Member> {
    Ok(Member {
        project_id: ProjectId(row.get(first)?),
        user_id: UserId(row.get(first + 1)?),
        level: row.count(first + 2)?,
        expires_at: row.opt(first + 3)?,
        created_by: row.get::<_, Option<i64>>(first + 4)?.map(UserId),
        created_at: row.col(first + 5)?,
    })
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
        .query_row((project.0, user.0, Col(now)), |row| stored(row, 0))
        .optional()?)
}

fn list(
    db: &Db<'_>,
    project: ProjectId,
    wanted: &MemberFilter,
    now: Timestamp,
    request: PageRequest,
) -> StoreResult<Listing<(Member, User)>> {
    let mut filter = Filter::default();
    filter
        .and("m.project_id = ?", [project.0.into()])
        .and("(m.expires_at IS NULL OR m.expires_at > ?)", [now.0.into()]);
    if let Some(text) = &wanted.search {
        filter.and(
            "(u.username LIKE ? ESCAPE '\\' OR u.name LIKE ? ESCAPE '\\'
             OR (u.email <> '' AND lower(u.email) = lower(?)))",
            [anywhere(text), anywhere(text), text.clone()].map(Value::Text),
        );
    }
    if let Some(ids) = &wanted.user_ids {
        let places = vec!["?"; ids.len()].join(", ");
        let ids = ids.iter().map(|id| Value::Integer(id.0));
        filter.and(format!("m.user_id IN ({places})"), ids);
    }
    filter.list(
        db,
        (
            concat!(columns!(), ", ", users::columns!()),
            "members m JOIN users u ON u.id = m.user_id",
        ),
        "m.user_id",
        request,
        |row| Ok((stored(row, 0)?, users::stored_from(row, COLUMNS)?)),
    )
}

/// Adds a member.
pub(super) fn add(session: &Session, member: &Member) -> StoreResult<()> {
    let count = session.conn.prepare_cached(ADD)?.execute((
        member.project_id.0,
        member.user_id.0,
        member.level,
        opt(member.expires_at),
        member.created_by.map(|id| id.0),
        Col(member.created_at),
    ))?;
    if count == 0 {
        return Err(StoreError::Taken { field: "user_id" });
    }
    Ok(())
}

/// Whether the project has an owner beside this one.
fn has_other_owner(
    session: &Session,
    project: ProjectId,
    user: UserId,
    now: Timestamp,
) -> StoreResult<bool> {
    Ok(session
        .conn
        .prepare_cached(OTHER_OWNER)?
        .query_row((project.0, OWNER_LEVEL, user.0, Col(now)), |row| row.get(0))?)
}

fn update(
    session: &Session,
    mut member: Member,
    level: u32,
    expires_at: Option<Option<Timestamp>>,
    now: Timestamp,
) -> StoreResult<MemberChange> {
    let stays_owner = level == OWNER_LEVEL && expires_at.flatten().is_none();
    if member.level == OWNER_LEVEL
        && !stays_owner
        && !has_other_owner(session, member.project_id, member.user_id, now)?
    {
        return Ok(MemberChange::LastOwner);
    }
    member.level = level;
    if let Some(expires_at) = expires_at {
        member.expires_at = expires_at;
    }
    session.conn.prepare_cached(UPDATE)?.execute((
        member.project_id.0,
        member.user_id.0,
        member.level,
        opt(member.expires_at),
    ))?;
    Ok(MemberChange::Done(member))
}

fn remove(session: &Session, member: Member, now: Timestamp) -> StoreResult<MemberChange> {
    if member.level == OWNER_LEVEL
        && !has_other_owner(session, member.project_id, member.user_id, now)?
    {
        return Ok(MemberChange::LastOwner);
    }
    session
        .conn
        .prepare_cached(REMOVE)?
        .execute((member.project_id.0, member.user_id.0))?;
    schedules::deactivate_of(session, member.user_id, Some(member.project_id))?;
    Ok(MemberChange::Done(member))
}

impl crate::Members for SqliteStore {
    fn membership(
        &self,
        project: ProjectId,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, Option<Member>> {
        Box::pin(async move { self.readers.look_up(|db| one(db, project, user, now)) })
    }

    fn members(
        &self,
        project: ProjectId,
        filter: MemberFilter,
        now: Timestamp,
        page: PageRequest,
    ) -> Verb<'_, Listing<(Member, User)>> {
        Box::pin(async move {
            self.readers
                .read(|db| list(db, project, &filter, now, page))
        })
    }

    fn add_member(&self, member: Member) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| add(session, &member)))
    }

    fn update_member(
        &self,
        project: ProjectId,
        user: UserId,
        level: u32,
        expires_at: Option<Option<Timestamp>>,
        now: Timestamp,
    ) -> Verb<'_, MemberChange> {
        Box::pin(self.writer.write(
            move |session| match one(&session.db(), project, user, now)? {
                Some(member) => update(session, member, level, expires_at, now),
                None => Ok(MemberChange::Missing),
            },
        ))
    }

    fn remove_member(
        &self,
        project: ProjectId,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, MemberChange> {
        Box::pin(self.writer.write(
            move |session| match one(&session.db(), project, user, now)? {
                Some(member) => remove(session, member, now),
                None => Ok(MemberChange::Missing),
            },
        ))
    }
}
