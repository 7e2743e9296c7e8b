//! Unpacking an archive that somebody else made. The whole directory of the
//! archive is checked before the first byte is written; then every path is
//! opened step by step below the project, never through a link.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use zip::ZipArchive;
use zip::read::ZipFile;

/// What an archive may hold at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Bytes after unpacking.
    pub bytes: u64,
    /// Unpacked bytes per packed byte, once there are more than [`Limits::ratio_from`].
    pub ratio: u64,
    /// Below this many unpacked bytes any ratio is fine: zeros pack very well.
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 500_000,
            bytes: 20 << 30,
            ratio: 200,
            ratio_from: 1 << 30,
        }
    }
}

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It is not a zip archive, or a broken one.
    #[error("the archive cannot be read: {0}")]
    Broken(#[from] zip::result::ZipError),
    /// It would do harm.
    #[error("the archive is refused: {0}")]
    Refused(String),
    /// The disk did not take it.
    #[error("cannot unpack {path}: {source}")]
    Io {
        /// Entry.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    File,
    Directory,
    Link,
}

struct Entry {
    index: usize,
    path: String,
    kind: Kind,
    mode: u32,
}

/// Unpacks `archive` into `project`; later archives replace files of earlier ones. Blocks.
/// Answers with the number of files, and with what was left out.
///
/// # Errors
/// See [`RestoreError`]. A refused archive has written nothing.
pub fn restore(
    archive: &Path,
    project: &Path,
    limits: &Limits,
) -> Result<(usize, Vec<String>), RestoreError> {
    let unreadable = |source| RestoreError::Io {
        path: archive.display().to_string(),
        source,
    };
    let file = File::open(archive).map_err(unreadable)?;
    let packed_bytes = file.metadata().map_err(unreadable)?.len();
    let mut zip = ZipArchive::new(BufReader::with_capacity(64 * 1024, file))?;
    let mut skipped = Vec::new();
    let entries = check(&mut zip, packed_bytes, limits, &mut skipped)?;
    let root = rustix::fs::openat(CWD, project, DIRECTORY, Mode::empty()).map_err(|errno| {
        RestoreError::Io {
            path: project.display().to_string(),
            source: errno.into(),
        }
    })?;
    let mut budget = limits.bytes;
    // Links come last: nothing is ever written while one of them exists.
    for kind in [Kind::Directory, Kind::File, Kind::Link] {
        for entry in entries.iter().filter(|entry| entry.kind == kind) {
            write(&mut zip, &root, entry, &mut budget).map_err(|error| match error {
                RestoreError::Io { source, .. } => RestoreError::Io {
                    path: entry.path.clone(),
                    source,
                },
                other => other,
            })?;
        }
    }
    Ok((
        entries
            .iter()
            .filter(|entry| entry.kind != Kind::Directory)
            .count(),
        skipped,
    ))
}

fn refused<T>(why: impl Into<String>) -> Result<T, RestoreError> {
    Err(RestoreError::Refused(why.into()))
}

/// The entries to write, when all of them may be written.
fn check<R: Read + io::Seek>(
    zip: &mut ZipArchive<R>,
    packed_bytes: u64,
    limits: &Limits,
    skipped: &mut Vec<String>,
) -> Result<Vec<Entry>, RestoreError> {
    if zip.len() > limits.entries {
        return refused(format!(
            "it has {} entries, more than {}",
            zip.len(),
            limits.entries
        ));
    }
    if zip.has_duplicate_names() {
        return refused("two entries have the same name");
    }
    if zip.has_overlapping_entries()? {
        return refused("entries overlap");
    }
    let mut entries = Vec::with_capacity(zip.len());
    let mut total: u64 = 0;
    for index in 0..zip.len() {
        let file = zip.by_index_raw(index)?;
        let entry = entry(index, &file)?;
        total = total.saturating_add(file.size());
        let path = &entry.path;
        if path
            .split('/')
            .any(|part| part.eq_ignore_ascii_case(".git"))
        {
            skipped.push(format!(
                "{path} is left out: an archive cannot change a repository"
            ));
            continue;
        }
        entries.push(entry);
    }
    check_size(total, packed_bytes, limits)?;
    check_parents(&entries)?;
    Ok(entries)
}

/// One entry as it will be written.
fn entry<R: Read>(index: usize, file: &ZipFile<'_, R>) -> Result<Entry, RestoreError> {
    let Ok(name) = std::str::from_utf8(file.name_raw()) else {
        return refused("an entry's name is not UTF-8");
    };
    let path = name.strip_suffix('/').unwrap_or(name);
    if let Some(why) = fault(path) {
        return refused(format!("entry {path:?} {why}"));
    }
    let mode = file
        .unix_mode()
        .unwrap_or(if name.ends_with('/') { 0o755 } else { 0o644 });
    let kind = match mode & libc::S_IFMT {
        libc::S_IFDIR => Kind::Directory,
        libc::S_IFLNK => Kind::Link,
        0 if name.ends_with('/') => Kind::Directory,
        0 | libc::S_IFREG => Kind::File,
        _ => {
            return refused(format!(
                "entry {path:?} is neither a file, a directory nor a link"
            ));
        }
    };
    if (kind == Kind::Directory) != name.ends_with('/') {
        return refused(format!("entry {path:?} is a file and a directory at once"));
    }
    if kind == Kind::Link && file.size() > 4096 {
        return refused(format!("link {path:?} has too long a target"));
    }
    Ok(Entry {
        index,
        path: path.to_owned(),
        kind,
        mode: mode & 0o777,
    })
}

/// Refuses what unpacks to too much, or to suspiciously much.
fn check_size(total: u64, packed_bytes: u64, limits: &Limits) -> Result<(), RestoreError> {
    if total > limits.bytes {
        return refused(format!(
            "it unpacks to {total} bytes, more than {}",
            limits.bytes
        ));
    }
    if total > limits.ratio_from && total / packed_bytes.max(1) > limits.ratio {
        return refused(format!(
            "it unpacks to {} times its size",
            total / packed_bytes.max(1)
        ));
    }
    Ok(())
}

/// Refuses an entry below another one that is no directory.
fn check_parents(entries: &[Entry]) -> Result<(), RestoreError> {
    let leaves: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry.kind != Kind::Directory)
        .map(|entry| entry.path.as_str())
        .collect();
    for entry in entries {
        let mut parent = entry.path.as_str();
        while let Some((shorter, _)) = parent.rsplit_once('/') {
            parent = shorter;
            if leaves.contains(parent) {
                return refused(format!(
                    "entry {:?} lies below the file or link {parent:?}",
                    entry.path
                ));
            }
        }
    }
    Ok(())
}

