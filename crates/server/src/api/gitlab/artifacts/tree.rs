//! `GET /projects/:id/jobs/:job_id/artifacts/tree`: what an archive holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use axum::extract::State;
use axum::response::Response;
use zip::ZipArchive;

use super::open_archive;
use crate::api::gitlab::access::Login;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::artifact_entry::{ArtifactEntry, EntryKind};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::jobs::{self, Opened};
use crate::api::gitlab::pagination;
use crate::app::SharedApp;
use crate::rights::Right;

/// One page of the entries below `path`, directories first to last by name.
pub async fn tree(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let path = checks.filled_text("path").unwrap_or_default();
    let path = path.trim_matches('/').to_owned();
    let recursive = checks.boolean("recursive").unwrap_or(false);
    let checked = checks.finish();
    let (login, right) = (Login::Optional, Right::ReadJobs);
    let Opened { attempt, .. } = jobs::open_checked(&app, &call, login, right, checked).await?;
    let archive = attempt
        .archive
        .as_ref()
        .ok_or_else(|| ApiError::missing("Artifacts metadata"))?;
    let file = open_archive(&app, archive).await?.into_std().await;
    let read = tokio::task::spawn_blocking(move || read(file)).await;
    let files = read
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| ApiError::broken("reading an archive", error))?;
    let entries = below(files, &path, recursive).ok_or_else(ApiError::not_found)?;
    let (pages, shown) = pagination::page_of(&entries, page);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, shown))
}

/// Size and mode of everything in the archive, by path; directories end in `/`.
type Files = BTreeMap<String, (u64, Option<u32>)>;

fn read(file: File) -> io::Result<Files> {
    let mut archive = ZipArchive::new(file).map_err(io::Error::other)?;
    let mut files = Files::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(io::Error::other)?;
        let name = entry.name().map_err(io::Error::other)?;
        let path = name.trim_start_matches("./").to_owned();
        files.insert(path, (entry.size(), entry.unix_mode()));
    }
    Ok(files)
}

/// The entries below a directory; `None` when there is no such directory.
fn below(files: Files, directory: &str, recursive: bool) -> Option<Vec<ArtifactEntry>> {
    let prefix = match directory {
        "" => String::new(),
        directory => format!("{directory}/"),
    };
    let mut found: BTreeMap<String, ArtifactEntry> = BTreeMap::new();
    let mut is_there = prefix.is_empty();
    for (path, (size, mode)) in files {
        let Some(rest) = path.strip_prefix(&prefix) else {
            continue;
        };
        is_there = true;
        let places = rest.match_indices('/').map(|(at, _)| at + 1);
        for end in places.take(if recursive { usize::MAX } else { 1 }) {
            let is_itself = end == rest.len();
            let path = format!("{prefix}{}", &rest[..end]);
            let mode = mode.filter(|_| is_itself);
            found
                .entry(path.clone())
                .or_insert_with(|| ArtifactEntry::new(path, EntryKind::Directory, None, mode));
        }
        let is_file = !rest.is_empty() && !rest.ends_with('/');
        if is_file && (recursive || !rest.contains('/')) {
            let entry = ArtifactEntry::new(path.clone(), EntryKind::File, Some(size), mode);
            found.insert(path, entry);
        }
    }
    is_there.then(|| found.into_values().collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", false, Some(vec!["a.txt", "out/"]))]
    #[case("", true, Some(vec!["a.txt", "out/", "out/deep/", "out/deep/c.txt", "out/empty/", "out/z"]))]
    #[case("out", false, Some(vec!["out/deep/", "out/empty/", "out/z"]))]
    #[case("out/empty", false, Some(vec![]))]
    #[case("ou", false, None)]
    #[case("a.txt", false, None)]
    fn directories_are_walked_by_name(
        #[case] directory: &str,
        #[case] recursive: bool,
        #[case] expected: Option<Vec<&str>>,
    ) {
        let names = ["out/z", "out/deep/c.txt", "out/empty/", "a.txt"];
        let files = names.map(|name| (name.to_owned(), (1, None)));
        let entries = below(files.into(), directory, recursive);
        let paths = entries.map(|entries| {
            let paths = entries.iter().map(|entry| entry.path().to_owned());
            paths.collect::<Vec<_>>()
        });
        assert_eq!(
            paths,
            expected.map(|paths| paths.into_iter().map(str::to_owned).collect())
        );
    }
}
