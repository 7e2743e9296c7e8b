//! The log of a job with steps: everything that is written goes through here,
//! so that every line has its time and no secret is in it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tappet_masks::masker::STARS;
use tappet_masks::{Masker, spellings};
use tappet_model::runner_protocol::{ArtifactUpload, Dependency};
use tappet_model::steps_payload::NamedArtifact;

use super::lines::{Lines, Stamp};
use crate::io::{AttemptIo, NamedUpload, TransferError};
use crate::supervise::Stream;

const CLEAR: &str = "\u{1b}[0K";

struct Masks {
    secrets: Vec<String>,
    /// Made when it is needed: a step may name many secrets in a row.
    masker: Option<Arc<Masker>>,
}

/// The log, and beneath it the attempt's other ways out and in.
pub(super) struct StepLog<'a, I> {
    /// Where the attempt's transfers go.
    pub io: &'a I,
    masks: Mutex<Masks>,
    /// What the runner's own programs wrote.
    helpers: Mutex<Lines>,
}

impl<'a, I: AttemptIo> StepLog<'a, I> {
    /// A log that hides `secrets` from its first line on.
    pub fn new(io: &'a I, secrets: Vec<String>) -> Self {
        let masks = Masks {
            secrets,
            masker: None,
        };
        Self {
            io,
            masks: Mutex::new(masks),
            helpers: Mutex::new(Lines::new(Stream::Out)),
        }
    }

    fn masks(&self) -> MutexGuard<'_, Masks> {
        self.masks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn helpers(&self) -> MutexGuard<'_, Lines> {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hides a text, and each of its lines, from now on.
    pub fn hide(&self, secret: &str) {
        let mut masks = self.masks();
        if secret.trim().is_empty() || masks.secrets.iter().any(|known| known == secret) {
            return;
        }
        masks.secrets.push(secret.to_owned());
        masks.masker = None;
    }

    /// What hides the secrets known now.
    pub fn masker(&self) -> Arc<Masker> {
        let Masks {
            secrets,
            masker: known,
        } = &mut *self.masks();
        known
            .get_or_insert_with(|| Arc::new(masker(secrets)))
            .clone()
    }

    /// A text with its secrets hidden.
    pub fn mask(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.masker().mask(text.as_bytes())).into_owned()
    }

    /// Writes lines of the runner itself.
    pub async fn say(&self, text: &str) {
        let shown = self.mask(text);
        self.stamped(&shown).await;
    }

    /// Opens the section of a step.
    pub async fn open_section(&self, key: &str, title: &str) {
        let seconds = unix_seconds();
        let title = self.mask(title);
        let line = format!("section_start:{seconds}:step_{key}[collapsed=false]\r{CLEAR}{title}");
        self.stamped(&line).await;
    }

    /// Closes it.
    pub async fn close_section(&self, key: &str) {
        let line = format!("section_end:{}:step_{key}\r{CLEAR}", unix_seconds());
        self.stamped(&line).await;
    }

    /// Passes stamped lines of a step on.
    pub async fn send(&self, stamped: &[u8]) {
        if !stamped.is_empty() {
            self.io.log(stamped).await;
        }
    }

    async fn stamped(&self, text: &str) {
        let stamp = Stamp::now();
        let mut out = Vec::new();
        self.helpers().finish(&self.masker(), &stamp, &mut out);
        stamp.write(Stream::Out, false, text.as_bytes(), &mut out);
        self.io
            .note(String::from_utf8_lossy(&out).into_owned())
            .await;
    }
}

/// Short secrets are hidden too: GitHub's runner knows no shortest one. Lines are looked at
/// one by one, so a spelling over several of them would never be found.
fn masker(secrets: &[String]) -> Masker {
    let mut spellings = spellings::of_all(secrets, 1);
    spellings.retain(|spelling| !spelling.contains(&b'\n'));
    Masker::new(&spellings, STARS).expect("a job's secrets fit into its payload")
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// Whether a line is a marker of the runner, which no mask may touch.
fn is_marker(line: &str) -> bool {
    line.starts_with("section_start:") || line.starts_with("section_end:")
}

impl<I: AttemptIo> AttemptIo for StepLog<'_, I> {
    async fn log(&self, bytes: &[u8]) {
        let stamp = Stamp::now();
        let masker = self.masker();
        let mut out = Vec::new();
        {
            let mut helpers = self.helpers();
            let lines = helpers.take(bytes);
            helpers.write(&lines, &masker, &stamp, &mut out);
            if helpers.is_too_long() {
                helpers.write_partial(&masker, &stamp, &mut out);
            }
        }
        self.send(&out).await;
    }

    async fn note(&self, text: String) {
        let shown: String = text
            .split_inclusive('\n')
            .map(|line| {
                if is_marker(line) {
                    line.to_owned()
                } else {
                    self.mask(line)
                }
            })
            .collect();
        self.stamped(&shown).await;
    }

    async fn fetch(&self, dependency: &Dependency, to: &Path) -> Result<(), TransferError> {
        self.io.fetch(dependency, to).await
    }

    async fn upload(
        &self,
        artifact: &ArtifactUpload,
        name: &str,
        file: &Path,
    ) -> Result<(), TransferError> {
        self.io.upload(artifact, name, file).await
    }

    async fn upload_named(
        &self,
        artifact: &NamedUpload,
        file: &Path,
    ) -> Result<NamedArtifact, TransferError> {
        self.io.upload_named(artifact, file).await
    }

    async fn list_named(&self) -> Result<Vec<NamedArtifact>, TransferError> {
        self.io.list_named().await
    }

    async fn fetch_named(&self, id: i64, to: &Path) -> Result<(), TransferError> {
        self.io.fetch_named(id, to).await
    }

    async fn fetch_patch(&self, key: &str, to: &Path) -> Result<(), TransferError> {
        self.io.fetch_patch(key, to).await
    }
}
