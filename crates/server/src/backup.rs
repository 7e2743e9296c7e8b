//! One file that holds a whole instance, made while the server runs.
//!
//! A backup is a zip archive: the database as of one moment, the logs, artifacts,
//! cached files and archives of dbt that it knows, the settings, the key if wanted,
//! and at the end a manifest with the digest of each. Mirrors of remote repositories are left out,
//! since they are fetched again, and so are access tokens in the clear: the
//! restored server makes itself new ones.

mod manifest;
pub mod restore;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tappet_model::{ArtifactId, AttemptId};
use tappet_store::{Snapshot, StoreError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use self::manifest::{Entry, Manifest};
use crate::artifact_files::ArtifactFiles;
use crate::cache::CacheFiles;
use crate::dbt_files::DbtFiles;
use crate::{clock, secrets};

/// Name of the list of contents in the archive.
const MANIFEST: &str = "manifest.json";

/// Rows read at once.
const ROWS: u32 = 1000;

/// Why there is no backup. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// No server ever had this directory.
    #[error("{} holds no database of Tappet: name the server's data directory with --data", .0.display())]
    NoDatabase(PathBuf),
    /// A file of that name is there.
    #[error("{} exists already: choose another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// A rotation ended or began, so database and key may not fit.
    #[error("secret.key was changed while the backup was made: make another one")]
    KeyChanged,
    /// The database.
    #[error("cannot copy the database: {0}")]
    Store(#[from] StoreError),
    /// The file system, or the archive.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
}

fn failed<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> BackupError {
    move |source| BackupError::Io {
        what: what.into(),
        source: source.into(),
    }
}

/// How far a backup or restore is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Files done.
    pub files: u64,
    /// Their bytes, as they are outside the archive.
    pub bytes: u64,
}

/// What a backup holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Files and bytes.
    pub progress: Progress,
    /// Artifacts, cached files and archives of dbt that went while the backup was made,
    /// and are not in it.
    pub gone: u64,
    /// The key is in it.
    pub has_key: bool,
}

