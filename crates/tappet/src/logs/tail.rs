//! The end of a log.

use tappet_server::logs::stamp;

use crate::api::{Api, ApiError};

/// The end is looked for in this many bytes.
const WINDOW_BYTES: usize = 256 * 1024;

/// The last lines of the log at `path`, at most `count` and at most 256 KB, without
/// the times in front of them.
pub async fn last_lines(api: &Api, path: &str, count: usize) -> Result<Vec<String>, ApiError> {
    let range = format!("bytes=-{WINDOW_BYTES}");
    let response = match api.download(path, Some(&range)).await {
        Ok(response) => response,
        // An empty log has no last byte.
        Err(error) if error.status() == Some(416) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let is_part = response.status() == reqwest::StatusCode::PARTIAL_CONTENT;
    let bytes = response.bytes().await;
    let bytes = bytes.map_err(|error| ApiError::lost(api.server(), &error))?;
    let is_cut = is_part && bytes.len() == WINDOW_BYTES;
    Ok(cut(&String::from_utf8_lossy(&bytes), is_cut, count))
}

/// The last lines of a text. The first line of a cut one is not whole.
fn cut(text: &str, is_cut: bool, count: usize) -> Vec<String> {
    let mut lines: Vec<&str> = text.lines().skip(usize::from(is_cut)).collect();
    let surplus = lines.len().saturating_sub(count);
    lines.drain(..surplus);
    let texts = lines.into_iter().map(stamp::text);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_shown() {
        assert_eq!(cut("one\ntwo\nthree", false, 2), ["two", "three"]);
        assert_eq!(cut("ne\ntwo\n", true, 5), ["two"]);
        assert!(cut("", false, 5).is_empty());
        let stamped = "2026-11-21T20:00:00.000000Z 00E oops\n";
        assert_eq!(cut(stamped, false, 1), ["oops"]);
    }
}
