//! Whether a ref of exactly that name exists.
//!
//! `git cat-file` takes any revision: asked for `refs/heads/x` it also finds a
//! branch whose short name is `refs/heads/x`, and reads `…-g1234abc` as the commit
//! `1234abc`. So what it found counts only when the ref itself is there. A loose
//! ref is one `lstat`; for a packed one git is asked once for each change of the
//! packed refs.
//!
//! The same memory spares git most questions about tags named like a branch, each
//! of which would cost it a dozen system calls.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::{Repository, locked};
use crate::error::ReadError;

/// The most names remembered between two changes of the packed refs.
const REMEMBERED: usize = 512;

/// What is known about refs that are not loose.
#[derive(Debug)]
pub(super) struct ExactRefs {
    common_dir: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    as_of: Option<Stamp>,
    exists: HashMap<String, bool>,
    /// Names for which git found nothing while they were not loose.
    leads_nowhere: HashSet<String>,
}

/// Changes whenever packed refs, or the tables of a reftable, are rewritten.
pub(super) type Stamp = [Option<(u64, u64, i64, i64)>; 2];

impl ExactRefs {
    pub fn new(common_dir: PathBuf) -> Self {
        Self {
            common_dir,
            known: Mutex::default(),
        }
    }

    fn is_loose(&self, full_name: &str) -> bool {
        fs::symlink_metadata(self.common_dir.join(full_name))
            .is_ok_and(|found| found.is_file() || found.is_symlink())
    }

    fn stamp(&self) -> Stamp {
        ["packed-refs", "reftable/tables.list"].map(|file| {
            let found = fs::metadata(self.common_dir.join(Path::new(file))).ok()?;
            Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
        })
    }

    fn remembered(&self, stamp: Stamp, full_name: &str) -> Option<bool> {
        let known = locked(&self.known);
        (known.as_of == Some(stamp))
            .then(|| known.exists.get(full_name).copied())
            .flatten()
    }

    fn remember(&self, stamp: Stamp, full_name: &str, exists: bool) {
        let mut known = locked(&self.known);
        known.make_room(stamp);
        known.exists.insert(full_name.to_owned(), exists);
    }

    /// A look at `full_name` before git is asked for it.
    pub fn look(&self, full_name: &str) -> Look {
        if self.is_loose(full_name) {
            return Look::Ask;
        }
        let stamp = self.stamp();
        let known = locked(&self.known);
        if known.as_of == Some(stamp) && known.leads_nowhere.contains(full_name) {
            return Look::LeadsNowhere;
        }
        Look::AskAndLearn(stamp)
    }

    /// Git found nothing for `full_name`, which was not loose at the time of `stamp`.
    pub fn learn(&self, stamp: Stamp, full_name: &str) {
        if self.is_loose(full_name) || self.stamp() != stamp {
            return;
        }
        let mut known = locked(&self.known);
        known.make_room(stamp);
        known.leads_nowhere.insert(full_name.to_owned());
    }
}

/// What is known of a ref without git.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// It is there.
    Ask,
    /// It may be packed; a miss is worth remembering.
    AskAndLearn(Stamp),
    /// Git found nothing, and no ref has changed since.
    LeadsNowhere,
}

impl Known {
    fn make_room(&mut self, stamp: Stamp) {
        let full = self.exists.len() + self.leads_nowhere.len() >= REMEMBERED;
        if full || self.as_of != Some(stamp) {
            self.exists.clear();
            self.leads_nowhere.clear();
            self.as_of = Some(stamp);
        }
    }
}

impl Repository {
    /// Whether the ref `full_name` exists, be it readable or not.
    pub(super) async fn has_ref(&self, full_name: &str) -> Result<bool, ReadError> {
        if self.refs.is_loose(full_name) {
            return Ok(true);
        }
        // Before asking, so that a change in between is seen next time.
        let stamp = self.refs.stamp();
        if let Some(exists) = self.refs.remembered(stamp, full_name) {
            return Ok(exists);
        }
        let mut command = self.reading();
        command.args(["show-ref", "--verify", "--quiet", "--", full_name]);
        let exists = match self.run(command).await?.status.code() {
            Some(1) => false,
            // 128: it is there, but its object is not.
            _ => true,
        };
        self.refs.remember(stamp, full_name, exists);
        Ok(exists)
    }

    /// Which of these branches and tags, given by their full names, exist. Git is
    /// asked at most once for all of them.
    pub async fn existing(&self, full_names: Vec<String>) -> Result<Vec<String>, ReadError> {
        let stamp = self.refs.stamp();
        let mut existing = Vec::with_capacity(full_names.len());
        let mut listed: Option<HashSet<String>> = None;
        for full_name in full_names {
            let known = self.refs.is_loose(&full_name).then_some(true);
            let known = known.or_else(|| self.refs.remembered(stamp, &full_name));
            let exists = match (known, &listed) {
                (Some(exists), _) => exists,
                (None, Some(listed)) => listed.contains(&full_name),
                (None, None) => listed.insert(self.ref_names().await?).contains(&full_name),
            };
            if known.is_none() {
                self.refs.remember(stamp, &full_name, exists);
            }
            if exists {
                existing.push(full_name);
            }
        }
        Ok(existing)
    }

    async fn ref_names(&self) -> Result<HashSet<String>, ReadError> {
        let mut command = self.reading();
        command.args([
            "for-each-ref",
            "--format=%(refname)",
            "refs/heads/",
            "refs/tags/",
        ]);
        let finished = self.run(command).await?;
        let names = self.succeeded(finished)?.stdout;
        Ok(String::from_utf8_lossy(&names)
            .lines()
            .map(str::to_owned)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_not_remembered_when_the_refs_changed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let refs = ExactRefs::new(folder.path().to_owned());
        let asked = |look| match look {
            Look::AskAndLearn(stamp) => stamp,
            other => panic!("{other:?}"),
        };

        let stamp = asked(refs.look("tag"));
        fs::write(folder.path().join("packed-refs"), "").unwrap();
        refs.learn(stamp, "tag");
        let stamp = asked(refs.look("tag"));
        fs::write(folder.path().join("tag"), "").unwrap();
        refs.learn(stamp, "tag");
        assert_eq!(refs.look("tag"), Look::Ask);
        fs::remove_file(folder.path().join("tag")).unwrap();

        let stamp = asked(refs.look("tag"));
        refs.learn(stamp, "tag");
        assert_eq!(refs.look("tag"), Look::LeadsNowhere);
        fs::write(folder.path().join("packed-refs"), "changed").unwrap();
        asked(refs.look("tag"));
    }
}
