//! Cached files of clients.

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Params, Row};
use tappet_model::{Timestamp, UserId};

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer, opt};
use crate::{
    AgedCacheEntry, Amount, CacheCompletion, CacheCreation, CacheEntry, CacheEntryId, CacheName,
    CachePart, CachePosition, CacheSearch, CacheState, CacheUpload, StoreResult, Verb,
};

/// How exactly the last use of an entry is stored.
const USED_EVERY: std::time::Duration = std::time::Duration::from_secs(3600);

macro_rules! select {
    () => {
        "SELECT id, entry_type, key, scope, title, content_type, size_bytes, creator_id,
         created_at, finished_at, used_at FROM cache_entries"
    };
}

/// Complete entries that fit a search: `?1` type, `?2` the beginning of the key,
/// `?3` scope, `?4` creator. The prefix ends where its last letter would rise, so
/// `?5` is a key behind all that begin so, or NULL.
macro_rules! fitting {
    () => {
        " WHERE finished_at IS NOT NULL AND entry_type = ?1 AND key >= ?2
         AND (?5 IS NULL OR key < ?5) AND (?3 IS NULL OR scope = ?3)
         AND (?4 IS NULL OR creator_id = ?4)"
    };
}

/// What nobody needs any more: `?1` not read since, `?2` begun before.
macro_rules! aged {
    () => {
        " FROM cache_entries WHERE (finished_at IS NOT NULL AND used_at < ?1)
         OR (finished_at IS NULL AND used_at < ?2)"
    };
}

macro_rules! bytes {
    () => {
        "coalesce(size_bytes, (SELECT sum(p.size_bytes) FROM cache_parts p
         WHERE p.entry_id = cache_entries.id), 0)"
    };
}

