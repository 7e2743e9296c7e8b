//! `depot.cache.v1.CacheService`: uploads in parts over signed links.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tappet_server::backup;
use tappet_server::retention::{Mode, sweep};
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestServer};

use super::{code, done, refusal, rpc};

fn method(name: &str) -> String {
    format!("depot.cache.v1.CacheService/{name}")
}

async fn cache(server: &TestServer, name: &str, body: Value) -> Value {
    done(server, &method(name), &body).await
}

async fn refused(server: &TestServer, token: &str, name: &str, body: Value) -> (u16, String) {
    refusal(&rpc(server, token, &method(name), &body).await)
}

/// The path and query of an address on this server.
fn path<'a>(server: &TestServer, url: &'a str) -> &'a str {
    url.strip_prefix(&server.url())
        .unwrap_or_else(|| panic!("{url} is an address of {}", server.url()))
}

async fn put(server: &TestServer, url: &str, content: &[u8]) -> TestReply {
    let request = server.request("PUT", path(server, url));
    let request = request.body("application/octet-stream", content.to_vec());
    request.send().await
}

async fn create(server: &TestServer, key: &str) -> Value {
    let body = json!({ "entryType": "generic", "key": key });
    cache(server, "CreateEntry", body).await
}

/// Uploads in one part; the ETag as it was answered.
async fn upload(server: &TestServer, created: &Value, content: &[u8]) -> String {
    let url = created["uploadPartUrls"][0].as_str().unwrap();
    let reply = put(server, url, content).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("etag").to_owned()
}

async fn finalize(server: &TestServer, created: &Value, etag: &str, size: usize) -> Value {
    let body = json!({
        "entryId": created["entryId"], "sizeBytes": size.to_string(), "uploadPartEtags": [etag],
    });
    cache(server, "FinalizeEntry", body).await
}

/// Everything that the CLI does with a patch.
async fn keep(server: &TestServer, key: &str, content: &[u8]) -> Value {
    let created = create(server, key).await;
    let etag = upload(server, &created, content).await;
    finalize(server, &created, etag.trim_matches('"'), content.len()).await
}

async fn fetch(server: &TestServer, key: &str) -> TestReply {
    let body = json!({ "entry_type": "generic", "key": key });
    let found = cache(server, "GetDownloadURL", body).await;
    let url = found["url"].as_str().unwrap();
    server.get(path(server, url)).send().await
}

#[tokio::test]
async fn an_entry_is_uploaded_completed_and_fetched() {
    let server = TestServer::start().await;
    let created = create(&server, "a key").await;
    let etag = upload(&server, &created, b"content").await;
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    let body = json!({ "entryType": "generic", "key": "a key" });
    let early = refused(&server, ROOT_TOKEN, "GetDownloadURL", body.clone()).await;
    assert_eq!(early, code(404, "not_found"));
    let finished = finalize(&server, &created, &etag, 7).await;
    assert_eq!(finished["id"], created["entryId"]);
    assert!(finished["createdAt"].is_string());
    let found = cache(&server, "GetDownloadURL", body.clone()).await;
    assert_eq!(found["sizeBytes"], "7");
    let fetched = fetch(&server, "a key").await;
    assert_eq!((fetched.status, &fetched.body[..]), (200, &b"content"[..]));
    assert_eq!(fetched.header("content-disposition"), "attachment");
    assert_eq!(fetched.header("x-content-type-options"), "nosniff");
    let again = refused(&server, ROOT_TOKEN, "CreateEntry", body).await;
    assert_eq!(again, code(409, "already_exists"));
    let twice = finalize(&server, &created, &etag, 7).await;
    assert_eq!(twice["createdAt"], finished["createdAt"]);
}

#[tokio::test]
async fn several_parts_become_one_file() {
    let server = TestServer::start().await;
    let created = create(&server, "large").await;
    let more = json!({ "entryId": created["entryId"], "nextPart": 2, "count": 2 });
    let more = cache(&server, "FetchMorePresignedURLs", more).await;
    let mut urls = vec![created["uploadPartUrls"][0].clone()];
    urls.extend(more["uploadPartUrls"].as_array().cloned().unwrap());
    assert_eq!(urls.len(), 3);
    let mut etags = Vec::new();
    for (url, content) in urls.iter().zip(["one,", "two,", "three"]) {
        let reply = put(&server, url.as_str().unwrap(), content.as_bytes()).await;
        etags.push(reply.header("etag").to_owned());
    }
    let body = json!({
        "entryId": created["entryId"], "sizeBytes": "13", "uploadPartEtags": etags, "name": "n",
    });
    cache(&server, "FinalizeEntry", body).await;
    assert_eq!(fetch(&server, "large").await.text(), "one,two,three");
}

