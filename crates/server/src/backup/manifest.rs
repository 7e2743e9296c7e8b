//! What a backup says of itself.

use serde::{Deserialize, Serialize};
use tappet_model::Timestamp;
use tappet_store::CacheEntryId;

/// The form of the archive; another number is another form.
pub(super) const FORMAT: u32 = 1;

/// The list of contents.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// See [`FORMAT`].
    pub format: u32,
    /// Of the program that wrote it.
    pub tappet: String,
    /// For people.
    pub created_at: String,
    /// Everything but the manifest.
    pub files: Vec<Entry>,
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Below the data directory.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// In hex.
    pub sha256: String,
}

impl Manifest {
    /// Without files yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            format: FORMAT,
            tappet: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now.to_string(),
            files: Vec::new(),
        }
    }

    /// For the archive.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a manifest is plain data")
    }
}

impl Entry {
    /// Whether a backup holds files of this name: nothing else is written to the disk.
    pub fn has_known_name(&self) -> bool {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = self.name.split('/').collect();
        match parts.as_slice() {
            ["tappet.db" | "tappet.toml" | "secret.key"] => true,
            ["logs", folder, name] => {
                let id = name
                    .strip_suffix(".log")
                    .or_else(|| name.strip_suffix(".state"));
                is_number(folder) && id.is_some_and(is_number)
            }
            ["artifacts", folder, attempt, name] => {
                let is_word =
                    |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
                is_number(folder)
                    && is_number(attempt)
                    && !name.is_empty()
                    && name.bytes().all(is_word)
            }
            ["dbt", folder, name] => {
                let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
                let digest = name.strip_suffix(".zip").unwrap_or_default();
                let is_digest = digest.len() == 64 && digest.bytes().all(is_hex);
                is_digest && folder.len() == 2 && name.starts_with(folder)
            }
            ["cache", folder, id] => {
                id.parse::<CacheEntryId>().is_ok() && folder.len() == 2 && id.starts_with(folder)
            }
            _ => false,
        }
    }
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("tappet.db", true)]
    #[case("logs/0/12.log", true)]
    #[case("logs/0/12.state", true)]
    #[case("artifacts/0/12/archive-0a", true)]
    #[case("cache/ab/ab3456789012345678901234567890", true)]
    #[case("cache/cd/ab3456789012345678901234567890", false)]
    #[case("cache/parts/ab3456789012345678901234567890.1", false)]
    #[case("cache/ab/../../x", false)]
    #[case("root-token", false)]
    #[case("../tappet.db", false)]
    #[case("/etc/passwd", false)]
    #[case(&format!("dbt/0a/{}.zip", "0a".repeat(32)), true)]
    #[case(&format!("dbt/0b/{}.zip", "0a".repeat(32)), false)]
    #[case("dbt/0a/0a.zip", false)]
    #[case("dbt/incoming/x", false)]
    #[case("logs/../x.log", false)]
    #[case("logs/0/../../x.log", false)]
    #[case("artifacts/0/12/..", false)]
    #[case("artifacts/0/12/", false)]
    fn only_files_of_an_instance_are_restored(#[case] name: &str, #[case] known: bool) {
        let entry = Entry {
            name: name.into(),
            size_bytes: 0,
            sha256: String::new(),
        };
        assert_eq!(entry.has_known_name(), known);
    }
}
