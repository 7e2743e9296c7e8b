//! Files that clients keep here under names of their own, such as the patches of
//! `depot ci run`: uploaded in parts over signed links, found again by name.
//!
//! The store knows names and sizes, [`CacheFiles`] keeps the content. Rows go
//! before files, and files come before rows: a name that is found has its content.

mod files;
mod links;

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::Stream;
use tappet_model::{Timestamp, UserId};
use tappet_store::{
    Amount, CacheCreation, CacheEntry, CacheEntryId, CacheName, CachePart, CacheState, CacheUpload,
    StoreError, StoreResult,
};

use crate::app::App;
use crate::clock;
use crate::incoming_files::WriteError;
use crate::secrets::new_hex_token;

pub use files::CacheFiles;
pub use links::{BadLink, Link};

/// An upload that takes longer counts as given up.
pub const UPLOAD_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Parts of one upload (S3 allows as many).
pub const PART_LIMIT: u32 = 10_000;
/// Of each word of a name, in bytes.
const WORD_LIMIT: usize = 1024;
/// Entries removed in one transaction.
const BATCH: u32 = 100;

/// Why something was not done with a cached file.
#[derive(Debug, thiserror::Error)]
pub enum CacheRefusal {
    /// What was sent cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// No such upload or entry.
    #[error("there is no such upload: begin another one")]
    NoUpload,
    /// The name is taken.
    #[error("there is an entry of this type and key already")]
    Exists,
    /// Somebody else uploads it just now.
    #[error("an upload under this type and key is in progress: wait until it is complete")]
    InProgress,
    /// More bytes than allowed.
    #[error(
        "the entry is larger than the limit of {0} bytes: ask the administrator to raise limits.cache_entry_bytes"
    )]
    TooLarge(u64),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk.
    #[error("cannot keep a cached file: {0}")]
    Io(#[from] io::Error),
}

impl App {
    /// Opens an upload. `wants_to_be_alone`: not while another one of this name is
    /// under way.
    ///
    /// # Errors
    /// See [`CacheRefusal`].
    pub async fn begin_cache_upload(
        &self,
        creator: UserId,
        name: CacheName,
        content_type: Option<String>,
        wants_to_be_alone: bool,
    ) -> Result<CacheEntryId, CacheRefusal> {
        check_name(&name)?;
        let now = clock::now();
        let id: CacheEntryId = new_hex_token().parse().expect("such a token is such an id");
        let upload = CacheUpload {
            id: id.clone(),
            name,
            content_type,
            creator_id: creator,
            created_at: now,
        };
        let stale_before = now.minus(UPLOAD_LIFE);
        let created = self
            .store
            .create_cache_upload(upload, wants_to_be_alone, stale_before)
            .await?;
        match created {
            CacheCreation::Created => Ok(id),
            CacheCreation::Exists => Err(CacheRefusal::Exists),
            CacheCreation::InProgress => Err(CacheRefusal::InProgress),
        }
    }