#[rstest]
#[case::another_size(json!({ "sizeBytes": "8" }), 400, "invalid_argument")]
#[case::no_etags(json!({ "uploadPartEtags": [] }), 400, "invalid_argument")]
#[case::no_digest(json!({ "uploadPartEtags": ["x"] }), 400, "invalid_argument")]
#[case::another_digest(json!({ "uploadPartEtags": ["00".repeat(32)] }), 400, "invalid_argument")]
#[case::negative_size(json!({ "sizeBytes": "-1" }), 400, "invalid_argument")]
#[case::unknown(json!({ "entryId": "0".repeat(30) }), 404, "not_found")]
#[case::no_id(json!({ "entryId": "" }), 400, "invalid_argument")]
#[case::a_bundle(json!({ "children": [{ "key": "x" }] }), 501, "unimplemented")]
#[tokio::test]
async fn an_upload_is_completed_only_as_it_was_counted(
    #[case] change: Value,
    #[case] status: u16,
    #[case] word: &str,
) {
    let server = TestServer::start().await;
    let created = create(&server, "k").await;
    let etag = upload(&server, &created, b"content").await;
    let mut body = json!({
        "entryId": created["entryId"], "sizeBytes": "7", "uploadPartEtags": [etag],
    });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let found = refused(&server, ROOT_TOKEN, "FinalizeEntry", body).await;
    assert_eq!(found, code(status, word));
}

#[tokio::test]
async fn links_are_for_one_purpose_and_one_part() {
    let server = TestServer::start().await;
    keep(&server, "k", b"content").await;
    let created = create(&server, "other").await;
    let url = created["uploadPartUrls"][0].as_str().unwrap();
    let own = path(&server, url);
    for wrong in [
        own.replace("/parts/1", "/parts/2"),
        own.replace("expires=", "expires=9"),
        own.split('?').next().unwrap().to_owned(),
        format!("{own}0"),
    ] {
        let request = server.request("PUT", &wrong);
        let reply = request.body("text/plain", "x").send().await;
        assert_eq!(reply.status, 403, "{wrong}: {}", reply.text());
    }
    let read = own.replace("/parts/1", "");
    let reply = server.get(&read).send().await;
    assert_eq!(reply.status, 403, "an upload link reads nothing");
}

#[tokio::test]
async fn a_part_that_is_too_large_is_refused() {
    let server = TestServer::start_with(|config| config.limits.cache_entry_bytes = 5).await;
    let created = create(&server, "k").await;
    let url = created["uploadPartUrls"][0].as_str().unwrap();
    let reply = put(&server, url, b"123456").await;
    assert_eq!(reply.status, 413, "{}", reply.text());
    let etag = upload(&server, &created, b"12345").await;
    finalize(&server, &created, &etag, 5).await;
    let late = put(&server, url, b"1").await;
    assert_eq!(late.status, 404, "the upload is complete");
}

#[tokio::test]
async fn who_wants_to_upload_alone_is_told() {
    let server = TestServer::start().await;
    create(&server, "k").await;
    create(&server, "k").await;
    let body = json!({ "entryType": "generic", "key": "k", "failIfUploadInProgress": true });
    let found = refused(&server, ROOT_TOKEN, "CreateEntry", body).await;
    assert_eq!(found, code(412, "failed_precondition"));
}

#[tokio::test]
async fn people_find_what_they_made_and_administrators_everything() {
    let server = TestServer::start().await;
    let somebody = server.user("some").await;
    for key in ["deps/1", "deps/2", "other"] {
        keep(&server, key, key.as_bytes()).await;
    }
    let list = json!({ "entryType": "generic", "keyPrefix": "deps/", "pageSize": 1 });
    let first = cache(&server, "ListEntries", list.clone()).await;
    assert_eq!(first["entryIds"][0]["key"], "deps/1");
    let mut next = list.clone();
    next["pageToken"] = first["nextPageToken"].clone();
    let second = cache(&server, "ListEntries", next).await;
    assert_eq!(second["entryIds"][0]["key"], "deps/2");
    assert_eq!(second["nextPageToken"], Value::Null);

    let prefixes = json!({ "entryType": "generic", "keyPrefixes": "none/,deps/" });
    let found = cache(&server, "GetDownloadURLByPrefix", prefixes.clone()).await;
    assert_eq!(found["matchedKey"], "deps/2", "the newest one");
    let theirs = rpc(&server, &somebody.token, &method("ListEntries"), &list).await;
    assert_eq!(theirs.json(), json!({}));
    let theirs = refused(&server, &somebody.token, "GetDownloadURLByPrefix", prefixes).await;
    assert_eq!(theirs, code(404, "not_found"));
    let by_name = json!({ "entryType": "generic", "key": "deps/1" });
    let named = rpc(
        &server,
        &somebody.token,
        &method("GetDownloadURL"),
        &by_name,
    )
    .await;
    assert_eq!(named.status, 200, "who knows the name may read");
    let foreign = refused(&server, &somebody.token, "DeleteEntry", by_name.clone()).await;
    assert_eq!(foreign, code(403, "permission_denied"));

    let keys = json!({ "entryType": "generic", "keys": ["deps/1", "none"] });
    let checked = cache(&server, "CheckEntries", keys).await;
    let expected = json!([{ "key": "deps/1", "found": true }, { "key": "none" }]);
    assert_eq!(checked["entries"], expected);
    cache(&server, "DeleteEntry", by_name.clone()).await;
    let gone = refused(&server, ROOT_TOKEN, "DeleteEntry", by_name).await;
    assert_eq!(gone, code(404, "not_found"));
    let bundle = refused(&server, ROOT_TOKEN, "GetBundle", json!({})).await;
    assert_eq!(bundle, code(501, "unimplemented"));
}

