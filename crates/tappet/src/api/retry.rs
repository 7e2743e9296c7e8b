//! When a call is sent again, and when it is given up.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::ApiError;
use crate::output;

/// The first pause; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// No pause is longer, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Our own pauses grow up to this.
const LONGEST_OWN_PAUSE: Duration = Duration::from_secs(10);

/// The retries of one call.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    done: u32,
    most: u32,
}

impl Retries {
    /// For a call that somebody waits for: about 12 seconds.
    pub fn of_call() -> Self {
        Self { done: 0, most: 6 }
    }

    /// For following something that goes on: about 5 minutes.
    pub fn of_stream() -> Self {
        Self { done: 0, most: 34 }
    }

    /// Waits until the call may be sent again, or gives the error back.
    pub async fn wait_after(&mut self, error: ApiError) -> Result<(), ApiError> {
        let pause = (self.done < self.most).then(|| pause(self.done, &error));
        let Some(pause) = pause.flatten() else {
            return Err(error);
        };
        self.done += 1;
        let text = error.to_string();
        let first_line = text.lines().next().unwrap_or_default();
        // A note that cannot be written is no reason to give up.
        let _ = output::note(format_args!(
            "{first_line}; trying again in {:.1} s",
            pause.as_secs_f64()
        ));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// How long to wait before the next call; `None`: there is none. A refusal stays
/// a refusal, but lost answers, a server in trouble and "too many" may pass.
fn pause(done: u32, error: &ApiError) -> Option<Duration> {
    let doubled = FIRST_PAUSE * 2u32.saturating_pow(done.min(16));
    let own = doubled.min(LONGEST_OWN_PAUSE);
    match error {
        ApiError::Unreachable { .. } | ApiError::BrokeOff { .. } => Some(own),
        ApiError::Refused {
            status: 429 | 500..,
            retry_after,
            ..
        } => Some(retry_after.unwrap_or(own).clamp(own, LONGEST_PAUSE)),
        ApiError::NoServer { .. } | ApiError::Refused { .. } | ApiError::Unexpected { .. } => None,
    }
}

/// `Retry-After`: seconds or a date (RFC 9110 §10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(&text.replace("GMT", "+0000")).ok()?;
    let wait = at.timestamp().duration_since(jiff::Timestamp::now());
    Some(wait.try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refused(status: u16, retry_after: Option<u64>) -> ApiError {
        ApiError::refused(status, b"", retry_after.map(Duration::from_secs))
    }

    fn lost() -> ApiError {
        ApiError::Unreachable {
            server: "http://x".into(),
            why: "refused".into(),
        }
    }

    #[rstest]
    #[case::lost_answer(0, lost(), Some(200))]
    #[case::pauses_double(3, lost(), Some(1600))]
    #[case::pauses_stay_short(20, lost(), Some(10_000))]
    #[case::server_in_trouble(0, refused(503, None), Some(200))]
    #[case::as_the_server_asks(0, refused(429, Some(5)), Some(5000))]
    #[case::not_sooner_than_our_own(3, refused(503, Some(0)), Some(1600))]
    #[case::not_for_ever(0, refused(503, Some(3600)), Some(60_000))]
    #[case::refused_for_good(0, refused(400, None), None)]
    #[case::conflict(0, refused(409, Some(1)), None)]
    fn what_may_pass_is_tried_again(
        #[case] done: u32,
        #[case] error: ApiError,
        #[case] expected_ms: Option<u64>,
    ) {
        assert_eq!(pause(done, &error), expected_ms.map(Duration::from_millis));
    }

    #[rstest]
    #[case("30", Some(30))]
    #[case("Thu, 01 Jan 1970 00:00:00 GMT", Some(0))]
    #[case("soon", None)]
    fn retry_after_is_seconds_or_a_date(#[case] text: &str, #[case] expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        assert_eq!(retry_after(&headers), expected.map(Duration::from_secs));
    }
}