statements! {
    BEGIN = "INSERT INTO cache_entries (id, entry_type, key, scope, content_type, creator_id,
             created_at, used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    IS_COMPLETE = "SELECT 1 FROM cache_entries WHERE finished_at IS NOT NULL
                   AND entry_type = ?1 AND key = ?2 AND scope = ?3";
    IS_IN_PROGRESS = "SELECT 1 FROM cache_entries WHERE finished_at IS NULL
                      AND entry_type = ?1 AND key = ?2 AND scope = ?3 AND created_at >= ?4 LIMIT 1";
    IS_OPEN = "SELECT 1 FROM cache_entries WHERE id = ?1 AND finished_at IS NULL";
    KEEP_PART = "INSERT INTO cache_parts (entry_id, number, size_bytes, sha256)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (entry_id, number)
                 DO UPDATE SET size_bytes = excluded.size_bytes, sha256 = excluded.sha256";
    PARTS = "SELECT number, size_bytes, sha256 FROM cache_parts WHERE entry_id = ?1
             ORDER BY number";
    DROP_PARTS = "DELETE FROM cache_parts WHERE entry_id = ?1";
    ONE = concat!(select!(), " WHERE id = ?1");
    NAMED = concat!(select!(), " WHERE finished_at IS NOT NULL AND entry_type = ?1 AND key = ?2
            AND scope = ?3");
    OF_KEY = concat!(select!(), " WHERE finished_at IS NOT NULL AND entry_type = ?1 AND key = ?2
             ORDER BY scope");
    NEWEST = concat!(select!(), fitting!(), " ORDER BY finished_at DESC, id LIMIT 1");
    LIST = concat!(select!(), fitting!(), " AND (?6 IS NULL OR (key, scope) > (?6, ?7))
           ORDER BY key, scope LIMIT ?8");
    REPLACE = "DELETE FROM cache_entries WHERE finished_at IS NOT NULL AND entry_type = ?1
               AND key = ?2 AND scope = ?3 RETURNING id";
    COMPLETE = "UPDATE cache_entries SET size_bytes = ?2, title = ?3, finished_at = ?4,
                used_at = ?4 WHERE id = ?1";
    LAST_USED = "SELECT used_at FROM cache_entries WHERE id = ?1";
    TOUCH = "UPDATE cache_entries SET used_at = ?2 WHERE id = ?1 AND finished_at IS NOT NULL";
    DELETE = "DELETE FROM cache_entries WHERE id = ?1";
    AGED = concat!("SELECT id, ", bytes!(), aged!(), " ORDER BY used_at LIMIT ?3");
    AGED_AMOUNT = concat!("SELECT count(*), coalesce(sum(", bytes!(), "), 0)", aged!());
}

/// The id in a column.
pub(super) fn id(row: &Row<'_>, index: usize) -> rusqlite::Result<CacheEntryId> {
    let text = row.get_ref(index)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
    })
}

fn name(row: &Row<'_>) -> rusqlite::Result<CacheName> {
    Ok(CacheName {
        entry_type: row.get(1)?,
        key: row.get(2)?,
        scope: row.get(3)?,
    })
}

/// The row of a complete entry.
fn entry(row: &Row<'_>) -> rusqlite::Result<CacheEntry> {
    Ok(CacheEntry {
        id: id(row, 0)?,
        name: name(row)?,
        title: row.get(4)?,
        content_type: row.get(5)?,
        size_bytes: row.count(6)?,
        creator_id: UserId(row.get(7)?),
        created_at: row.col(9)?,
        used_at: row.col(10)?,
    })
}

/// The row of any entry; parts are added by the caller.
fn state(row: &Row<'_>) -> rusqlite::Result<CacheState> {
    if row.opt::<Timestamp>(9)?.is_some() {
        return entry(row).map(CacheState::Complete);
    }
    let upload = CacheUpload {
        id: id(row, 0)?,
        name: name(row)?,
        content_type: row.get(5)?,
        creator_id: UserId(row.get(7)?),
        created_at: row.col(8)?,
    };
    Ok(CacheState::Uploading(upload, Vec::new()))
}

fn create(
    session: &Session,
    upload: &CacheUpload,
    wants_to_be_alone: bool,
    stale_before: Timestamp,
) -> StoreResult<CacheCreation> {
    let conn = &session.conn;
    let CacheName {
        entry_type,
        key,
        scope,
    } = &upload.name;
    if conn
        .prepare_cached(IS_COMPLETE)?
        .exists((entry_type, key, scope))?
    {
        return Ok(CacheCreation::Exists);
    }
    if wants_to_be_alone
        && conn.prepare_cached(IS_IN_PROGRESS)?.exists((
            entry_type,
            key,
            scope,
            Col(stale_before),
        ))?
    {
        return Ok(CacheCreation::InProgress);
    }
    conn.prepare_cached(BEGIN)?.execute((
        upload.id.as_str(),
        entry_type,
        key,
        scope,
        &upload.content_type,
        upload.creator_id.0,
        Col(upload.created_at),
    ))?;
    Ok(CacheCreation::Created)
}

fn add_part(session: &Session, id: &CacheEntryId, part: CachePart) -> StoreResult<bool> {
    let conn = &session.conn;
    if !conn.prepare_cached(IS_OPEN)?.exists([id.as_str()])? {
        return Ok(false);
    }
    conn.prepare_cached(KEEP_PART)?.execute((
        id.as_str(),
        part.number,
        integer(part.size_bytes),
        part.sha256,
    ))?;
    Ok(true)
}

fn state_of(db: &Db<'_>, id: &CacheEntryId) -> StoreResult<Option<CacheState>> {
    let found = db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.as_str()], state)
        .optional()?;
    let Some(CacheState::Uploading(upload, mut parts)) = found else {
        return Ok(found);
    };
    let mut statement = db.conn.prepare_cached(PARTS)?;
    let rows = statement.query_map([id.as_str()], |row| {
        Ok(CachePart {
            number: row.get(0)?,
            size_bytes: row.count(1)?,
            sha256: row.get(2)?,
        })
    })?;
    for part in rows {
        parts.push(part?);
    }
    Ok(Some(CacheState::Uploading(upload, parts)))
}

