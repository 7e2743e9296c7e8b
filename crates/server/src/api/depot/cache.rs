//! `depot.cache.v1.CacheService`: files that clients keep under names of their own.
//! `depot ci run` uploads the patch of local changes over it; the content itself
//! goes over [`links`].
//!
//! Who knows the name of an entry may read it, as in one organisation of Depot's.
//! Searching by a part of the name shows people what they made themselves, and
//! administrators everything.

pub mod links;

use std::sync::Arc;

use connectrpc::{RequestContext, Response, Router, ServiceRequest, ServiceResult};
use tappet_model::UserId;
use tappet_rpc::depot::cache::v1::list_entries_response::Entry;
use tappet_rpc::depot::cache::v1::{
    CacheService, CacheServiceExt, CheckEntriesRequest, CheckEntriesResponse, CheckEntryResult,
    CreateEntryRequest, CreateEntryResponse, DeleteEntryRequest, DeleteEntryResponse,
    FetchMorePresignedURLsRequest, FetchMorePresignedURLsResponse, FinalizeEntryRequest,
    FinalizeEntryResponse, GetBundleRequest, GetBundleResponse, GetDownloadURLByPrefixRequest,
    GetDownloadURLByPrefixResponse, GetDownloadURLRequest, GetDownloadURLResponse,
    ListEntriesRequest, ListEntriesResponse,
};
use tappet_store::{CacheEntry, CacheEntryId, CacheName, CachePosition, CacheSearch, CacheState};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::{moment, page_token};
use crate::app::SharedApp;
use crate::cache::{CacheRefusal, Link, PART_LIMIT};
use crate::clock;

/// Entries of a page when nothing else is asked for.
const PAGE_SIZE: u32 = 100;
/// Entries of a page at most.
const PAGE_SIZE_LIMIT: u32 = 1000;
/// Links given out at once.
const LINKS_AT_ONCE: i32 = 100;
/// Keys looked up at once.
const KEYS_AT_ONCE: usize = 1000;

/// The service.
pub struct Cache {
    app: SharedApp,
}

/// Mounts it.
pub fn register(app: &SharedApp, services: Router) -> Router {
    Arc::new(Cache { app: app.clone() }).register(services)
}

impl From<CacheRefusal> for RpcError {
    fn from(refusal: CacheRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            CacheRefusal::Invalid(_) => Self::invalid(message),
            CacheRefusal::NoUpload => Self::not_found(message),
            CacheRefusal::Exists => Self::already_exists(message),
            CacheRefusal::InProgress => Self::failed_precondition(message),
            CacheRefusal::TooLarge(_) => Self::exhausted(message),
            CacheRefusal::Store(error) => error.into(),
            CacheRefusal::Io(error) => Self::internal("keep a cached file", &error),
        }
    }
}

/// Who reads: a job, or somebody with a token that reads.
fn reader(ctx: &RequestContext) -> RpcResult<Arc<Caller>> {
    let caller = Caller::any(ctx)?;
    match caller.job() {
        Some(_) => Ok(caller),
        None => Caller::reading(ctx),
    }
}

/// Whose entries a search shows; `None`: everybody's.
fn shown(caller: &Caller) -> Option<UserId> {
    let sees_all = caller.user.is_admin && caller.job().is_none();
    (!sees_all).then_some(caller.user.id)
}

fn named(entry_type: &str, key: &str, scope: &str) -> CacheName {
    CacheName {
        entry_type: entry_type.to_owned(),
        key: key.to_owned(),
        scope: scope.to_owned(),
    }
}

fn require(what: &str, text: &str) -> RpcResult<()> {
    if text.is_empty() {
        return Err(RpcError::invalid(format!("{what} is required")));
    }
    Ok(())
}

fn read_id(text: &str) -> RpcResult<CacheEntryId> {
    require("entry_id", text)?;
    text.parse().map_err(|_| CacheRefusal::NoUpload.into())
}

fn no_entry() -> RpcError {
    RpcError::not_found("there is no entry of this type and key")
}

fn size(entry: &CacheEntry) -> i64 {
    i64::try_from(entry.size_bytes).unwrap_or(i64::MAX)
}

/// An ETag as it was answered, with or without quotes.
fn read_etag(etag: &str) -> RpcResult<[u8; 32]> {
    let hex = etag.trim_matches('"');
    let digit = |at: usize| char::from(*hex.as_bytes().get(at)?).to_digit(16);
    let byte = |at: usize| {
        let byte = digit(2 * at)? << 4 | digit(2 * at + 1)?;
        u8::try_from(byte).ok()
    };
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    let digest = bytes.filter(|_| hex.len() == 64);
    let digest = digest.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    digest.ok_or_else(|| {
        RpcError::invalid(format!(
            "`{etag}` is not the ETag of an uploaded part: send those that the uploads were \
             answered with"
        ))
    })
}

