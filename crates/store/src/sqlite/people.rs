//! People, their profiles and passwords.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row};
use tappet_model::{RunId, Timestamp, TokenId, UserId};

use super::SqliteStore;
use super::access_tokens;
use super::content::Db;
use super::filter::{Filter, anywhere};
use super::schedules;
use super::session::Session;
use super::statement::statements;
use super::users;
use super::value::{Col, RowExt};
use crate::{
    AccessToken, Account, Listing, NewAccessToken, NewUser, PageRequest, PeopleFilter, PeopleOrder,
    StoreError, StoreResult, TokenFilter, TokenHash, User, UserChange, UserDeletion, Verb,
};

macro_rules! columns {
    () => {
        concat!(users::columns!(), ", u.profile, u.password IS NOT NULL")
    };
}

statements! {
    ONE = concat!("SELECT ", columns!(), " FROM users u WHERE u.id = ?1 AND u.id > 0");
    BY_NAME = concat!("SELECT ", users::columns!(), " FROM users u WHERE u.username = ?1
              AND u.id > 0");
    BY_LOGIN = concat!("SELECT ", users::columns!(), ", u.password FROM users u
               WHERE u.id > 0 AND (u.username = ?1
               OR (u.email <> '' AND lower(u.email) = lower(?1)))
               ORDER BY u.username = ?1 DESC LIMIT 1");
    WITH_EMAIL = "SELECT id FROM users WHERE email <> '' AND lower(email) = lower(?1)";
    ADD = "INSERT INTO users (username, name, email, is_admin, is_blocked, is_external, password,
           profile, created_at) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8)";
    UPDATE = "UPDATE users SET username = coalesce(?2, username), name = coalesce(?3, name),
              email = coalesce(?4, email), is_admin = coalesce(?5, is_admin),
              is_external = coalesce(?6, is_external), password = coalesce(?7, password),
              profile = coalesce(?8, profile) WHERE id = ?1 AND id > 0";
    SET_BLOCKED = "UPDATE users SET is_blocked = ?2
                   WHERE id = ?1 AND id > 0 AND is_blocked <> ?2";
    END_SESSIONS = "DELETE FROM sessions WHERE user_id = ?1";
    END_SIGN_INS = "DELETE FROM sign_ins WHERE user_id = ?1";
    DROP_TOKENS = "DELETE FROM access_tokens WHERE user_id = ?1";
    DROP_MEMBERSHIPS = "DELETE FROM members WHERE user_id = ?1";
    FORGET_INVITER = "UPDATE members SET created_by = NULL WHERE created_by = ?1";
    DROP = "DELETE FROM users WHERE id = ?1 AND id > 0";
    LAST_OWNED = "SELECT p.path FROM members m JOIN projects p ON p.id = m.project_id
                  WHERE m.user_id = ?1 AND m.level = 50 AND p.deleted_at IS NULL AND NOT EXISTS
                  (SELECT 1 FROM members o WHERE o.project_id = m.project_id AND o.level = 50
                  AND o.user_id <> ?1 AND (o.expires_at IS NULL OR o.expires_at > ?2))
                  ORDER BY p.path LIMIT 5";
    MADE_PROJECTS = "SELECT EXISTS (SELECT 1 FROM projects WHERE creator_id = ?1)";
    OWNS_TRIGGERS = "SELECT EXISTS (SELECT 1 FROM triggers WHERE owner_id = ?1)";
    MADE_RUNS = "SELECT EXISTS (SELECT 1 FROM projects p JOIN runs r
                 ON r.project_id = p.id AND r.user_id = ?1)";
    UNFINISHED_RUNS = "SELECT r.id FROM projects p JOIN runs r ON r.project_id = p.id
                       AND r.status IN ('created', 'waiting_for_resource', 'preparing',
                       'waiting_for_callback', 'pending', 'running', 'manual', 'scheduled')
                       WHERE r.user_id = ?1 ORDER BY r.id";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        user: users::stored(row)?,
        profile: row.json(users::COLUMNS)?,
        has_password: row.get(users::COLUMNS + 1)?,
    })
}