fn complete(
    session: &Session,
    id: &CacheEntryId,
    size_bytes: u64,
    title: Option<&str>,
    now: Timestamp,
) -> StoreResult<Option<CacheCompletion>> {
    let upload = match state_of(&session.db(), id)? {
        Some(CacheState::Uploading(upload, _)) => upload,
        Some(CacheState::Complete(entry)) => {
            return Ok(Some(CacheCompletion {
                entry,
                replaced: None,
            }));
        }
        None => return Ok(None),
    };
    let conn = &session.conn;
    let CacheName {
        entry_type,
        key,
        scope,
    } = &upload.name;
    let replaced = conn
        .prepare_cached(REPLACE)?
        .query_row((entry_type, key, scope), |row| self::id(row, 0))
        .optional()?;
    conn.prepare_cached(COMPLETE)?
        .execute((id.as_str(), integer(size_bytes), title, Col(now)))?;
    conn.prepare_cached(DROP_PARTS)?.execute([id.as_str()])?;
    Ok(Some(CacheCompletion {
        entry: CacheEntry {
            id: upload.id,
            name: upload.name,
            title: title.map(str::to_owned),
            content_type: upload.content_type,
            size_bytes,
            creator_id: upload.creator_id,
            created_at: now,
            used_at: now,
        },
        replaced,
    }))
}

