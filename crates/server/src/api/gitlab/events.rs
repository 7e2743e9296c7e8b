//! Server-sent events, as both streams of the API use them.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::errors::{ApiError, ApiResult};

/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Proxies must not hold events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Where a reader goes on: the `Last-Event-ID` of a browser that reconnects,
/// else the parameter of this name, else the beginning.
pub fn resume_after(call: &Call, param: &str) -> ApiResult<u64> {
    if let Some(last) = call.header("last-event-id") {
        return last
            .parse()
            .map_err(|_| ApiError::param("Last-Event-ID is invalid"));
    }
    let mut checks = call.checks();
    let value = checks.integer(param).unwrap_or(0);
    if value < 0 {
        checks.refuse(format!("{param} is invalid"));
    }
    checks.finish()?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// 200 with the events as they come, until they end or the server stops.
pub fn reply(
    events: impl Stream<Item = Event> + Send + 'static,
    shutdown: &CancellationToken,
) -> Response {
    let stop = shutdown.clone().cancelled_owned();
    let stream = events.take_until(stop).map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let headers = [
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    (headers, Sse::new(stream).keep_alive(keep_alive)).into_response()
}
