//! `tappet gc`: what is too old to stay.

use clap::Args;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::exit;
use crate::output::Output;
use crate::progress::bytes;

/// Flags of `gc`. The server removes what is too old by itself, once a day;
/// how long things stay is set with its `--keep-…` flags.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// Only show what would go
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        let swept = if self.dry_run {
            api.get("/admin/gc").await?
        } else {
            api.post("/admin/gc", &json!({})).await?
        };
        let text = match output {
            Output::Json => swept.to_string(),
            Output::Text => sentences(&swept, self.dry_run),
        };
        output.say(text)?;
        Ok(exit::SUCCESS)
    }
}

fn sentences(swept: &Value, is_dry: bool) -> String {
    let count = |pointer: &str| swept.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let mut parts = Vec::new();
    for (name, count, size) in [
        (
            "artifacts",
            count("/artifacts/count"),
            Some(count("/artifacts/bytes")),
        ),
        ("runs with everything of theirs", count("/runs"), None),
        ("logs", count("/logs/count"), Some(count("/logs/bytes"))),
        ("audit entries", count("/audit_entries"), None),
        (
            "cached files",
            count("/cache/count"),
            Some(count("/cache/bytes")),
        ),
        ("events", count("/events"), None),
        ("idempotency keys", count("/idempotency_keys"), None),
        ("sessions", count("/sessions"), None),
    ] {
        if count > 0 {
            let size = size.map_or_else(String::new, |size| format!(" ({})", bytes(size)));
            parts.push(format!("  {count} {name}{size}"));
        }
    }
    match (parts.is_empty(), is_dry) {
        (true, _) => "Nothing is too old.".to_owned(),
        (false, true) => format!("Would remove:\n{}", parts.join("\n")),
        (false, false) => format!("Removed:\n{}", parts.join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_there_is_is_told() {
        let swept = json!({ "artifacts": { "count": 2, "bytes": 1500 }, "runs": 0, "events": 3 });
        assert_eq!(
            sentences(&swept, true),
            "Would remove:\n  2 artifacts (1.5 kB)\n  3 events"
        );
        assert_eq!(
            sentences(&json!({ "runs": 0 }), false),
            "Nothing is too old."
        );
    }
}
