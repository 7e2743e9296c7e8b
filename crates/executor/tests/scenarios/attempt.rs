//! A builder for attempts and what they leave behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tappet_executor::{
    AttemptIo, Control, Executor, ExecutorSettings, NamedUpload, Outcome, TransferError,
};
use tappet_git::Git;
use tappet_model::runner_protocol::{
    ArtifactUpload, Dependency, DependencyFile, GitInfo, JobInfo, JobPayload, PayloadVariable,
    RunnerLimits, Step,
};
use tappet_model::steps_payload::{NamedArtifact, StepsPayload};
use tokio::sync::watch;

use super::named_artifacts::NamedArtifacts;

/// Collects the log and keeps uploads; cancels when a text appears.
pub struct Recorder {
    pub log: Mutex<Vec<u8>>,
    pub uploads: Mutex<Vec<(String, Vec<u8>)>>,
    archives: HashMap<i64, Vec<u8>>,
    named: Arc<NamedArtifacts>,
    patches: HashMap<String, String>,
    wish_at: Option<(&'static str, Control)>,
    wishes: watch::Sender<Control>,
}

impl AttemptIo for Recorder {
    async fn log(&self, bytes: &[u8]) {
        let mut log = self.log.lock().unwrap();
        log.extend_from_slice(bytes);
        if let Some((text, wish)) = self.wish_at {
            let start = log.len().saturating_sub(bytes.len() + text.len());
            if log[start..]
                .windows(text.len())
                .any(|window| window == text.as_bytes())
            {
                self.wishes.send_replace(wish);
            }
        }
    }