/// Writes a backup of the data directory `data` into the new file `to`. The
/// server may be running. Without the key the backup is of no use to whoever
/// finds it; keep the key at another place then. Blocks.
///
/// # Errors
/// See [`BackupError`].
pub fn write(
    data: &Path,
    to: &Path,
    with_key: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, BackupError> {
    let database = data.join("tappet.db");
    if !database.is_file() {
        return Err(BackupError::NoDatabase(data.to_owned()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let key = data.join("secret.key");
    let read_key = || fs::read(&key).map_err(failed(format!("read {}", key.display())));
    let key_before = read_key()?;
    let work = WorkDir::beside(to)?;
    let unfinished = work.0.join("backup");
    let copy = work.0.join("tappet.db");
    let snapshot = Snapshot::take(&database, &copy)?;
    let mut archive = Archive::create(&unfinished, progress)?;
    let gone = archive.add_artifacts(data, &snapshot)?
        + archive.add_cache(data, &snapshot)?
        + archive.add_dbt(data, &snapshot)?;
    archive.add_logs(data, snapshot.last_attempt()?)?;
    snapshot.close()?;
    archive.add("tappet.db", &copy, CompressionMethod::Deflated)?;
    archive.add_if_there(data, "tappet.toml")?;
    if with_key {
        archive.add("secret.key", &key, CompressionMethod::Stored)?;
    }
    if read_key()? != key_before {
        return Err(BackupError::KeyChanged);
    }
    let done = archive.finish()?;
    // Not a rename: that would replace what came there meanwhile.
    fs::hard_link(&unfinished, to).map_err(failed(format!("write {}", to.display())))?;
    Ok(Summary {
        progress: done,
        gone,
        has_key: with_key,
    })
}

/// Whether a file may go while it is looked at without being missed.
fn may_go(name: &str) -> bool {
    name.starts_with("logs/") || name.starts_with("dbt/")
}

/// A private directory on the disk of the backup, gone at the end.
struct WorkDir(PathBuf);

impl WorkDir {
    fn beside(target: &Path) -> Result<Self, BackupError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(secrets::new_token(&format!(".{name}-")));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(failed(format!("make the directory {}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "cannot remove a working directory");
        }
    }
}

struct Archive<'p> {
    zip: ZipWriter<BufWriter<File>>,
    manifest: Manifest,
    done: Progress,
    progress: &'p mut dyn FnMut(Progress),
}

impl<'p> Archive<'p> {
    fn create(path: &Path, progress: &'p mut dyn FnMut(Progress)) -> Result<Self, BackupError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed(format!("create {}", path.display())))?;
        Ok(Self {
            zip: ZipWriter::new(BufWriter::with_capacity(256 * 1024, file)),
            manifest: Manifest::new(clock::now()),
            done: Progress::default(),
            progress,
        })
    }

    /// Those of the snapshot; files that are gone are taken out of it.
    fn add_artifacts(&mut self, data: &Path, snapshot: &Snapshot) -> Result<u64, BackupError> {
        let files = ArtifactFiles::new(data, u64::MAX);
        let mut gone = 0;
        let mut last = ArtifactId(0);
        loop {
            let rows = snapshot.artifacts(last, ROWS)?;
            let Some(newest) = rows.last() else {
                return Ok(gone);
            };
            last = newest.id;
            for artifact in rows {
                let path = files.path(&artifact);
                let Some(name) = path.strip_prefix(data).ok().and_then(Path::to_str) else {
                    continue;
                };
                if path.is_file() {
                    // Archives and packed reports do not get smaller.
                    self.add(name, &path, CompressionMethod::Stored)?;
                } else {
                    snapshot.forget_artifact(artifact.id)?;
                    gone += 1;
                }
            }
        }
    }

    /// Complete ones of the snapshot; files that are gone are taken out of it.
    fn add_cache(&mut self, data: &Path, snapshot: &Snapshot) -> Result<u64, BackupError> {
        let files = CacheFiles::new(data, u64::MAX);
        snapshot.forget_cache_uploads()?;
        let mut gone = 0;
        let mut last = String::new();
        loop {
            let ids = snapshot.cache_entries(&last, ROWS)?;
            let Some(newest) = ids.last() else {
                return Ok(gone);
            };
            last = newest.to_string();
            for id in ids {
                let path = files.path(&id);
                let Some(name) = path.strip_prefix(data).ok().and_then(Path::to_str) else {
                    continue;
                };
                if path.is_file() {
                    self.add(name, &path, CompressionMethod::Deflated)?;
                } else {
                    snapshot.forget_cache_entry(&id)?;
                    gone += 1;
                }
            }
        }
    }

    /// Those of attempts that the snapshot knows: the ids of later ones will be
    /// given to other attempts. The state goes first, so that the log holds at
    /// least what the state tells of.
    fn add_logs(&mut self, data: &Path, last: AttemptId) -> Result<(), BackupError> {
        for folder in names(&data.join("logs"))? {
            let dir = data.join("logs").join(&folder);
            let mut files = names(&dir)?;
            files.sort_by_key(|name| !name.ends_with(".state"));
            for name in files {
                let id = name.split_once('.').and_then(|(id, _)| id.parse().ok());
                if id.is_some_and(|id: i64| id <= last.0) {
                    let entry = format!("logs/{folder}/{name}");
                    self.add(&entry, &dir.join(&name), CompressionMethod::Deflated)?;
                }
            }
        }
        Ok(())
    }

    /// Archives of dbt of the snapshot; those that are gone are taken out of it.
    fn add_dbt(&mut self, data: &Path, snapshot: &Snapshot) -> Result<u64, BackupError> {
        let files = DbtFiles::new(data, u64::MAX);
        let mut gone = 0;
        let mut last = None;
        loop {
            let digests = snapshot.dbt_archives(last, ROWS)?;
            let Some(newest) = digests.last() else {
                return Ok(gone);
            };
            last = Some(*newest);
            for digest in digests {
                let path = files.path(&digest);
                let Some(name) = path.strip_prefix(data).ok().and_then(Path::to_str) else {
                    continue;
                };
                if path.is_file() {
                    self.add(name, &path, CompressionMethod::Stored)?;
                } else {
                    snapshot.forget_dbt_archive(&digest)?;
                    gone += 1;
                }
            }
        }
    }

    fn add_if_there(&mut self, data: &Path, name: &str) -> Result<(), BackupError> {
        let path = data.join(name);
        if path.is_file() {
            self.add(name, &path, CompressionMethod::Deflated)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        name: &str,
        path: &Path,
        method: CompressionMethod,
    ) -> Result<(), BackupError> {
        let what = || format!("back up {}", path.display());
        let file = match File::open(path) {
            Ok(file) => file,
            // Erased a moment ago.
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_go(name) => {
                return Ok(());
            }
            Err(error) => return Err(failed(what())(error)),
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .compression_level((method == CompressionMethod::Deflated).then_some(1))
            .unix_permissions(0o600)
            .large_file(true);
        self.zip.start_file(name, options).map_err(failed(what()))?;
        let mut digest = Sha256::new();
        let mut size_bytes = 0;
        let mut file = BufReader::with_capacity(256 * 1024, file);
        let mut piece = vec![0; 256 * 1024];
        loop {
            let count = file.read(&mut piece).map_err(failed(what()))?;
            if count == 0 {
                break;
            }
            digest.update(&piece[..count]);
            self.zip
                .write_all(&piece[..count])
                .map_err(failed(what()))?;
            size_bytes += count as u64;
        }
        self.manifest.files.push(Entry {
            name: name.to_owned(),
            size_bytes,
            sha256: manifest::hex(&digest.finalize()),
        });
        self.done.files += 1;
        self.done.bytes += size_bytes;
        (self.progress)(self.done);
        Ok(())
    }

    fn finish(mut self) -> Result<Progress, BackupError> {
        let what = "finish the backup";
        let options = SimpleFileOptions::default().unix_permissions(0o600);
        self.zip
            .start_file(MANIFEST, options)
            .map_err(failed(what))?;
        self.zip
            .write_all(self.manifest.to_json().as_bytes())
            .map_err(failed(what))?;
        let file = self.zip.finish().map_err(failed(what))?;
        let file = file
            .into_inner()
            .map_err(|error| failed(what)(error.into_error()))?;
        file.sync_all().map_err(failed(what))?;
        Ok(self.done)
    }
}

/// Names in a directory in order; none where there is no directory.
fn names(dir: &Path) -> Result<Vec<String>, BackupError> {
    let what = || format!("list {}", dir.display());
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(what())(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(what()))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