fn list(db: &Db<'_>, sql: &str, params: impl Params) -> StoreResult<Vec<CacheEntry>> {
    let mut statement = db.conn.prepare_cached(sql)?;
    let rows = statement.query_map(params, entry)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The first text behind all that begin with `prefix`; none when there is no such.
fn behind(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

fn delete_aged(
    session: &Session,
    unused_since: Option<Timestamp>,
    begun_before: Timestamp,
    limit: u32,
) -> StoreResult<Vec<AgedCacheEntry>> {
    let conn = &session.conn;
    let aged: Vec<AgedCacheEntry> = conn
        .prepare_cached(AGED)?
        .query_map((opt(unused_since), Col(begun_before), limit), |row| {
            Ok(AgedCacheEntry {
                id: id(row, 0)?,
                size_bytes: row.count(1)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    for one in &aged {
        conn.prepare_cached(DELETE)?.execute([one.id.as_str()])?;
    }
    Ok(aged)
}

impl crate::CacheEntries for SqliteStore {
    fn create_cache_upload(
        &self,
        upload: CacheUpload,
        wants_to_be_alone: bool,
        stale_before: Timestamp,
    ) -> Verb<'_, CacheCreation> {
        Box::pin(
            self.writer
                .write(move |session| create(session, &upload, wants_to_be_alone, stale_before)),
        )
    }

    fn add_cache_part(&self, id: CacheEntryId, part: CachePart) -> Verb<'_, bool> {
        Box::pin(
            self.writer
                .write(move |session| add_part(session, &id, part)),
        )
    }

    fn cache_state(&self, id: CacheEntryId) -> Verb<'_, Option<CacheState>> {
        Box::pin(async move { self.readers.read(|db| state_of(db, &id)) })
    }

    fn complete_cache_upload(
        &self,
        id: CacheEntryId,
        size_bytes: u64,
        title: Option<String>,
        now: Timestamp,
    ) -> Verb<'_, Option<CacheCompletion>> {
        Box::pin(
            self.writer
                .write(move |session| complete(session, &id, size_bytes, title.as_deref(), now)),
        )
    }

    fn cache_entry(&self, name: CacheName) -> Verb<'_, Option<CacheEntry>> {
        Box::pin(async move {
            let found = self.readers.read(|db| {
                let by = (&name.entry_type, &name.key, &name.scope);
                list(db, NAMED, by)
            })?;
            Ok(found.into_iter().next())
        })
    }

    fn newest_cache_entry(&self, search: CacheSearch) -> Verb<'_, Option<CacheEntry>> {
        Box::pin(async move {
            let found = self.readers.read(|db| {
                let by = (
                    &search.entry_type,
                    &search.key_prefix,
                    &search.scope,
                    search.creator_id.map(|id| id.0),
                    behind(&search.key_prefix),
                );
                list(db, NEWEST, by)
            })?;
            Ok(found.into_iter().next())
        })
    }

    fn cache_entries(
        &self,
        search: CacheSearch,
        after: Option<CachePosition>,
        limit: u32,
    ) -> Verb<'_, Vec<CacheEntry>> {
        Box::pin(async move {
            self.readers.read(|db| {
                let by = (
                    &search.entry_type,
                    &search.key_prefix,
                    &search.scope,
                    search.creator_id.map(|id| id.0),
                    behind(&search.key_prefix),
                    after.as_ref().map(|position| &position.key),
                    after.as_ref().map(|position| &position.scope),
                    limit,
                );
                list(db, LIST, by)
            })
        })
    }

    fn cache_entries_of_key(&self, entry_type: &str, key: &str) -> Verb<'_, Vec<CacheEntry>> {
        let (entry_type, key) = (entry_type.to_owned(), key.to_owned());
        Box::pin(async move {
            self.readers
                .read(|db| list(db, OF_KEY, (&entry_type, &key)))
        })
    }

    fn touch_cache_entry(&self, id: CacheEntryId, now: Timestamp) -> Verb<'_, ()> {
        Box::pin(async move {
            let last = self.readers.read(|db| {
                let mut statement = db.conn.prepare_cached(LAST_USED)?;
                Ok(statement
                    .query_row([id.as_str()], |row| row.col::<Timestamp>(0))
                    .optional()?)
            })?;
            if last.is_none_or(|last| last > now.minus(USED_EVERY)) {
                return Ok(());
            }
            self.writer
                .write(move |session| {
                    let mut statement = session.conn.prepare_cached(TOUCH)?;
                    statement.execute((id.as_str(), Col(now)))?;
                    Ok(())
                })
                .await
        })
    }

    fn delete_cache_entry(&self, id: CacheEntryId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let count = session
                .conn
                .prepare_cached(DELETE)?
                .execute([id.as_str()])?;
            Ok(count > 0)
        }))
    }

    fn delete_aged_cache_entries(
        &self,
        unused_since: Option<Timestamp>,
        begun_before: Timestamp,
        limit: u32,
    ) -> Verb<'_, Vec<AgedCacheEntry>> {
        Box::pin(
            self.writer
                .write(move |session| delete_aged(session, unused_since, begun_before, limit)),
        )
    }

    fn aged_cache_entries(
        &self,
        unused_since: Option<Timestamp>,
        begun_before: Timestamp,
    ) -> Verb<'_, Amount> {
        Box::pin(async move {
            self.readers.read(|db| {
                let mut statement = db.conn.prepare_cached(AGED_AMOUNT)?;
                let by = (opt(unused_since), Col(begun_before));
                Ok(statement.query_row(by, |row| {
                    Ok(Amount {
                        count: row.count(0)?,
                        bytes: row.count(1)?,
                    })
                })?)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::behind;

    #[rstest]
    #[case("", None)]
    #[case("patch/", Some("patch0"))]
    #[case("a\u{7f}", Some("a\u{80}"))]
    #[case("a\u{d7ff}", Some("a\u{e000}"))]
    #[case("a\u{10ffff}", Some("b"))]
    #[case("\u{10ffff}", None)]
    fn the_end_of_a_prefix_is_the_next_text(#[case] prefix: &str, #[case] end: Option<&str>) {
        assert_eq!(behind(prefix).as_deref(), end);
    }
}