    /// Takes a part of an upload; gives the digest of its content.
    ///
    /// # Errors
    /// See [`WriteError`]; a store or upload that refuses stands as `Io`.
    pub async fn receive_cache_part<E>(
        &self,
        id: &CacheEntryId,
        number: u32,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Option<[u8; 32]>, WriteError<E>> {
        let received = self.cache_files.receive(body).await?;
        let part = CachePart {
            number,
            size_bytes: received.size_bytes,
            sha256: received.sha256,
        };
        self.cache_files.keep_part(id, number, received).await?;
        let noted = self.store.add_cache_part(id.clone(), part).await;
        if noted.map_err(io::Error::other)? {
            return Ok(Some(part.sha256));
        }
        self.cache_files.delete_part(id, number).await?;
        Ok(None)
    }

    /// Puts the parts of an upload together; the entry is found from then on, and
    /// its content outlives a crash. `digests` are those that the parts' uploads
    /// were answered with, in order.
    ///
    /// # Errors
    /// See [`CacheRefusal`].
    pub async fn complete_cache_upload(
        &self,
        creator: UserId,
        id: &CacheEntryId,
        size_bytes: u64,
        digests: &[[u8; 32]],
        title: Option<String>,
    ) -> Result<CacheEntry, CacheRefusal> {
        let parts = match self.store.cache_state(id.clone()).await? {
            Some(CacheState::Complete(entry)) if entry.creator_id == creator => {
                return Ok(entry);
            }
            Some(CacheState::Uploading(upload, parts)) if upload.creator_id == creator => parts,
            _ => return Err(CacheRefusal::NoUpload),
        };
        check_parts(&parts, digests, size_bytes)?;
        let limit = self.config.limits.cache_entry_bytes;
        if size_bytes > limit {
            return Err(CacheRefusal::TooLarge(limit));
        }
        self.cache_files.assemble(id, parts.len()).await?;
        let done = self
            .store
            .complete_cache_upload(id.clone(), size_bytes, title, clock::now())
            .await?;
        let done = done.ok_or(CacheRefusal::NoUpload)?;
        self.delete_cache_files(id, Leave::Content).await;
        if let Some(replaced) = &done.replaced {
            self.delete_cache_files(replaced, Leave::Nothing).await;
        }
        Ok(done.entry)
    }

    /// The content of a complete entry without scope, which counts as a use of it.
    ///
    /// # Errors
    /// The database or the disk.
    pub async fn read_cache(
        &self,
        entry_type: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, CacheRefusal> {
        let name = CacheName {
            entry_type: entry_type.to_owned(),
            key: key.to_owned(),
            scope: String::new(),
        };
        let Some(entry) = self.store.cache_entry(name).await? else {
            return Ok(None);
        };
        let content = self.cache_files.read(&entry.id).await?;
        let touched = self.store.touch_cache_entry(entry.id, clock::now()).await;
        touched?;
        Ok(Some(content))
    }

    /// Forgets an entry and removes its content.
    ///
    /// # Errors
    /// The database.
    pub async fn delete_cache_entry(&self, id: &CacheEntryId) -> StoreResult<bool> {
        let was_there = self.store.delete_cache_entry(id.clone()).await?;
        self.delete_cache_files(id, Leave::Nothing).await;
        Ok(was_there)
    }

    /// Removes entries that nobody used for as long as `life`, and uploads that
    /// nobody finished.
    ///
    /// # Errors
    /// The database.
    pub async fn delete_aged_cache(
        &self,
        life: Option<Duration>,
        now: Timestamp,
    ) -> StoreResult<Amount> {
        let unused_since = life.map(|life| now.minus(life));
        let mut amount = Amount::default();
        loop {
            let gone = self
                .store
                .delete_aged_cache_entries(unused_since, now.minus(UPLOAD_LIFE), BATCH)
                .await?;
            for one in &gone {
                amount.count += 1;
                amount.bytes += one.size_bytes;
                self.delete_cache_files(&one.id, Leave::Nothing).await;
            }
            if gone.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(amount);
            }
        }
    }

    async fn delete_cache_files(&self, id: &CacheEntryId, leave: Leave) {
        let deleted = match leave {
            Leave::Content => self.cache_files.delete_parts(id).await,
            Leave::Nothing => self.cache_files.delete(id).await,
        };
        if let Err(error) = deleted {
            tracing::warn!(entry = %id, %error, "cannot remove a cached file");
        }
    }
}

/// What stays of an entry's files.
#[derive(Clone, Copy)]
enum Leave {
    Content,
    Nothing,
}

fn check_name(name: &CacheName) -> Result<(), CacheRefusal> {
    for (what, word) in [
        ("entry_type", &name.entry_type),
        ("key", &name.key),
        ("scope", &name.scope),
    ] {
        let problem = if word.is_empty() && what != "scope" {
            "is required"
        } else if word.len() > WORD_LIMIT {
            "is longer than 1024 bytes"
        } else if word.contains(|letter: char| letter.is_control()) {
            "holds control characters"
        } else {
            continue;
        };
        return Err(CacheRefusal::Invalid(format!("{what} {problem}")));
    }
    Ok(())
}

/// Whether exactly the parts that the client counted have arrived.
fn check_parts(
    parts: &[CachePart],
    digests: &[[u8; 32]],
    size_bytes: u64,
) -> Result<(), CacheRefusal> {
    let problem = if parts.is_empty() {
        "no part was uploaded: send the content to an upload URL first".to_owned()
    } else if let Some((number, _)) = (1..)
        .zip(parts)
        .find(|(number, part)| part.number != *number)
    {
        format!("part {number} was not uploaded")
    } else if parts.len() != digests.len() {
        format!(
            "{} part ETags were sent for {} parts",
            digests.len(),
            parts.len()
        )
    } else if let Some((part, _)) = parts
        .iter()
        .zip(digests)
        .find(|(part, digest)| part.sha256 != **digest)
    {
        format!(
            "the ETag of part {} is not the one of its upload",
            part.number
        )
    } else {
        let received: u64 = parts.iter().map(|part| part.size_bytes).sum();
        if received == size_bytes {
            return Ok(());
        }
        format!("size_bytes is {size_bytes}, but {received} bytes were uploaded")
    };
    Err(CacheRefusal::Invalid(problem))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn part(number: u32, size_bytes: u64) -> CachePart {
        CachePart {
            number,
            size_bytes,
            sha256: [u8::try_from(number).unwrap(); 32],
        }
    }

    #[rstest]
    #[case::one(&[part(1, 5)], &[[1; 32]], 5, "")]
    #[case::several(&[part(1, 5), part(2, 6)], &[[1; 32], [2; 32]], 11, "")]
    #[case::none(&[], &[], 0, "no part was uploaded")]
    #[case::a_hole(&[part(1, 5), part(3, 6)], &[[1; 32], [3; 32]], 11, "part 2 was not uploaded")]
    #[case::too_few_etags(&[part(1, 5), part(2, 6)], &[[1; 32]], 11, "1 part ETags were sent for 2 parts")]
    #[case::another_etag(&[part(1, 5)], &[[9; 32]], 5, "the ETag of part 1")]
    #[case::another_size(&[part(1, 5)], &[[1; 32]], 6, "size_bytes is 6, but 5 bytes")]
    fn the_parts_have_to_be_those_that_were_counted(
        #[case] parts: &[CachePart],
        #[case] digests: &[[u8; 32]],
        #[case] size_bytes: u64,
        #[case] problem: &str,
    ) {
        let checked = check_parts(parts, digests, size_bytes);
        let text = checked
            .err()
            .map_or(String::new(), |error| error.to_string());
        assert_eq!(text.is_empty(), problem.is_empty(), "{text}");
        assert!(text.starts_with(problem), "{text}");
    }
}
