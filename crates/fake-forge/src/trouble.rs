//! What may go wrong at a forge.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// What goes wrong with one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Nothing: this call is answered.
    None,
    /// This status, and nothing is done.
    Status(u16),
    /// 429 with `Retry-After` in seconds.
    TooOften(u64),
    /// GitHub's 403 when the hour's calls are used up: they come back in so many seconds.
    UsedUp(u64),
    /// GitHub's 403 for too much at once, which says so in its text alone.
    SecondaryLimit,
    /// What was asked is done, but the reply is a 502.
    LostReply,
}

impl Trouble {
    /// What it answers instead of doing what was asked; `None`: it does that first.
    pub(crate) fn reply(self) -> Option<Response> {
        let told = |status: u16, message: &str| {
            let status = StatusCode::from_u16(status).expect("tests name real statuses");
            (status, axum::Json(json!({"message": message}))).into_response()
        };
        match self {
            Trouble::None | Trouble::LostReply => None,
            Trouble::Status(status) => Some(told(status, "told to fail")),
            Trouble::TooOften(seconds) => Some(
                (
                    [("retry-after", seconds.to_string())],
                    told(429, "too often"),
                )
                    .into_response(),
            ),
            Trouble::UsedUp(seconds) => {
                let now = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .expect("it is after 1970")
                    .as_secs();
                let headers = [
                    ("x-ratelimit-limit", "5000".to_owned()),
                    ("x-ratelimit-remaining", "0".to_owned()),
                    ("x-ratelimit-reset", (now + seconds).to_string()),
                ];
                let reply = told(403, "API rate limit exceeded for user ID 1.");
                Some((headers, reply).into_response())
            }
            Trouble::SecondaryLimit => {
                let text = "You have exceeded a secondary rate limit. Please wait a few minutes.";
                Some(told(403, text))
            }
        }
    }
}
