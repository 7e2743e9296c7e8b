//! The directories of one attempt: fresh at its start, gone after its end.

mod removal;
mod spare;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub use removal::remove;
pub use spare::Spares;

/// `<builds>/<attempt>/` and what is in it.
#[derive(Debug)]
pub struct Workspace {
    /// All of it.
    pub root: PathBuf,
    /// The checkout: `CI_PROJECT_DIR`.
    pub project: PathBuf,
    /// File variables: `RUNNER_TEMP_PROJECT_DIR`.
    pub temporary: PathBuf,
    /// An empty home directory.
    pub home: PathBuf,
}

/// Modes of what only we enter, and of the checkout.
const PRIVATE: u32 = 0o700;
const OPEN: u32 = 0o755;

impl Workspace {
    /// Makes the directories for `attempt`, or takes spare ones, replacing what an earlier life may
    /// have left there.
    pub fn create(
        builds_dir: &Path,
        attempt: i64,
        project_path: &str,
        spares: &Spares,
    ) -> io::Result<Self> {
        let workspace = Self::named(
            builds_dir.join(attempt.to_string()),
            directory_name(project_path),
        );
        remove(&workspace.root)?;
        if spares.take(&workspace) {
            return Ok(workspace);
        }
        let make = |path: &Path, mode| fs::DirBuilder::new().mode(mode).create(path);
        make(&workspace.root, PRIVATE)?;
        for (directory, mode) in workspace.directories() {
            make(directory, mode)?;
        }
        Ok(workspace)
    }

    fn named(root: PathBuf, project: &str) -> Self {
        Self {
            project: root.join(project),
            temporary: root.join(format!("{project}.tmp")),
            home: root.join(".home"),
            root,
        }
    }

    /// What is in the root from the start, with its modes.
    fn directories(&self) -> [(&Path, u32); 3] {
        [
            (&self.project, OPEN),
            (&self.temporary, PRIVATE),
            (&self.home, PRIVATE),
        ]
    }

    /// The file that bash runs; bash names it in its messages.
    pub fn script_path(&self, stage: &str) -> PathBuf {
        self.root.join(stage)
    }

    /// A path for a file of the runner beside the checkout.
    pub fn private_path(&self, name: &str) -> PathBuf {
        self.root.join(format!(".{name}"))
    }

    /// Removes everything. What is left of a small workspace is kept for a later attempt; a large one
    /// goes on a thread that may block.
    pub async fn wipe(self, spares: &Spares) -> io::Result<()> {
        if spares.keep(&self) {
            return Ok(());
        }
        tokio::task::spawn_blocking(move || remove(&self.root))
            .await
            .map_err(io::Error::other)?
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_earlier_life_of_the_same_attempt_is_replaced() {
        let builds = tempfile::tempdir().unwrap();
        let first = Workspace::create(builds.path(), 7, "acme/web", &Spares::default()).unwrap();
        fs::write(first.project.join("old"), "x").unwrap();
        let second = Workspace::create(builds.path(), 7, "acme/web", &Spares::default()).unwrap();
        assert_eq!(second.project, builds.path().join("7/web"));
        assert!(!second.project.join("old").exists());
    }

    #[tokio::test]
    async fn a_tree_without_permissions_and_with_links_out_is_removed_alone() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("keep"), "x").unwrap();
        let builds = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(builds.path(), 1, "p", &Spares::default()).unwrap();
        let locked = workspace.project.join("a/locked");
        fs::create_dir_all(&locked).unwrap();
        fs::write(locked.join("f"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), workspace.project.join("out")).unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        let root = workspace.root.clone();
        workspace.wipe(&Spares::default()).await.unwrap();
        assert!(!root.exists());
        assert!(outside.path().join("keep").exists());
    }

    #[tokio::test]
    async fn a_tree_deeper_than_any_path_is_removed() {
        let builds = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(builds.path(), 1, "p", &Spares::default()).unwrap();
        let script = "p=$(printf 'd/%.0s' {1..1500}); mkdir -p $p && cd $p && mkdir -p $p";
        let status = std::process::Command::new("bash")
            .args(["-c", script])
            .current_dir(&workspace.project)
            .status()
            .unwrap();
        assert!(status.success());
        let root = workspace.root.clone();
        workspace.wipe(&Spares::default()).await.unwrap();
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
