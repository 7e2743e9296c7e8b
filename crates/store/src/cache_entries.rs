//! Files that clients keep under a name of their own, such as patches of local
//! changes. The store knows names, sizes and parts; the content lies in files.

use std::fmt;
use std::str::FromStr;

use tappet_model::{Timestamp, UserId};

use crate::{Amount, Verb};

/// An entry's id: 30 hex digits that nobody can foresee and nothing else gets
/// later. Files are named by it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CacheEntryId(String);

impl CacheEntryId {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CacheEntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is no id of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an entry id is 30 hexadecimal digits, in lower case")]
pub struct NotACacheEntryId;

impl FromStr for CacheEntryId {
    type Err = NotACacheEntryId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 30 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotACacheEntryId)
        }
    }
}

/// What a client calls an entry.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CacheName {
    /// Kind of content, e.g. `generic`.
    pub entry_type: String,
    /// Name in its kind.
    pub key: String,
    /// Entries of different scopes do not see each other; empty for most.
    pub scope: String,
}

/// An entry whose content is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheEntry {
    /// Random, never used twice.
    pub id: CacheEntryId,
    /// What it is found by.
    pub name: CacheName,
    /// For people.
    pub title: Option<String>,
    /// Media type, as the client said.
    pub content_type: Option<String>,
    /// Of the content.
    pub size_bytes: u64,
    /// Who made it.
    pub creator_id: UserId,
    /// When its content was complete.
    pub created_at: Timestamp,
    /// When it was last read, roughly.
    pub used_at: Timestamp,
}

/// An entry whose content is on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheUpload {
    /// The id that the entry will have.
    pub id: CacheEntryId,
    /// What the entry will be found by.
    pub name: CacheName,
    /// Media type.
    pub content_type: Option<String>,
    /// Who uploads.
    pub creator_id: UserId,
    /// When it began.
    pub created_at: Timestamp,
}

/// One part of an upload that has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CachePart {
    /// From 1.
    pub number: u32,
    /// Of its content.
    pub size_bytes: u64,
    /// Of its content.
    pub sha256: [u8; 32],
}

/// What an entry id stands for now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CacheState {
    /// Being uploaded, with the parts that have arrived, in order.
    Uploading(CacheUpload, Vec<CachePart>),
    /// Complete.
    Complete(CacheEntry),
}

/// How the wish to upload went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheCreation {
    /// Parts may come.
    Created,
    /// The name has a complete entry.
    Exists,
    /// Somebody else uploads under this name, and the caller wanted to know.
    InProgress,
}

/// What was completed, and what it replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheCompletion {
    /// As it is now.
    pub entry: CacheEntry,
    /// An earlier entry of the same name; its file can go.
    pub replaced: Option<CacheEntryId>,
}

/// Which complete entries are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheSearch {
    /// Kind of content.
    pub entry_type: String,
    /// With which the key begins.
    pub key_prefix: String,
    /// Of this scope only.
    pub scope: Option<String>,
    /// Made by this person.
    pub creator_id: Option<UserId>,
}

/// Where a page of a list ended: key, scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CachePosition {
    /// Of the last entry.
    pub key: String,
    /// Of the last entry.
    pub scope: String,
}

/// Verbs about cached files.
pub trait CacheEntries {
    /// Opens an upload. `wants_to_be_alone`: not while another one is open under
    /// the same name since `stale_before`.
    fn create_cache_upload(
        &self,
        upload: CacheUpload,
        wants_to_be_alone: bool,
        stale_before: Timestamp,
    ) -> Verb<'_, CacheCreation>;
    /// Notes a part; one that came before under its number is replaced. `false`
    /// when the upload is over or unknown.
    fn add_cache_part(&self, id: CacheEntryId, part: CachePart) -> Verb<'_, bool>;
    /// What an id stands for.
    fn cache_state(&self, id: CacheEntryId) -> Verb<'_, Option<CacheState>>;
    /// The content is complete and on the disk: the entry is found from now on.
    /// `None` when the upload is unknown; completing it again changes nothing.
    fn complete_cache_upload(
        &self,
        id: CacheEntryId,
        size_bytes: u64,
        title: Option<String>,
        now: Timestamp,
    ) -> Verb<'_, Option<CacheCompletion>>;
    /// A complete entry of this name.
    fn cache_entry(&self, name: CacheName) -> Verb<'_, Option<CacheEntry>>;
    /// The newest complete entry that fits.
    fn newest_cache_entry(&self, search: CacheSearch) -> Verb<'_, Option<CacheEntry>>;
    /// Complete entries that fit, by key and scope, after a position.
    fn cache_entries(
        &self,
        search: CacheSearch,
        after: Option<CachePosition>,
        limit: u32,
    ) -> Verb<'_, Vec<CacheEntry>>;
    /// Notes that an entry was read; at most one write an hour for each.
    fn touch_cache_entry(&self, id: CacheEntryId, now: Timestamp) -> Verb<'_, ()>;
    /// Complete entries of a type and key, whatever their scope.
    fn cache_entries_of_key(&self, entry_type: &str, key: &str) -> Verb<'_, Vec<CacheEntry>>;
    /// Forgets an entry or an upload; `false` when it is gone already.
    fn delete_cache_entry(&self, id: CacheEntryId) -> Verb<'_, bool>;
    /// Forgets entries that nobody read since `unused_since` and uploads that began
    /// before `begun_before`, at most `limit`; the caller removes the files.
    fn delete_aged_cache_entries(
        &self,
        unused_since: Option<Timestamp>,
        begun_before: Timestamp,
        limit: u32,
    ) -> Verb<'_, Vec<AgedCacheEntry>>;
    /// What [`CacheEntries::delete_aged_cache_entries`] would forget in all.
    fn aged_cache_entries(
        &self,
        unused_since: Option<Timestamp>,
        begun_before: Timestamp,
    ) -> Verb<'_, Amount>;
}

/// An entry or upload that was forgotten for its age.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgedCacheEntry {
    /// Which.
    pub id: CacheEntryId,
    /// Bytes of its files.
    pub size_bytes: u64,
}
