//! Repacking mirrors, which grow by a pack or by loose objects with each fetch.
//!
//! Nobody waits for it: it runs beside fetches and reads, behind everybody else,
//! for one mirror at a time. Git itself finds out, at little cost, whether there is
//! enough to do. What no ref leads to stays for two weeks, so nothing is lost that
//! was fetched a moment ago; commits of runs have a ref each, see [`Mirrors::keep`].

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{FetchError, Mirror, Mirrors, local_failure};
use crate::command;

/// A repack that takes longer is given up.
const LIMIT: Duration = Duration::from_secs(3600);

/// Settings of a repack: it stays in our hands, takes one processor and little
/// memory, and leaves large packs as they are.
const SETTINGS: [(&str, &str); 5] = [
    ("gc.autoDetach", "false"),
    ("gc.pruneExpire", "2.weeks.ago"),
    ("gc.bigPackThreshold", "256m"),
    ("pack.threads", "1"),
    ("pack.windowMemory", "64m"),
];

/// When a mirror is worth repacking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upkeep {
    /// It is looked at after its first fetch, then after each so many.
    pub fetches: u32,
    /// More loose objects than about this, as git estimates them.
    pub loose_objects: u32,
    /// More packs than this.
    pub packs: u32,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self {
            fetches: 100,
            loose_objects: 2000,
            packs: 20,
        }
    }
}

impl Mirrors {
    /// Repacks the mirror under `key` if that is worth it; `false` when it is being
    /// done already.
    ///
    /// # Errors
    /// Git complained; the mirror is as good as before.
    pub async fn tend(&self, key: &str) -> Result<bool, FetchError> {
        let path = self.path(key)?;
        let mirror = self.mirror(key);
        let Ok(_alone) = mirror.upkeep.try_lock() else {
            return Ok(false);
        };
        let _turn = self.inner.upkeep_turn.lock().await;
        self.repack(&path).await?;
        Ok(true)
    }

    async fn repack(&self, path: &Path) -> Result<(), FetchError> {
        let Upkeep {
            loose_objects,
            packs,
            ..
        } = self.inner.upkeep;
        let (loose_objects, packs) = (loose_objects.to_string(), packs.to_string());
        let mut settings = vec![
            ("gc.auto", loose_objects.as_str()),
            ("gc.autoPackLimit", packs.as_str()),
        ];
        settings.extend(SETTINGS);
        let git = self.inner.git.with_protocols(&[]);
        let mut command = git.command_with_config(&settings);
        command.env("GIT_DIR", path);
        command.args(["gc", "--auto", "--quiet"]);
        let finished = command::run_behind_others(command, LIMIT)
            .await
            .map_err(local_failure)?;
        if finished.status.success() {
            Ok(())
        } else {
            Err(local_failure(finished.complaint()))
        }
    }

    /// Counts a fetch; when it is time, the upkeep goes its own way.
    pub(super) fn fetched(&self, key: &str, mirror: &Mirror) {
        let before = mirror.fetches.fetch_add(1, Ordering::Relaxed);
        if !before.is_multiple_of(self.inner.upkeep.fetches) {
            return;
        }
        let (mirrors, key) = (self.clone(), key.to_owned());
        tokio::spawn(async move {
            let begun = Instant::now();
            match mirrors.tend(&key).await {
                Ok(_) => tracing::debug!(key, elapsed = ?begun.elapsed(), "tended a mirror"),
                Err(error) => tracing::warn!(key, %error, "cannot repack a mirror"),
            }
        });
    }
}