fn account(db: &Db<'_>, id: UserId) -> StoreResult<Option<Account>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

fn by_username(db: &Db<'_>, username: &str) -> StoreResult<Option<User>> {
    Ok(db
        .conn
        .prepare_cached(BY_NAME)?
        .query_row([username], users::stored)
        .optional()?)
}

fn by_login(db: &Db<'_>, login: &str) -> StoreResult<Option<(User, Option<String>)>> {
    Ok(db
        .conn
        .prepare_cached(BY_LOGIN)?
        .query_row([login], |row| {
            Ok((users::stored(row)?, row.get(users::COLUMNS)?))
        })
        .optional()?)
}

fn list(db: &Db<'_>, wanted: &PeopleFilter, request: PageRequest) -> StoreResult<Listing<Account>> {
    let mut filter = Filter::default();
    filter
        .and("u.id > 0", [])
        .maybe("u.username = ?", wanted.username.clone())
        .maybe("u.is_blocked = ?", wanted.is_blocked)
        .maybe("u.is_external = ?", wanted.is_external)
        .maybe("u.is_admin = ?", wanted.is_admin)
        .within("u.created_at", wanted.created);
    if let Some(text) = &wanted.search {
        filter.and(
            "(u.username LIKE ? ESCAPE '\\' OR u.name LIKE ? ESCAPE '\\'
             OR (u.email <> '' AND lower(u.email) = lower(?)))",
            [anywhere(text), anywhere(text), text.clone()].map(Value::Text),
        );
    }
    if wanted.without_projects {
        filter.and(
            "NOT EXISTS (SELECT 1 FROM members m WHERE m.user_id = u.id)",
            [],
        );
    }
    let order = match (wanted.order_by, wanted.ascending) {
        (PeopleOrder::Id, true) => "u.id",
        (PeopleOrder::Id, false) => "u.id DESC",
        (PeopleOrder::Name, true) => "u.name, u.id",
        (PeopleOrder::Name, false) => "u.name DESC, u.id DESC",
        (PeopleOrder::Username, true) => "u.username, u.id",
        (PeopleOrder::Username, false) => "u.username DESC, u.id DESC",
    };
    filter.list(db, (columns!(), "users u"), order, request, stored)
}

/// Fails when somebody else has the address or the name. The address counts
/// first, as in GitLab.
fn check_free(
    session: &Session,
    own: Option<UserId>,
    username: Option<&str>,
    email: Option<&str>,
) -> StoreResult<()> {
    let is_other = |found: Option<i64>| found.is_some_and(|id| Some(UserId(id)) != own);
    if let Some(email) = email {
        let found = session
            .conn
            .prepare_cached(WITH_EMAIL)?
            .query_row([email], |row| row.get(0))
            .optional()?;
        if is_other(found) {
            return Err(StoreError::Taken { field: "email" });
        }
    }
    if let Some(username) = username
        && is_other(users::id_by_name(&session.db(), username)?)
    {
        return Err(StoreError::Taken { field: "username" });
    }
    Ok(())
}

fn json(profile: &crate::Profile) -> String {
    serde_json::to_string(profile).expect("texts are always valid JSON")
}

fn add(session: &Session, new: &NewUser) -> StoreResult<Account> {
    check_free(session, None, Some(&new.username), Some(&new.email))?;
    session.conn.prepare_cached(ADD)?.execute((
        &new.username,
        &new.name,
        &new.email,
        new.is_admin,
        new.is_external,
        &new.password,
        json(&new.profile),
        Col(new.now),
    ))?;
    let id = UserId(session.conn.last_insert_rowid());
    account(&session.db(), id)?.ok_or(StoreError::NotFound("user"))
}

fn update(session: &Session, id: UserId, change: &UserChange) -> StoreResult<Account> {
    check_free(
        session,
        Some(id),
        change.username.as_deref(),
        change.email.as_deref(),
    )?;
    session.conn.prepare_cached(UPDATE)?.execute((
        id.0,
        &change.username,
        &change.name,
        &change.email,
        change.is_admin,
        change.is_external,
        &change.password,
        change.profile.as_ref().map(json),
    ))?;
    if change.password.is_some() {
        session.conn.prepare_cached(END_SESSIONS)?.execute([id.0])?;
    }
    account(&session.db(), id)?.ok_or(StoreError::NotFound("user"))
}

fn set_blocked(session: &Session, id: UserId, is_blocked: bool) -> StoreResult<bool> {
    let conn = &session.conn;
    let count = conn
        .prepare_cached(SET_BLOCKED)?
        .execute((id.0, is_blocked))?;
    if is_blocked {
        conn.prepare_cached(END_SESSIONS)?.execute([id.0])?;
        conn.prepare_cached(END_SIGN_INS)?.execute([id.0])?;
        schedules::deactivate_of(session, id, None)?;
    }
    Ok(count > 0)
}

