//! A backup back into a data directory.
//!
//! Everything is unpacked and checked beside the place first, so the data
//! directory is there whole or not at all. Schedules come back paused, because
//! the instance that was backed up may still run and start the same jobs.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tappet_store::{Snapshot, StoreError};
use zip::ZipArchive;

use super::manifest::{self, Entry, FORMAT, Manifest};
use super::{MANIFEST, Progress, WorkDir};

/// No list of contents is larger.
const MANIFEST_LIMIT: u64 = 1024 * 1024 * 1024;

/// Why nothing was restored. The data directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Something is there, maybe a server.
    #[error("{} is not empty: restore into a new directory, or move the old one away", .0.display())]
    NotEmpty(PathBuf),
    /// The file is no backup.
    #[error("{} is not a backup of Tappet: {why}", file.display())]
    NotABackup {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Made by a later program.
    #[error(
        "the backup has format {0}, this program knows only {FORMAT}: use the program that wrote it, or a newer one"
    )]
    Newer(u32),
    /// Some file in it.
    #[error("{name} in the backup is damaged: use another backup")]
    Damaged {
        /// Which.
        name: String,
    },
    /// Made without the key, and none was named.
    #[error("the backup was made without secret.key: name that file with --key")]
    NoKey,
    /// The database.
    #[error("cannot open the restored database: {0}")]
    Store(#[from] StoreError),
    /// The file system.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
}

fn failed<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> RestoreError {
    move |source| RestoreError::Io {
        what: what.into(),
        source: source.into(),
    }
}

/// What was restored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Files and bytes.
    pub progress: Progress,
    /// Schedules that were active and are paused now.
    pub paused_schedules: u64,
}

/// Restores the backup `from` into `data`, which is missing or empty. `key` is
/// the key file of a backup that was made without one. Blocks.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore(
    from: &Path,
    data: &Path,
    key: Option<&Path>,
    keep_schedules: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, RestoreError> {
    require_empty(data)?;
    let mut backup = Backup::open(from)?;
    let manifest = backup.manifest()?;
    let has_key = manifest.files.iter().any(|file| file.name == "secret.key");
    if !has_key && key.is_none() {
        return Err(RestoreError::NoKey);
    }
    let work = WorkDir::beside(data).map_err(|error| RestoreError::Io {
        what: "restore beside the data directory".to_owned(),
        source: io::Error::other(error),
    })?;
    let place = work.0.join("data");
    private_dir(&place)?;
    let mut done = Progress::default();
    for entry in &manifest.files {
        backup.unpack(entry, &place)?;
        done.files += 1;
        done.bytes += entry.size_bytes;
        progress(done);
    }
    if let Some(key) = key {
        let bytes = fs::read(key).map_err(failed(format!("read {}", key.display())))?;
        write(&place.join("secret.key"), &mut &bytes[..])?;
    }
    let database = Snapshot::open(&place.join("tappet.db"))?;
    let paused_schedules = if keep_schedules {
        0
    } else {
        database.pause_schedules()?
    };
    database.close()?;
    // An empty directory is replaced; one that has been filled meanwhile is not.
    fs::rename(&place, data).map_err(failed(format!("move the files to {}", data.display())))?;
    Ok(Summary {
        progress: done,
        paused_schedules,
    })
}

fn require_empty(data: &Path) -> Result<(), RestoreError> {
    match fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(RestoreError::NotEmpty(data.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(format!("look into {}", data.display()))(error)),
    }
}

struct Backup {
    file: PathBuf,
    zip: ZipArchive<File>,
}

impl Backup {
    fn open(file: &Path) -> Result<Self, RestoreError> {
        let opened = File::open(file).map_err(failed(format!("open {}", file.display())))?;
        let zip = ZipArchive::new(opened).map_err(|error| RestoreError::NotABackup {
            file: file.to_owned(),
            why: error.to_string(),
        })?;
        Ok(Self {
            file: file.to_owned(),
            zip,
        })
    }

    fn manifest(&mut self) -> Result<Manifest, RestoreError> {
        let file = self.file.clone();
        let not_ours = |why: String| RestoreError::NotABackup {
            file: file.clone(),
            why,
        };
        let mut text = String::new();
        let read = match self.zip.by_name(MANIFEST) {
            Ok(entry) => entry.take(MANIFEST_LIMIT).read_to_string(&mut text),
            Err(error) => return Err(not_ours(format!("{MANIFEST}: {error}"))),
        };
        read.map_err(failed("read the manifest"))?;
        #[derive(serde::Deserialize)]
        struct Form {
            format: u32,
        }
        match serde_json::from_str(&text) {
            Ok(Form { format: FORMAT }) => {}
            Ok(Form { format }) => return Err(RestoreError::Newer(format)),
            Err(error) => return Err(not_ours(format!("{MANIFEST}: {error}"))),
        }
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| not_ours(format!("{MANIFEST}: {error}")))?;
        if !manifest.files.iter().any(|entry| entry.name == "tappet.db") {
            return Err(not_ours("it holds no database".to_owned()));
        }
        if let Some(entry) = manifest.files.iter().find(|entry| !entry.has_known_name()) {
            return Err(not_ours(format!("it holds {:?}", entry.name)));
        }
        Ok(manifest)
    }

    fn unpack(&mut self, entry: &Entry, place: &Path) -> Result<(), RestoreError> {
        let damaged = || RestoreError::Damaged {
            name: entry.name.clone(),
        };
        let path = place.join(&entry.name);
        if let Some(dir) = path.parent() {
            private_dir(dir)?;
        }
        let packed = self.zip.by_name(&entry.name).map_err(|_| damaged())?;
        // One byte more than promised is enough to see that it is wrong.
        let mut content = Digested {
            inner: packed.take(entry.size_bytes.saturating_add(1)),
            digest: Sha256::new(),
            count: 0,
            is_broken: false,
        };
        let written = write(&path, &mut content);
        if content.is_broken || (written.is_ok() && content.count != entry.size_bytes) {
            return Err(damaged());
        }
        written?;
        if manifest::hex(&content.digest.finalize()) != entry.sha256 {
            return Err(damaged());
        }
        Ok(())
    }
}

/// Computes what the manifest promises while it is read.
struct Digested<R> {
    inner: R,
    digest: Sha256,
    count: u64,
    is_broken: bool,
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self
            .inner
            .read(buffer)
            .inspect_err(|_| self.is_broken = true)?;
        self.digest.update(&buffer[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

fn private_dir(dir: &Path) -> Result<(), RestoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(failed(format!("make the directory {}", dir.display())))
}

fn write(path: &Path, content: &mut dyn Read) -> Result<(), RestoreError> {
    let what = || format!("write {}", path.display());
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed(what()))?;
    let mut file = BufWriter::with_capacity(256 * 1024, file);
    io::copy(content, &mut file).map_err(failed(what()))?;
    file.flush().map_err(failed(what()))?;
    file.get_ref().sync_all().map_err(failed(what()))
}
