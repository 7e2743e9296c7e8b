//! A repository to try things on, made by the same git.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tappet_git::{Git, ReadLimits, Repository};
use tappet_model::{CommitSha, RefName};
use tempfile::TempDir;

/// A temporary folder with a git, and a repository `repo` with branch `main`.
pub struct Sample {
    pub root: TempDir,
    pub git: Git,
    pub dir: PathBuf,
}

impl Sample {
    /// A repository without commits.
    pub fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        let git = Git::find(&root.path().join("home")).unwrap();
        let dir = root.path().join("repo");
        fs::create_dir(&dir).unwrap();
        let sample = Self { root, git, dir };
        sample.git(&["init", "--quiet", "."]);
        sample
    }

    /// A repository with one commit on `main`: a pipeline file.
    pub fn new() -> Self {
        let sample = Self::empty();
        sample.write(".gitlab-ci.yml", "job: {script: date}\n");
        sample.commit("first");
        sample
    }

    pub fn git_in(&self, dir: &Path) -> Command {
        let mut command = self.git.std_command();
        command.current_dir(dir);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Ada");
            command.env(format!("GIT_{role}_EMAIL"), "ada@example.com");
            command.env(format!("GIT_{role}_DATE"), "1700000000 +0000");
        }
        command
    }

    /// Runs git in the repository and returns what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = self.git_in(&self.dir).args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn link(&self, path: &str, target: &str) {
        symlink(target, self.dir.join(path)).unwrap();
    }

    pub fn commit(&self, message: &str) -> CommitSha {
        self.git(&["add", "--all", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.sha("HEAD")
    }

    pub fn sha(&self, revision: &str) -> CommitSha {
        self.git(&["rev-parse", "--verify", &format!("{revision}^{{commit}}")])
            .parse()
            .unwrap()
    }

    /// Where a loose object lies.
    pub fn loose(&self, id: &str) -> PathBuf {
        self.dir.join(".git/objects").join(&id[..2]).join(&id[2..])
    }

    pub async fn open(&self) -> Arc<Repository> {
        Arc::new(Repository::open(&self.git, &self.dir).await.unwrap())
    }

    pub async fn open_with(&self, reply: Duration, idle: Duration) -> Arc<Repository> {
        let limits = ReadLimits { reply, idle };
        let opened = Repository::open_with(&self.git, &self.dir, limits).await;
        Arc::new(opened.unwrap())
    }

    /// The ids of the `git cat-file` processes of this repository that are our
    /// children, zombies included.
    pub fn batch_processes(&self) -> Vec<i32> {
        let marker = self.root.path().to_str().unwrap().to_owned();
        children()
            .into_iter()
            .filter(|pid| {
                let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                String::from_utf8_lossy(&environment).contains(&marker)
            })
            .collect()
    }
}

/// The process ids of all our children, zombies included.
fn children() -> Vec<i32> {
    let us = std::process::id().to_string();
    let parent = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(") ")?;
        rest.split(' ').nth(1).map(str::to_owned)
    };
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| parent(*pid).as_deref() == Some(us.as_str()))
        .collect()
}

/// Whether a process exists, be it as a zombie.
pub fn exists(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

pub fn name(text: &str) -> RefName {
    RefName::new(text).unwrap()
}