    async fn note(&self, text: String) {
        self.log.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    async fn fetch(&self, dependency: &Dependency, to: &Path) -> Result<(), TransferError> {
        let bytes = self
            .archives
            .get(&dependency.id)
            .ok_or_else(|| TransferError("404".into()))?;
        std::fs::write(to, bytes).map_err(|error| TransferError(error.to_string()))
    }

    async fn upload(
        &self,
        _: &ArtifactUpload,
        name: &str,
        file: &Path,
    ) -> Result<(), TransferError> {
        self.uploads
            .lock()
            .unwrap()
            .push((name.to_owned(), std::fs::read(file).unwrap()));
        Ok(())
    }

    async fn upload_named(
        &self,
        artifact: &NamedUpload,
        file: &Path,
    ) -> Result<NamedArtifact, TransferError> {
        self.named.upload(artifact, std::fs::read(file).unwrap())
    }

    async fn list_named(&self) -> Result<Vec<NamedArtifact>, TransferError> {
        Ok(self.named.list())
    }

    async fn fetch_named(&self, id: i64, to: &Path) -> Result<(), TransferError> {
        std::fs::write(to, self.named.fetch(id)?).map_err(|error| TransferError(error.to_string()))
    }

    async fn fetch_patch(&self, key: &str, to: &Path) -> Result<(), TransferError> {
        let patch = self.patches.get(key);
        let patch = patch.ok_or_else(|| TransferError("404".into()))?;
        std::fs::write(to, patch).map_err(|error| TransferError(error.to_string()))
    }
}

/// What is left of an attempt.
pub struct Done {
    pub outcome: Outcome,
    pub log: String,
    pub raw: Vec<u8>,
    pub uploads: Vec<(String, Vec<u8>)>,
}

impl Done {
    /// Names in the first uploaded archive.
    pub fn archive(&self) -> Vec<String> {
        let bytes = std::io::Cursor::new(self.uploads[0].1.clone());
        let zip = zip::ZipArchive::new(bytes).unwrap();
        zip.file_names()
            .map(|name| name.unwrap().into_owned())
            .collect()
    }
}

/// A job in the making.
pub struct Job {
    pub payload: JobPayload,
    archives: HashMap<i64, Vec<u8>>,
    pub named: Arc<NamedArtifacts>,
    pub patches: HashMap<String, String>,
    wish_at: Option<(&'static str, Control)>,
    force_mark: bool,
    grace: Duration,
}

pub fn job(script: &[&str]) -> Job {
    let mut payload: JobPayload = serde_json::from_str(r#"{"id":15,"token":"t"}"#).unwrap();
    payload.job_info = JobInfo {
        project_full_path: "acme/web".into(),
        ..JobInfo::default()
    };
    payload.runner_info = RunnerLimits { timeout: 60 };
    payload.git_info = GitInfo::default();
    let job = Job {
        payload,
        archives: HashMap::new(),
        named: Arc::default(),
        patches: HashMap::new(),
        wish_at: None,
        force_mark: false,
        grace: Duration::from_secs(5),
    };
    job.step("script", script).variable("GIT_STRATEGY", "none")
}

impl Job {
    pub fn steps(mut self, steps: StepsPayload) -> Self {
        self.payload.tappet = Some(Box::new(steps));
        self
    }

    fn step(mut self, name: &str, script: &[&str]) -> Self {
        self.payload.steps.push(Step {
            name: name.into(),
            script: script.iter().map(|line| (*line).to_owned()).collect(),
            timeout: 0,
            when: String::new(),
            allow_failure: false,
        });
        self
    }

    pub fn after(self, script: &[&str]) -> Self {
        self.step("after_script", script)
    }

    pub fn variable(self, key: &str, value: &str) -> Self {
        self.with_variable(key, value, false)
    }

    pub fn file_variable(self, key: &str, value: &str) -> Self {
        self.with_variable(key, value, true)
    }

    fn with_variable(mut self, key: &str, value: &str, file: bool) -> Self {
        self.payload.variables.push(PayloadVariable {
            key: key.into(),
            value: value.into(),
            public: true,
            masked: false,
            file,
            raw: true,
        });
        self
    }

    pub fn checkout(mut self, url: String, sha: &str, branch: &str) -> Self {
        self.payload
            .variables
            .retain(|variable| variable.key != "GIT_STRATEGY");
        self.payload.git_info = GitInfo {
            repo_url: url,
            sha: sha.into(),
            ref_name: branch.into(),
            refspecs: vec![format!("+refs/heads/{branch}:refs/remotes/origin/{branch}")],
            ..GitInfo::default()
        };
        self
    }

    pub fn artifact(mut self, paths: &[&str], change: impl FnOnce(&mut ArtifactUpload)) -> Self {
        let mut artifact = ArtifactUpload {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            artifact_type: "archive".into(),
            artifact_format: "zip".into(),
            ..ArtifactUpload::default()
        };
        change(&mut artifact);
        self.payload.artifacts.push(artifact);
        self
    }

    pub fn dependency(mut self, id: i64, archive: Option<Vec<u8>>) -> Self {
        self.payload.dependencies.push(Dependency {
            id,
            token: "t".into(),
            name: format!("build{id}"),
            artifacts_file: Some(DependencyFile {
                filename: "artifacts.zip".into(),
                size: 1,
            }),
        });
        self.archives.extend(archive.map(|bytes| (id, bytes)));
        self
    }

    pub fn timeout(mut self, seconds: u64) -> Self {
        self.payload.runner_info.timeout = seconds;
        self
    }

    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    pub fn wish_at(mut self, text: &'static str, wish: Control) -> Self {
        self.wish_at = Some((text, wish));
        self
    }

    pub fn without_namespaces(mut self, without: bool) -> Self {
        self.force_mark = without;
        self
    }

    pub async fn run(self) -> Done {
        let builds = tempfile::tempdir().unwrap();
        let mut settings = ExecutorSettings::new(builds.path(), git(builds.path()));
        settings.builds_dir = builds.path().join("builds");
        settings.force_mark = self.force_mark;
        settings.grace = self.grace;
        let executor = Executor::new(settings).unwrap();
        let (wishes, control) = watch::channel(Control::Run);
        let recorder = Recorder {
            log: Mutex::default(),
            uploads: Mutex::default(),
            archives: self.archives,
            named: self.named,
            patches: self.patches,
            wish_at: self.wish_at,
            wishes,
        };
        let outcome = executor.execute(&self.payload, 0, &recorder, control).await;
        assert_eq!(left_in(executor.builds_dir()), [] as [PathBuf; 0]);
        let raw = recorder.log.into_inner().unwrap();
        let log = String::from_utf8_lossy(&raw).into_owned();
        Done {
            outcome,
            log,
            raw,
            uploads: recorder.uploads.into_inner().unwrap(),
        }
    }
}

/// The attempt alone, with everything around it already made.
pub fn prepared(job: Job) -> impl Future<Output = ()> {
    let builds = tempfile::tempdir().unwrap();
    let mut settings = ExecutorSettings::new(builds.path().join("builds"), git(builds.path()));
    settings.force_mark = job.force_mark;
    let executor = Executor::new(settings).unwrap();
    let (wishes, control) = watch::channel(Control::Run);
    let recorder = Recorder {
        log: Mutex::default(),
        uploads: Mutex::default(),
        archives: job.archives,
        named: job.named,
        patches: job.patches,
        wish_at: None,
        wishes,
    };
    async move {
        executor.execute(&job.payload, 0, &recorder, control).await;
        drop(builds);
    }
}

pub fn git(home: &Path) -> Git {
    Git::find(&home.join("git-home")).unwrap()
}

/// A repository with one commit of these files; its path, address and commit.
pub struct Source {
    pub dir: tempfile::TempDir,
    pub url: String,
    pub sha: String,
}

pub fn source(files: &[(&str, &str)]) -> Source {
    let dir = tempfile::tempdir().unwrap();
    run_git(dir.path(), &["init", "-q", "-b", "main"]);
    for (path, content) in files {
        let path: PathBuf = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    run_git(dir.path(), &["add", "-A"]);
    run_git(dir.path(), &["commit", "-q", "-m", "one"]);
    let sha = run_git(dir.path(), &["rev-parse", "HEAD"]);
    Source {
        url: format!("file://{}", dir.path().display()),
        sha,
        dir,
    }
}

pub fn run_git(dir: &Path, args: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a job left where jobs work. The directories of an empty workspace may wait there for the next
/// job, under a name of their own.
fn left_in(builds: &Path) -> Vec<PathBuf> {
    let entries = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let (spares, mut left): (Vec<_>, Vec<_>) = entries(builds).into_iter().partition(|path| {
        let name = path.file_name().unwrap();
        name.as_encoded_bytes().starts_with(b".spare-")
    });
    for inner in spares.iter().flat_map(|spare| entries(spare)) {
        match inner.is_dir() {
            true => left.extend(entries(&inner)),
            false => left.push(inner),
        }
    }
    left
}
