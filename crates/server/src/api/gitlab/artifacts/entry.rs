//! One file out of an archive, unpacked while it is sent.

use std::fs::File;
use std::io::{self, Read};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use zip::ZipArchive;
use zip::result::ZipError;

const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks unpacked ahead of a slow reader.
const AHEAD: usize = 4;

/// A file of an archive, being unpacked on another thread.
pub struct Entry {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
}

/// Finds `path` in the archive. Names are compared, never used on the disk, so
/// `../x` can only be the name of an entry. `None`: no such file.
pub async fn open(archive: File, path: String) -> io::Result<Option<Entry>> {
    let (found, is_there) = oneshot::channel();
    let (sender, chunks) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || unpack(archive, &path, found, &sender));
    let is_there = is_there
        .await
        .map_err(|_| io::Error::other("the thread that unpacks ended"))??;
    Ok(is_there.then_some(Entry { chunks }))
}

impl Entry {
    /// 200 with the content. Its length stays open: what an archive says of
    /// sizes may be a lie.
    pub fn answer(self, disposition: &str) -> Response {
        let body = Body::from_stream(ReceiverStream::new(self.chunks));
        let headers = [
            (CONTENT_TYPE, "application/octet-stream"),
            (CONTENT_DISPOSITION, disposition),
        ];
        (headers, body).into_response()
    }
}

fn unpack(
    archive: File,
    path: &str,
    found: oneshot::Sender<io::Result<bool>>,
    chunks: &mpsc::Sender<io::Result<Bytes>>,
) {
    let mut archive = match ZipArchive::new(archive) {
        Ok(archive) => archive,
        Err(error) => {
            let _ = found.send(Err(io::Error::other(error)));
            return;
        }
    };
    let mut entry = match archive.by_name(path) {
        Ok(entry) if entry.is_file() => entry,
        Ok(_) | Err(ZipError::FileNotFound) => {
            let _ = found.send(Ok(false));
            return;
        }
        Err(error) => {
            let _ = found.send(Err(io::Error::other(error)));
            return;
        }
    };
    if found.send(Ok(true)).is_err() {
        return;
    }
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let read = (&mut entry)
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut chunk);
        let piece = match read {
            Ok(0) => return,
            Ok(_) => Ok(Bytes::from(chunk)),
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if chunks.blocking_send(piece).is_err() || is_last {
            return;
        }
    }
}
