//! Removes trees that a job made, whatever is in them.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

/// How deep our own removal goes before it leaves the tree to `rm`: each level holds a descriptor.
const MAX_DEPTH: usize = 100;

/// Removes a file or a whole tree without following links, whatever modes a job has set.
pub fn remove(path: &Path) -> io::Result<()> {
    match rustix::fs::unlinkat(CWD, path, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut budget = usize::MAX;
    let emptied = open_directory(CWD, path).and_then(|directory| empty(directory, 0, &mut budget));
    match emptied.and_then(|()| Ok(rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR)?)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // A tree too deep for us is no trouble for rm, which moves along with it.
            let status = std::process::Command::new("rm")
                .args(["-rf", "--"])
                .arg(path)
                .stderr(std::process::Stdio::null())
                .status()?;
            if status.success() { Ok(()) } else { Err(error) }
        }
    }
}

/// Opens a directory itself, whatever mode a job has set; a link is an error.
pub(super) fn open_directory(
    parent: impl AsFd,
    name: impl rustix::path::Arg + Copy,
) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(&parent, name, flags, Mode::empty()) {
        Err(rustix::io::Errno::ACCESS) => {
            rustix::fs::chmodat(&parent, name, Mode::RWXU, AtFlags::empty())?;
            Ok(rustix::fs::openat(&parent, name, flags, Mode::empty())?)
        }
        other => Ok(other?),
    }
}

/// Removes what is in `directory`; at most `budget` entries.
pub(super) fn empty(directory: OwnedFd, depth: usize, budget: &mut usize) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("the directory tree is too deep"));
    }
    let mut chmodded = false;
    let entries = Dir::read_from(&directory)?;
    for entry in entries {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        *budget = budget
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("the directory tree is too large"))?;
        let is_directory = match entry.file_type() {
            FileType::Directory => true,
            FileType::Unknown => {
                let stat = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            }
            _ => false,
        };
        if is_directory {
            empty(open_directory(&directory, name)?, depth + 1, budget)?;
        }
        let flags = if is_directory {
            AtFlags::REMOVEDIR
        } else {
            AtFlags::empty()
        };
        match rustix::fs::unlinkat(&directory, name, flags) {
            Err(rustix::io::Errno::ACCESS) if !chmodded => {
                rustix::fs::fchmod(&directory, Mode::RWXU)?;
                chmodded = true;
                rustix::fs::unlinkat(&directory, name, flags)?;
            }
            other => other?,
        }
    }
    Ok(())
}