#[rstest]
#[case("CreateEntry", json!({ "key": "k" }))]
#[case("CreateEntry", json!({ "entryType": "generic" }))]
#[case("CreateEntry", json!({ "entryType": "generic", "key": "k".repeat(1025) }))]
#[case("GetDownloadURL", json!({ "entryType": "generic" }))]
#[case("ListEntries", json!({}))]
#[case("ListEntries", json!({ "entryType": "generic", "pageSize": -1 }))]
#[case("ListEntries", json!({ "entryType": "generic", "pageToken": "x" }))]
#[tokio::test]
async fn what_no_request_may_hold_is_refused(#[case] name: &str, #[case] body: Value) {
    let server = TestServer::start().await;
    let found = refused(&server, ROOT_TOKEN, name, body).await;
    assert_eq!(found, code(400, "invalid_argument"));
}

#[tokio::test]
async fn a_completed_entry_survives_a_crash_and_travels_in_a_backup() {
    let mut server = TestServer::start().await;
    keep(&server, "k", b"content").await;
    let open = create(&server, "unfinished").await;
    upload(&server, &open, b"x").await;
    server.crash().await;
    assert_eq!(fetch(&server, "k").await.text(), "content");

    let file = server.scratch().join("backup.zip");
    backup::write(server.data_dir(), &file, true, &mut |_| ()).unwrap();
    let restored = server.scratch().join("restored");
    backup::restore::restore(&file, &restored, None, false, &mut |_| ()).unwrap();
    let other = TestServer::start_with(|config| config.data_dir = restored).await;
    assert_eq!(fetch(&other, "k").await.text(), "content");
}

#[tokio::test]
async fn what_nobody_uses_goes_after_two_weeks() {
    let server = TestServer::start().await;
    keep(&server, "k", b"content").await;
    let open = create(&server, "unfinished").await;
    upload(&server, &open, b"part").await;
    let app = server.app();
    let days = |count: u64| Duration::from_secs(count * 24 * 3600);
    let now = tappet_server::clock::now();
    let young = sweep(app, now.plus(days(2)), Mode::Count).await.unwrap();
    assert_eq!((young.cache.count, young.cache.bytes), (1, 4));
    let old = sweep(app, now.plus(days(15)), Mode::Remove).await.unwrap();
    assert_eq!((old.cache.count, old.cache.bytes), (2, 11));
    let body = json!({ "entryType": "generic", "key": "k" });
    let gone = refused(&server, ROOT_TOKEN, "GetDownloadURL", body).await;
    assert_eq!(gone, code(404, "not_found"));
    let dir = server.data_dir().join("cache");
    let files = |name: &str| std::fs::read_dir(dir.join(name)).unwrap().count();
    assert_eq!((files("parts"), files("incoming")), (0, 0));
}

#[tokio::test]
async fn local_changes_are_what_their_key_names() {
    let server = TestServer::start().await;
    let digest = Sha256::digest(b"a patch");
    let hex: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let key = format!("patch/0123456789ab/{hex}");
    keep(&server, &key, b"a patch").await;
    keep(&server, "patch/0123456789ab/0000000000000000", b"a patch").await;
    let read = tappet_server::workflows::local_changes::read;
    let app = server.app();
    assert_eq!(read(app, &key).await.unwrap(), b"a patch");
    let other = read(app, "patch/0123456789ab/0000000000000000").await;
    assert!(other.unwrap_err().to_string().contains("digest"));
    let missing = read(app, "patch/0123456789ab/0000000000000001").await;
    assert!(missing.unwrap_err().to_string().contains("upload"));
}