/// Where the next page begins, as text.
fn position_text(entry: &CacheEntry) -> String {
    let position = (&entry.name.key, &entry.name.scope);
    let json = serde_json::to_vec(&position).expect("two texts are always valid JSON");
    json.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_position(token: &str) -> RpcResult<Option<CachePosition>> {
    if token.is_empty() {
        return Ok(None);
    }
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    let json: Option<Vec<u8>> = token.as_bytes().chunks(2).map(byte).collect();
    let position = json.and_then(|json| serde_json::from_slice(&json).ok());
    match position {
        Some((key, scope)) => Ok(Some(CachePosition { key, scope })),
        None => Err(RpcError::invalid(
            "page_token is none that this list gave out; leave it out to begin again",
        )),
    }
}

impl Cache {
    fn upload_link(&self, entry: &CacheEntryId, part: u32) -> String {
        let entry = entry.clone();
        self.app.signed_link(&Link::Upload { entry, part })
    }

    /// A link to an entry, which counts as a use of it.
    async fn download_link(&self, entry: &CacheEntry) -> RpcResult<String> {
        let id = entry.id.clone();
        self.app.store.touch_cache_entry(id, clock::now()).await?;
        Ok(self.app.signed_link(&Link::Download(entry.id.clone())))
    }
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl CacheService for Cache {
    async fn create_entry(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, CreateEntryRequest>,
    ) -> ServiceResult<CreateEntryResponse> {
        let caller = Caller::writing(&ctx)?;
        let scope = request.scope.unwrap_or_default();
        let name = named(request.entry_type, request.key, scope);
        let content_type = request.content_type.map(str::to_owned);
        let alone = request.fail_if_upload_in_progress;
        let id = self
            .app
            .begin_cache_upload(caller.user.id, name, content_type, alone)
            .await
            .map_err(RpcError::from)?;
        Response::ok(CreateEntryResponse {
            upload_part_urls: vec![self.upload_link(&id, 1)],
            entry_id: id.to_string(),
        })
    }

    async fn fetch_more_presigned_ur_ls(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, FetchMorePresignedURLsRequest>,
    ) -> ServiceResult<FetchMorePresignedURLsResponse> {
        let caller = Caller::writing(&ctx)?;
        let id = read_id(request.entry_id)?;
        match self
            .app
            .store
            .cache_state(id.clone())
            .await
            .map_err(RpcError::from)?
        {
            Some(CacheState::Uploading(upload, _)) if upload.creator_id == caller.user.id => {}
            _ => return Err(RpcError::from(CacheRefusal::NoUpload).into()),
        }
        let first = u32::try_from(request.next_part).unwrap_or(0);
        let count = u32::try_from(request.count.min(LINKS_AT_ONCE)).unwrap_or(0);
        if first == 0 || count == 0 || first + count - 1 > PART_LIMIT {
            return Err(RpcError::invalid(format!(
                "next_part and count must be parts from 1 to {PART_LIMIT}, at least one of them"
            ))
            .into());
        }
        let parts = first..first + count;
        Response::ok(FetchMorePresignedURLsResponse {
            upload_part_urls: parts.map(|part| self.upload_link(&id, part)).collect(),
        })
    }

    async fn finalize_entry(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, FinalizeEntryRequest>,
    ) -> ServiceResult<FinalizeEntryResponse> {
        let caller = Caller::writing(&ctx)?;
        let request = request.to_owned_message();
        if !request.children.is_empty() || !request.segments.is_empty() {
            return Err(no_bundles().into());
        }
        let id = read_id(&request.entry_id)?;
        let size_bytes = u64::try_from(request.size_bytes)
            .map_err(|_| RpcError::invalid("size_bytes must not be negative"))?;
        let digests = request
            .upload_part_etags
            .iter()
            .map(|etag| read_etag(etag))
            .collect::<RpcResult<Vec<_>>>()?;
        let entry = self
            .app
            .complete_cache_upload(caller.user.id, &id, size_bytes, &digests, request.name)
            .await
            .map_err(RpcError::from)?;
        Response::ok(FinalizeEntryResponse {
            created_at: moment::message(entry.created_at).into(),
            id: Some(entry.id.to_string()),
        })
    }

    async fn get_download_url(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetDownloadURLRequest>,
    ) -> ServiceResult<GetDownloadURLResponse> {
        reader(&ctx)?;
        require("entry_type", request.entry_type)?;
        require("key", request.key)?;
        let name = named(request.entry_type, request.key, "");
        let found = self.app.store.cache_entry(name).await;
        let entry = found.map_err(RpcError::from)?.ok_or_else(no_entry)?;
        Response::ok(GetDownloadURLResponse {
            url: self.download_link(&entry).await?,
            size_bytes: size(&entry),
            name: entry.title,
        })
    }

    async fn get_download_url_by_prefix(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetDownloadURLByPrefixRequest>,
    ) -> ServiceResult<GetDownloadURLByPrefixResponse> {
        let caller = reader(&ctx)?;
        require("entry_type", request.entry_type)?;
        require("key_prefixes", request.key_prefixes)?;
        let scope = request.scope.unwrap_or_default();
        for prefix in request.key_prefixes.split(',').map(str::trim) {
            if prefix.is_empty() {
                continue;
            }
            let search = CacheSearch {
                entry_type: request.entry_type.to_owned(),
                key_prefix: prefix.to_owned(),
                scope: Some(scope.to_owned()),
                creator_id: shown(&caller),
            };
            let found = self.app.store.newest_cache_entry(search).await;
            if let Some(entry) = found.map_err(RpcError::from)? {
                return Response::ok(GetDownloadURLByPrefixResponse {
                    url: self.download_link(&entry).await?,
                    size_bytes: size(&entry),
                    name: entry.title,
                    matched_key: entry.name.key,
                });
            }
        }
        Err(RpcError::not_found("no key of an entry begins with one of these prefixes").into())
    }

    async fn check_entries(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, CheckEntriesRequest>,
    ) -> ServiceResult<CheckEntriesResponse> {
        reader(&ctx)?;
        require("entry_type", request.entry_type)?;
        let CheckEntriesRequest { entry_type, keys } = request.to_owned_message();
        if keys.len() > KEYS_AT_ONCE {
            return Err(RpcError::invalid(format!(
                "{} keys are more than {KEYS_AT_ONCE} at once",
                keys.len()
            ))
            .into());
        }
        let mut entries = Vec::with_capacity(keys.len());
        for key in keys {
            let found = self.app.store.cache_entry(named(&entry_type, &key, ""));
            let found = found.await.map_err(RpcError::from)?.is_some();
            entries.push(CheckEntryResult { key, found });
        }
        Response::ok(CheckEntriesResponse { entries })
    }

    async fn get_bundle(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, GetBundleRequest>,
    ) -> ServiceResult<GetBundleResponse> {
        reader(&ctx)?;
        Err(no_bundles().into())
    }

    async fn delete_entry(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, DeleteEntryRequest>,
    ) -> ServiceResult<DeleteEntryResponse> {
        let caller = Caller::writing(&ctx)?;
        require("entry_type", request.entry_type)?;
        require("key", request.key)?;
        let found = self
            .app
            .store
            .cache_entries_of_key(request.entry_type, request.key);
        let found = found.await.map_err(RpcError::from)?;
        if found.is_empty() {
            return Err(no_entry().into());
        }
        let is_own = |entry: &CacheEntry| shown(&caller).is_none_or(|id| entry.creator_id == id);
        if !found.iter().all(is_own) {
            return Err(RpcError::denied(
                "this entry was made by somebody else: ask them or an administrator",
            )
            .into());
        }
        for entry in found {
            let gone = self.app.delete_cache_entry(&entry.id).await;
            gone.map_err(RpcError::from)?;
        }
        Response::ok(DeleteEntryResponse {})
    }

    async fn list_entries(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ListEntriesRequest>,
    ) -> ServiceResult<ListEntriesResponse> {
        let caller = Caller::reading(&ctx)?;
        require("entry_type", request.entry_type)?;
        let limit = page_token::size(request.page_size, PAGE_SIZE, PAGE_SIZE_LIMIT)?;
        let after = read_position(request.page_token)?;
        let search = CacheSearch {
            entry_type: request.entry_type.to_owned(),
            key_prefix: request.key_prefix.to_owned(),
            scope: None,
            creator_id: shown(&caller),
        };
        let found = self.app.store.cache_entries(search, after, limit + 1).await;
        let mut entries = found.map_err(RpcError::from)?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = entries.len() > wanted;
        entries.truncate(wanted);
        let last = entries.last().filter(|_| has_more);
        Response::ok(ListEntriesResponse {
            next_page_token: last.map(position_text).unwrap_or_default(),
            entry_ids: entries.into_iter().map(message).collect(),
        })
    }
}

fn message(entry: CacheEntry) -> Entry {
    Entry {
        size_bytes: size(&entry),
        key: entry.name.key,
        name: entry.title,
        created_at: moment::message(entry.created_at).into(),
    }
}

fn no_bundles() -> RpcError {
    RpcError::unimplemented(
        "this server keeps no bundles: entries have neither children nor segments here",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&"ab".repeat(32), true)]
    #[case(&format!("\"{}\"", "ab".repeat(32)), true)]
    #[case(&"ab".repeat(31), false)]
    #[case(&"ab".repeat(33), false)]
    #[case(&"zz".repeat(32), false)]
    #[case("", false)]
    fn an_etag_is_a_digest_in_quotes_or_not(#[case] etag: &str, #[case] good: bool) {
        assert_eq!(read_etag(etag).ok(), good.then_some([0xab; 32]));
    }

    #[rstest]
    #[case("zz")]
    #[case("5b")]
    #[case("é")]
    fn a_page_token_of_elsewhere_is_refused(#[case] token: &str) {
        assert!(read_position(token).is_err());
    }
}