fn delete(session: &Session, id: UserId, now: Timestamp) -> StoreResult<UserDeletion> {
    let conn = &session.conn;
    let projects: Vec<String> = conn
        .prepare_cached(LAST_OWNED)?
        .query_map((id.0, Col(now)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if !projects.is_empty() {
        return Ok(UserDeletion::LastOwner { projects });
    }
    let mut things = Vec::new();
    for (sql, word) in [
        (MADE_PROJECTS, "created projects"),
        (OWNS_TRIGGERS, "trigger tokens"),
        (MADE_RUNS, "pipelines"),
    ] {
        if conn
            .prepare_cached(sql)?
            .query_row([id.0], |row| row.get(0))?
        {
            things.push(word);
        }
    }
    if !things.is_empty() {
        return Ok(UserDeletion::InUse { things });
    }
    // What else belongs to them (schedules, say) is found by its foreign key.
    conn.execute_batch("SAVEPOINT removal")?;
    let removed = remove(session, id);
    match removed {
        Ok(()) => conn.execute_batch("RELEASE removal")?,
        Err(_) => conn.execute_batch("ROLLBACK TO removal; RELEASE removal")?,
    }
    match removed {
        Ok(()) => Ok(UserDeletion::Deleted),
        Err(error) if is_referenced(&error) => Ok(UserDeletion::InUse {
            things: vec!["schedules or other records"],
        }),
        Err(error) => Err(error.into()),
    }
}

fn remove(session: &Session, id: UserId) -> rusqlite::Result<()> {
    schedules::deactivate_of(session, id, None)?;
    for sql in [
        END_SESSIONS,
        END_SIGN_INS,
        DROP_TOKENS,
        DROP_MEMBERSHIPS,
        FORGET_INVITER,
        DROP,
    ] {
        session.conn.prepare_cached(sql)?.execute([id.0])?;
    }
    Ok(())
}

fn is_referenced(error: &rusqlite::Error) -> bool {
    error
        .sqlite_error()
        .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}

fn unfinished_runs(db: &Db<'_>, id: UserId) -> StoreResult<Vec<RunId>> {
    let mut statement = db.conn.prepare_cached(UNFINISHED_RUNS)?;
    let rows = statement.query_map([id.0], |row| row.get(0).map(RunId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl crate::People for SqliteStore {
    fn account(&self, id: UserId) -> Verb<'_, Option<Account>> {
        Box::pin(async move { self.readers.read(|db| account(db, id)) })
    }

    fn accounts(&self, filter: PeopleFilter, page: PageRequest) -> Verb<'_, Listing<Account>> {
        Box::pin(async move { self.readers.read(|db| list(db, &filter, page)) })
    }

    fn user_by_username(&self, username: &str) -> Verb<'_, Option<User>> {
        let username = username.to_owned();
        Box::pin(async move { self.readers.read(|db| by_username(db, &username)) })
    }

    fn user_to_sign_in(&self, login: &str) -> Verb<'_, Option<(User, Option<String>)>> {
        let login = login.to_owned();
        Box::pin(async move { self.readers.read(|db| by_login(db, &login)) })
    }

    fn create_user(&self, new: NewUser) -> Verb<'_, Account> {
        Box::pin(self.writer.write(move |session| add(session, &new)))
    }

    fn update_user(&self, id: UserId, change: UserChange) -> Verb<'_, Account> {
        Box::pin(
            self.writer
                .write(move |session| update(session, id, &change)),
        )
    }

    fn set_blocked(&self, id: UserId, is_blocked: bool) -> Verb<'_, bool> {
        Box::pin(
            self.writer
                .write(move |session| set_blocked(session, id, is_blocked)),
        )
    }

    fn delete_user(&self, id: UserId, now: Timestamp) -> Verb<'_, UserDeletion> {
        Box::pin(self.writer.write(move |session| delete(session, id, now)))
    }

    fn unfinished_runs_of(&self, id: UserId) -> Verb<'_, Vec<RunId>> {
        Box::pin(async move { self.readers.read(|db| unfinished_runs(db, id)) })
    }

    fn create_access_token(&self, new: NewAccessToken) -> Verb<'_, AccessToken> {
        Box::pin(
            self.writer
                .write(move |session| access_tokens::add(session, &new)),
        )
    }

    fn access_token(&self, id: TokenId) -> Verb<'_, Option<AccessToken>> {
        Box::pin(async move { self.readers.read(|db| access_tokens::one(db, id)) })
    }

    fn access_token_by_hash(&self, hash: TokenHash) -> Verb<'_, Option<AccessToken>> {
        Box::pin(async move { self.readers.read(|db| access_tokens::by_hash(db, hash)) })
    }

    fn access_tokens(
        &self,
        filter: TokenFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<AccessToken>> {
        Box::pin(async move {
            self.readers
                .read(|db| access_tokens::list(db, &filter, page))
        })
    }

    fn revoke_access_token(&self, id: TokenId, now: Timestamp) -> Verb<'_, bool> {
        Box::pin(
            self.writer
                .write(move |session| access_tokens::revoke(session, id, now)),
        )
    }

    fn rotate_access_token(
        &self,
        id: TokenId,
        new: NewAccessToken,
    ) -> Verb<'_, Option<AccessToken>> {
        Box::pin(
            self.writer
                .write(move |session| access_tokens::rotate(session, id, &new)),
        )
    }
}