/// What is wrong with a path, if anything.
fn fault(path: &str) -> Option<&'static str> {
    let bytes = path.as_bytes();
    if path.is_empty() {
        Some("has no name")
    } else if path.starts_with('/')
        || (bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':')
    {
        Some("has an absolute path")
    } else if path.contains(['\0', '\\']) {
        Some("has a forbidden character in its name")
    } else if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Some("leaves the directory")
    } else if path.len() > 4000 || path.split('/').any(|part| part.len() > 255) {
        Some("has too long a name")
    } else {
        None
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Opens `path` below `root`, making directories as needed.
fn open_directory(root: &OwnedFd, path: &str) -> io::Result<OwnedFd> {
    let mut current = rustix::fs::openat(root, ".", DIRECTORY, Mode::empty())?;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        current = match rustix::fs::openat(&current, part, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => {
                rustix::fs::mkdirat(&current, part, Mode::from_raw_mode(0o755))?;
                rustix::fs::openat(&current, part, DIRECTORY, Mode::empty())?
            }
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(io::Error::other(format!(
                    "{part:?} is in the way: it is not a directory"
                )));
            }
            other => other?,
        };
    }
    Ok(current)
}

fn write<R: Read + io::Seek>(
    zip: &mut ZipArchive<R>,
    root: &OwnedFd,
    entry: &Entry,
    budget: &mut u64,
) -> Result<(), RestoreError> {
    let failed = |source: io::Error| RestoreError::Io {
        path: String::new(),
        source,
    };
    if entry.kind == Kind::Directory {
        open_directory(root, &entry.path).map_err(failed)?;
        return Ok(());
    }
    let (folder, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
    let folder = open_directory(root, folder).map_err(failed)?;
    match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(failed(errno.into())),
    }
    let mut packed = zip.by_index(entry.index)?;
    let size = packed.size();
    if entry.kind == Kind::Link {
        let mut target = Vec::new();
        packed.take(4097).read_to_end(&mut target).map_err(failed)?;
        if target.is_empty() || target.len() > 4096 || target.contains(&0) {
            return refused(format!("link {:?} has no usable target", entry.path));
        }
        rustix::fs::symlinkat(target.as_slice(), &folder, name)
            .map_err(|errno| failed(errno.into()))?;
        return Ok(());
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // The owner can always write: a job must be able to change what it got.
    let mode = Mode::from_raw_mode(entry.mode | 0o200);
    let file =
        rustix::fs::openat(&folder, name, flags, mode).map_err(|errno| failed(errno.into()))?;
    let mut file = File::from(file);
    // One byte more than it says would be a lie about its size.
    let written =
        io::copy(&mut (&mut packed).take(size.saturating_add(1)), &mut file).map_err(failed)?;
    if written > size || written > *budget {
        return refused(format!(
            "entry {:?} unpacks to more than it says",
            entry.path
        ));
    }
    *budget -= written;
    file.flush().map_err(failed)
}

#[cfg(test)]
mod tests;
