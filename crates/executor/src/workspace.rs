//! The directories of one attempt: fresh at its start, gone after its end.

use std::ffi::CStr;
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

/// `<builds>/<attempt>/` and what is in it.
#[derive(Debug)]
pub struct Workspace {
    /// All of it.
    pub root: PathBuf,
    /// The checkout: `CI_PROJECT_DIR`.
    pub project: PathBuf,
    /// File variables: `RUNNER_TEMP_PROJECT_DIR`. Made when there are any.
    pub temporary: PathBuf,
    /// An empty home directory.
    pub home: PathBuf,
}

impl Workspace {
    /// Makes the directories for `attempt`, replacing what an earlier life may have left there.
    pub fn create(builds_dir: &Path, attempt: i64, project_path: &str) -> io::Result<Self> {
        let root = builds_dir.join(attempt.to_string());
        let name = directory_name(project_path);
        let workspace = Self {
            project: root.join(name),
            temporary: root.join(format!("{name}.tmp")),
            home: root.join(".home"),
            root,
        };
        let make = |path: &Path, mode| fs::DirBuilder::new().mode(mode).create(path);
        match make(&workspace.root, 0o700) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove(&workspace.root)?;
                make(&workspace.root, 0o700)?;
            }
            other => other?,
        }
        make(&workspace.project, 0o755)?;
        make(&workspace.home, 0o700)?;
        Ok(workspace)
    }

    /// The file that bash runs; bash names it in its messages.
    pub fn script_path(&self, stage: &str) -> PathBuf {
        self.root.join(stage)
    }

    /// A path for a file of the runner beside the checkout.
    pub fn private_path(&self, name: &str) -> PathBuf {
        self.root.join(format!(".{name}"))
    }

    /// Removes everything. A small workspace goes at once, a large one on a thread that may block.
    pub async fn wipe(self) -> io::Result<()> {
        let mut budget = QUICK_ENTRIES;
        let quick = open_directory(CWD, &self.root)
            .and_then(|directory| empty(directory, 0, &mut budget))
            .and_then(|()| Ok(rustix::fs::unlinkat(CWD, &self.root, AtFlags::REMOVEDIR)?));
        if quick.is_ok() {
            return Ok(());
        }
        tokio::task::spawn_blocking(move || remove(&self.root))
            .await
            .map_err(io::Error::other)?
    }
}

/// Makes a directory that only its owner may enter.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Writes a new file that only its owner may read.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)
}

/// Makes the builds directory if it is missing.
pub fn make_builds_dir(builds_dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(builds_dir)
}

/// Removes what attempts of a dead runner left.
pub fn clear_builds_dir(builds_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(builds_dir)? {
        remove(&entry?.path())?;
    }
    Ok(())
}

/// The last segment of a project path, made safe as a directory name.
fn directory_name(project_path: &str) -> &str {
    let name = project_path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name.starts_with('.') || name.contains('\0') || name.len() > 200 {
        "project"
    } else if matches!(name, "script" | "after_script") {
        // Those are our own files.
        "project"
    } else {
        name
    }
}

/// Removing so few entries takes less time than handing them to another thread.
const QUICK_ENTRIES: usize = 64;

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

fn open_directory(parent: impl AsFd, name: impl rustix::path::Arg + Copy) -> io::Result<OwnedFd> {
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
fn empty(directory: OwnedFd, depth: usize, budget: &mut usize) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_earlier_life_of_the_same_attempt_is_replaced() {
        let builds = tempfile::tempdir().unwrap();
        let first = Workspace::create(builds.path(), 7, "acme/web").unwrap();
        fs::write(first.project.join("old"), "x").unwrap();
        let second = Workspace::create(builds.path(), 7, "acme/web").unwrap();
        assert_eq!(second.project, builds.path().join("7/web"));
        assert!(!second.project.join("old").exists());
    }

    #[tokio::test]
    async fn a_tree_without_permissions_and_with_links_out_is_removed_alone() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("keep"), "x").unwrap();
        let builds = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(builds.path(), 1, "p").unwrap();
        let locked = workspace.project.join("a/locked");
        fs::create_dir_all(&locked).unwrap();
        fs::write(locked.join("f"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), workspace.project.join("out")).unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        let root = workspace.root.clone();
        workspace.wipe().await.unwrap();
        assert!(!root.exists());
        assert!(outside.path().join("keep").exists());
    }

    #[tokio::test]
    async fn a_tree_deeper_than_any_path_is_removed() {
        let builds = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(builds.path(), 1, "p").unwrap();
        let script = "p=$(printf 'd/%.0s' {1..1500}); mkdir -p $p && cd $p && mkdir -p $p";
        let status = std::process::Command::new("bash")
            .args(["-c", script])
            .current_dir(&workspace.project)
            .status()
            .unwrap();
        assert!(status.success());
        let root = workspace.root.clone();
        workspace.wipe().await.unwrap();
        assert!(!root.exists());
    }

    #[rstest]
    #[case("acme/web", "web")]
    #[case("acme/..", "project")]
    #[case("", "project")]
    #[case("acme/script", "project")]
    #[case("acme/.home", "project")]
    #[case("it's $(x)", "it's $(x)")]
    fn the_directory_is_named_after_the_project(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(directory_name(path), expected);
    }
}
