//! The key under which the server knows a call again, so that a lost answer can be
//! asked for once more.

use anyhow::Context;
use reqwest::header::HeaderValue;

use crate::exit::Usage;

/// As given on the command line, else a new one.
pub fn given_or_new(given: Option<&str>) -> anyhow::Result<HeaderValue> {
    let key = match given {
        Some(key) => key.to_owned(),
        None => {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).context("cannot read random bytes")?;
            let hex = bytes.iter().map(|byte| format!("{byte:02x}"));
            format!("tappet-{}", hex.collect::<String>())
        }
    };
    HeaderValue::from_str(&key).map_err(|_| {
        Usage(format!(
            "`{key}` is no idempotency key: use printable characters"
        ))
        .into()
    })
}
