//! Emptied workspaces that wait for the next attempt: to rename directories costs less than to make
//! and remove them, on a file system that looks for a free inode each time most of all.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, Dir, IFlags, Mode, RenameFlags};

use super::removal::{empty, open_directory};
use super::{PRIVATE, Workspace};

/// Removing so few entries takes less time than handing them to another thread.
const QUICK_ENTRIES: usize = 64;

/// A directory that has grown beyond this stays slow to read when it is empty again.
const MAX_DIRECTORY_BYTES: i64 = 64 * 1024;

/// Workspaces in which nothing is left but their own directories.
#[derive(Debug, Default)]
pub struct Spares(Mutex<Vec<Workspace>>);

impl Spares {
    fn all(&self) -> MutexGuard<'_, Vec<Workspace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a spare in the place of `workspace`, where there is nothing; false when there is none.
    pub(super) fn take(&self, workspace: &Workspace) -> bool {
        let Some(spare) = self.all().pop() else {
            return false;
        };
        let moved = rename(&spare.root, &workspace.root).and_then(|()| {
            let old = spare.at(workspace.root.clone());
            let pairs = old.directories().into_iter().zip(workspace.directories());
            pairs
                .filter(|((from, _), (to, _))| from != to)
                .try_for_each(|((from, _), (to, _))| rename(from, to))
        });
        if let Err(error) = &moved {
            tracing::debug!(%error, "cannot use a spare workspace again");
            let _ = super::remove(&spare.root);
            let _ = super::remove(&workspace.root);
        }
        moved.is_ok()
    }

    /// Empties `workspace` and keeps it; false when it is too large to do so at once, or is not
    /// as it was made.
    pub(super) fn keep(&self, workspace: &Workspace) -> bool {
        let Some(name) = workspace.root.file_name() else {
            return false;
        };
        let mut spare_name = OsString::from(".spare-");
        spare_name.push(name);
        let spare = workspace.at(workspace.root.with_file_name(spare_name));
        let kept = clear(workspace).and_then(|()| rename(&workspace.root, &spare.root));
        match kept {
            Ok(()) => {
                self.all().push(spare);
                true
            }
            Err(error) => {
                tracing::debug!(%error, "a workspace is not kept");
                false
            }
        }
    }
}

impl Workspace {
    /// The same directories in another root.
    fn at(&self, root: PathBuf) -> Self {
        let moved = |path: &Path| root.join(path.file_name().unwrap_or_default());
        Self {
            project: moved(&self.project),
            temporary: moved(&self.temporary),
            home: moved(&self.home),
            root,
        }
    }
}

/// Never puts a directory in the place of another: `web.tmp` may be a project too.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let flags = RenameFlags::NOREPLACE;
    Ok(rustix::fs::renameat_with(CWD, from, CWD, to, flags)?)
}

/// Removes everything but the directories themselves.
fn clear(workspace: &Workspace) -> io::Result<()> {
    let mut budget = QUICK_ENTRIES;
    let ours = workspace.directories();
    for (directory, mode) in ours {
        let opened = open_directory(CWD, directory)?;
        empty(opened.try_clone()?, 0, &mut budget)?;
        check_unchanged(&opened, mode)?;
    }
    let root = open_directory(CWD, &workspace.root)?;
    for entry in Dir::read_from(&root)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = |(directory, _): &(&Path, u32)| {
            let own = directory.file_name();
            own.is_some_and(|own| own.as_encoded_bytes() == name.to_bytes())
        };
        if matches!(name.to_bytes(), b"." | b"..") || ours.iter().any(is_ours) {
            continue;
        }
        match rustix::fs::unlinkat(&root, name, AtFlags::empty()) {
            Err(rustix::io::Errno::ISDIR) => {
                empty(open_directory(&root, name)?, 1, &mut budget)?;
                rustix::fs::unlinkat(&root, name, AtFlags::REMOVEDIR)?;
            }
            other => other?,
        }
    }
    check_unchanged(&root, PRIVATE)
}

/// A job may have changed more of a directory than what is in it.
fn check_unchanged(directory: &OwnedFd, mode: u32) -> io::Result<()> {
    let changed = |what: &str| Err(io::Error::other(format!("the job changed {what}")));
    let stat = rustix::fs::fstat(directory)?;
    if Mode::from_raw_mode(stat.st_mode) != Mode::from_raw_mode(mode) {
        return changed("a mode");
    }
    if stat.st_uid != rustix::process::geteuid().as_raw()
        || stat.st_gid != rustix::process::getegid().as_raw()
    {
        return changed("an owner");
    }
    if stat.st_size > MAX_DIRECTORY_BYTES {
        return changed("the size of a directory");
    }
    if is_locked(directory) || has_attributes(directory)? {
        return changed("attributes");
    }
    Ok(())
}

