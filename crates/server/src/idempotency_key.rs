//! The header `Idempotency-Key` of calls that start a run.

use http::HeaderMap;

const HEADER: &str = "idempotency-key";

/// A key that cannot be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Idempotency-Key must be one value of 1 to 255 printable characters")]
pub struct NotAKey;

/// The key of a call, checked: 1 to 255 printable ASCII characters.
pub fn read(headers: &HeaderMap) -> Result<Option<String>, NotAKey> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let printable = |byte: &u8| matches!(byte, 0x20..=0x7e);
    let text = value.to_str().unwrap_or_default();
    let fits = (1..=255).contains(&text.len()) && text.as_bytes().iter().all(printable);
    if !fits || values.next().is_some() {
        return Err(NotAKey);
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["a key ~"], Some(Some("a key ~")))]
    #[case(&[], Some(None))]
    #[case(&[""], None)]
    #[case(&["a\tb"], None)]
    #[case(&["a", "b"], None)]
    fn keys_are_printable(#[case] sent: &[&str], #[case] expected: Option<Option<&str>>) {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(HEADER, HeaderValue::from_str(value).unwrap());
        }
        let got = read(&headers).ok();
        assert_eq!(got, expected.map(|key| key.map(str::to_owned)));
    }

    #[test]
    fn keys_have_at_most_255_characters() {
        for (length, fits) in [(255, true), (256, false)] {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(&"k".repeat(length)).unwrap());
            assert_eq!(read(&headers).is_ok(), fits);
        }
    }
}
