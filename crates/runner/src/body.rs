//! Request bodies: text, pieces of a log, a file in a multipart form.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame, SizeHint};
use tokio_util::io::ReaderStream;

/// Any request body.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

/// The boundary of a multipart form must not occur in the file; this one is random enough per process.
pub(crate) fn boundary() -> String {
    let mut random = [0; 16];
    // Without randomness a fixed boundary still works for any file that does not contain it.
    let _ = getrandom::fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// No body.
pub(crate) fn empty() -> RequestBody {
    full(Bytes::new())
}

/// A body at hand.
pub(crate) fn full(bytes: impl Into<Bytes>) -> RequestBody {
    Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// Several pieces one after another, without copying them together.
pub(crate) fn pieces(pieces: VecDeque<Bytes>) -> RequestBody {
    let length = pieces.iter().map(|piece| piece.len() as u64).sum();
    Pieces { pieces, length }
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

struct Pieces {
    pieces: VecDeque<Bytes>,
    length: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.pieces.pop_front();
        self.length -= next.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// A form with one part `file`, read from disk as it is sent; its exact length beside it.
pub(crate) async fn form(
    file: &Path,
    name: &str,
    boundary: &str,
) -> io::Result<(RequestBody, u64)> {
    let name: String = name
        .chars()
        .filter(|c| !matches!(c, '"' | '\\' | '\r' | '\n'))
        .collect();
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let file = tokio::fs::File::open(file).await?;
    let length = file.metadata().await?.len() + (head.len() + tail.len()) as u64;
    let once =
        |text: String| futures_util::stream::once(async move { io::Result::Ok(Bytes::from(text)) });
    let stream = futures_util::StreamExt::chain(
        futures_util::StreamExt::chain(once(head), ReaderStream::with_capacity(file, 128 * 1024)),
        once(tail),
    );
    Ok((
        BodyExt::boxed_unsync(StreamBody::new(stream.map_ok(Frame::data))),
        length,
    ))
}