/// `chattr +i` and `+a`.
fn is_locked(directory: &OwnedFd) -> bool {
    rustix::fs::ioctl_getflags(directory)
        .is_ok_and(|flags| flags.intersects(IFlags::IMMUTABLE | IFlags::APPEND))
}

/// Extended attributes, access control lists among them; what the security module of the kernel
/// sets is on every directory.
fn has_attributes(directory: &OwnedFd) -> io::Result<bool> {
    let mut names = [0; 1024];
    let length = match rustix::fs::flistxattr(directory, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::NOTSUP) => 0,
        Err(errno) => return Err(errno.into()),
    };
    let mut names = names[..length].split(|byte| *byte == 0);
    Ok(names.any(|name| !name.is_empty() && !name.starts_with(b"security.")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use rstest::rstest;
    use rustix::fs::XattrFlags;

    use super::*;

    async fn used(builds: &Path, spares: &Spares, job: fn(&Workspace)) -> (u64, Workspace) {
        let first = Workspace::create(builds, 1, "acme/web", spares).unwrap();
        let inode = fs::metadata(&first.root).unwrap().ino();
        job(&first);
        first.wipe(spares).await.unwrap();
        (
            inode,
            Workspace::create(builds, 2, "acme/shop", spares).unwrap(),
        )
    }

    fn leave_files(workspace: &Workspace) {
        fs::create_dir_all(workspace.project.join("target/debug")).unwrap();
        fs::write(workspace.project.join("target/debug/web"), "x").unwrap();
        fs::write(workspace.home.join(".netrc"), "secret").unwrap();
        fs::write(workspace.temporary.join("KEY"), "secret").unwrap();
        fs::write(workspace.script_path("script"), "true").unwrap();
    }

    #[tokio::test]
    async fn the_next_attempt_gets_the_same_directories_empty_under_its_own_names() {
        let builds = tempfile::tempdir().unwrap();
        let spares = Spares::default();
        let (inode, second) = used(builds.path(), &spares, leave_files).await;
        assert_eq!(fs::metadata(&second.root).unwrap().ino(), inode);
        assert_eq!(second.project, builds.path().join("2/shop"));
        let names = |path: &Path| {
            let entries = fs::read_dir(path).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(builds.path()), ["2"]);
        assert_eq!(names(&second.root), [".home", "shop", "shop.tmp"]);
        for (directory, _) in second.directories() {
            assert!(names(directory).is_empty(), "{}", directory.display());
        }
    }

    #[tokio::test]
    async fn names_that_meet_do_not_mix_the_directories_up() {
        let builds = tempfile::tempdir().unwrap();
        let spares = Spares::default();
        for (attempt, project) in (1..).zip(["web", "web.tmp", "web"]) {
            let workspace = Workspace::create(builds.path(), attempt, project, &spares).unwrap();
            for (directory, mode) in workspace.directories() {
                let found = fs::metadata(directory).unwrap().mode() & 0o7777;
                assert_eq!(found, mode, "{}", directory.display());
            }
            workspace.wipe(&spares).await.unwrap();
        }
    }

    #[rstest]
    #[case::a_mode(|workspace: &Workspace| {
        fs::set_permissions(&workspace.project, fs::Permissions::from_mode(0o777)).unwrap();
    })]
    #[case::an_attribute(|workspace: &Workspace| {
        rustix::fs::setxattr(&workspace.home, "user.x", b"1", XattrFlags::CREATE).unwrap();
    })]
    #[case::a_link_in_place_of_a_directory(|workspace: &Workspace| {
        fs::remove_dir(&workspace.home).unwrap();
        symlink("/tmp", &workspace.home).unwrap();
    })]
    #[case::a_directory_less(|workspace: &Workspace| fs::remove_dir(&workspace.project).unwrap())]
    #[case::a_large_tree(|workspace: &Workspace| {
        for number in 0..=QUICK_ENTRIES {
            fs::write(workspace.project.join(number.to_string()), "").unwrap();
        }
    })]
    #[tokio::test]
    async fn a_workspace_is_made_anew_when_the_job_changed(#[case] job: fn(&Workspace)) {
        let builds = tempfile::tempdir().unwrap();
        let spares = Spares::default();
        let (_, second) = used(builds.path(), &spares, job).await;
        assert!(spares.all().is_empty());
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
        for (directory, expected) in second.directories() {
            assert_eq!(mode(directory), expected);
        }
        assert_eq!(fs::read_dir(&second.home).unwrap().count(), 0);
        assert!(!builds.path().join("1").exists());
    }
}
