//! Repositories that try to make git do something. Nothing may happen: a marker
//! file that each attack would leave must stay absent.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rstest::rstest;
use tappet_git::{FileError, ReadError, ResolveError};

use crate::fixture::{Sample, name};

struct Trap {
    sample: Sample,
    marker: PathBuf,
    program: PathBuf,
}

/// A repository and a program that leaves the marker.
fn trap() -> Trap {
    let sample = Sample::new();
    let marker = sample.root.path().join("marker");
    let program = sample.root.path().join("program");
    let script = format!("#!/bin/sh\ntouch '{}'\n", marker.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Trap {
        sample,
        marker,
        program,
    }
}

impl Trap {
    fn configure(&self, text: &str) {
        let path = self.sample.dir.join(".git/config");
        let text = text.replace("PROGRAM", self.program.to_str().unwrap());
        let config = fs::read_to_string(&path).unwrap();
        fs::write(path, config + &text).unwrap();
    }

    /// Everything that is ever asked of a repository.
    async fn read_all(&self) {
        let repository = self.sample.open().await;
        let sha = repository.resolve(&name("main")).await.unwrap().sha;
        repository.commit(&sha).await.unwrap();
        let file = repository.file_at(&sha, ".gitlab-ci.yml", 1 << 20).await;
        assert_eq!(&*file.unwrap().bytes, b"job: {script: date}\n");
        repository.refs().await.unwrap();
        repository.default_branch().await.unwrap();
        repository.is_empty().await.unwrap();
        let missing = "1".repeat(40).parse().unwrap();
        let error = repository.commit(&missing).await.unwrap_err();
        assert!(matches!(error, ReadError::NoCommit { .. }), "{error}");
        assert!(!self.marker.exists(), "the repository ran its program");
    }
}

#[rstest]
#[case::fsmonitor("[core]\nfsmonitor = PROGRAM\n")]
#[case::hooks("[core]\nhooksPath = /tmp\n")]
#[case::ssh(
    "[core]\nsshCommand = PROGRAM\n[remote \"origin\"]\nurl = ssh://localhost/x\npromisor = true\n"
)]
#[case::pager("[core]\npager = PROGRAM\n[pager]\ncat-file = PROGRAM\nfor-each-ref = PROGRAM\n")]
#[case::alias("[alias]\ncat-file = !PROGRAM\nrev-parse = !PROGRAM\n")]
#[case::credentials("[credential]\nhelper = PROGRAM\n")]
#[case::alternates("[core]\nalternateRefsCommand = PROGRAM\n")]
#[case::filter(
    "[filter \"x\"]\nsmudge = PROGRAM\nprocess = PROGRAM\n[diff \"x\"]\ntextconv = PROGRAM\n"
)]
#[case::missing_include("[include]\npath = /nowhere/at/all\n")]
#[case::missing_user_include("[include]\npath = ~/nothing\n")]
#[case::work_tree("[core]\nworktree = /nowhere\n")]
#[tokio::test]
async fn configuration_of_the_repository_runs_nothing(#[case] config: &str) {
    let trap = trap();
    trap.configure(config);
    trap.read_all().await;
}

#[tokio::test]
async fn an_included_file_runs_nothing() {
    let trap = trap();
    let included = trap.sample.root.path().join("included");
    let program = trap.program.display();
    let text = format!("[core]\nfsmonitor = {program}\nsshCommand = {program}\n");
    fs::write(&included, text).unwrap();
    trap.configure(&format!("[include]\npath = {}\n", included.display()));
    trap.read_all().await;
}

#[tokio::test]
async fn hooks_do_not_run() {
    let trap = trap();
    let hooks = trap.sample.dir.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["reference-transaction", "post-checkout", "pre-auto-gc"] {
        fs::copy(&trap.program, hooks.join(hook)).unwrap();
    }
    trap.read_all().await;
    // Even a command that writes refs, as the executor runs them, leaves hooks alone.
    trap.sample.git(&["branch", "another"]);
    assert!(!trap.marker.exists());
}

#[rstest]
#[case("ext::PROGRAM")]
#[case("ext::sh -c PROGRAM% x")]
#[case("fd::0")]
#[case("ssh://-oProxyCommand=PROGRAM/x")]
#[tokio::test]
async fn a_promisor_remote_is_never_asked(#[case] url: &str) {
    let trap = trap();
    trap.configure(&format!(
        "[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n\
         [protocol]\nallow = always\n[protocol \"ext\"]\nallow = always\n\
         [remote \"origin\"]\nurl = {url}\npromisor = true\npartialclonefilter = blob:none\n"
    ));
    trap.read_all().await;
    // A file that was never fetched is reported, not fetched.
    let blob = trap.sample.git(&["rev-parse", "HEAD:.gitlab-ci.yml"]);
    fs::remove_file(trap.sample.loose(&blob)).unwrap();
    let sha = trap.sample.sha("main");
    let repository = trap.sample.open().await;
    let file = repository.file_at(&sha, ".gitlab-ci.yml", 1 << 20).await;
    assert!(
        matches!(file, Err(FileError::Read(ReadError::Corrupt { .. }))),
        "{file:?}"
    );
    assert!(!trap.marker.exists());
}

/// The trap works: with the protections off, git does run the program.
#[test]
fn the_promisor_trap_would_go_off() {
    let trap = trap();
    trap.configure(
        "[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n\
         [remote \"origin\"]\nurl = ext::PROGRAM\npromisor = true\n",
    );
    let blob = trap.sample.git(&["rev-parse", "HEAD:.gitlab-ci.yml"]);
    fs::remove_file(trap.sample.loose(&blob)).unwrap();
    let mut unprotected = trap.sample.git_in(&trap.sample.dir);
    unprotected
        .env("GIT_ALLOW_PROTOCOL", "ext")
        .env_remove("GIT_NO_LAZY_FETCH")
        .args(["cat-file", "-p", &blob])
        .output()
        .unwrap();
    assert!(trap.marker.exists());
}

#[tokio::test]
async fn a_symlink_as_pipeline_file_is_refused() {
    let sample = Sample::empty();
    sample.link(".gitlab-ci.yml", "/etc/passwd");
    let sha = sample.commit("link");
    let file = sample
        .open()
        .await
        .file_at(&sha, ".gitlab-ci.yml", 1 << 20)
        .await;
    assert_eq!(file, Err(FileError::Symlink));
}

#[tokio::test]
async fn replacement_refs_do_not_change_what_a_commit_is() {
    let sample = Sample::new();
    let honest = sample.sha("main");
    sample.write(".gitlab-ci.yml", "evil: {}\n");
    let evil = sample.commit("evil");
    sample.git(&["update-ref", "refs/heads/main", honest.as_str()]);
    let replace = format!("refs/replace/{honest}");
    sample.git(&["update-ref", &replace, evil.as_str()]);
    let repository = sample.open().await;
    assert_eq!(repository.commit(&honest).await.unwrap().title(), "first");
    let file = repository.file_at(&honest, ".gitlab-ci.yml", 1 << 20).await;
    assert_eq!(&*file.unwrap().bytes, b"job: {script: date}\n");
}

#[tokio::test]
async fn a_broken_alternate_does_not_stop_reading() {
    let sample = Sample::new();
    let info = sample.dir.join(".git/objects/info");
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("alternates"), "/nowhere\n/etc\n../../../..\n").unwrap();
    let repository = sample.open().await;
    assert!(repository.resolve(&name("main")).await.is_ok());
}

/// Only root can give a repository away.
#[tokio::test]
async fn a_repository_of_another_user_is_read() {
    let sample = Sample::new();
    let chown = std::process::Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(&sample.dir)
        .status()
        .unwrap();
    let root =
        fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0);
    assert_eq!(chown.success(), root);
    assert!(sample.open().await.resolve(&name("main")).await.is_ok());
    // Through upload-pack as well, where git looks at the owner itself.
    let clone = sample.root.path().join("clone");
    let cloned = sample
        .git
        .std_command()
        .args(["clone", "--quiet", "--no-local", "--"])
        .args([&sample.dir, &clone])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&cloned.stderr);
    assert!(cloned.status.success(), "{errors}");
}

#[tokio::test]
async fn a_gitfile_that_leads_nowhere_is_no_repository() {
    let sample = Sample::new();
    fs::remove_dir_all(sample.dir.join(".git")).unwrap();
    fs::write(sample.dir.join(".git"), "gitdir: /nowhere\n").unwrap();
    let opened = tappet_git::Repository::open(&sample.git, &sample.dir).await;
    assert!(opened.is_err());
    fs::write(sample.dir.join(".git"), "gitdir: \0$(id)\n").unwrap();
    assert!(
        tappet_git::Repository::open(&sample.git, &sample.dir)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_ref_that_points_at_itself_is_not_followed() {
    let sample = Sample::new();
    fs::write(
        sample.dir.join(".git/refs/heads/loop"),
        "ref: refs/heads/loop\n",
    )
    .unwrap();
    let repository = sample.open().await;
    let found = repository.resolve(&name("loop")).await;
    assert!(
        matches!(found, Err(ResolveError::NotFound | ResolveError::Read(_))),
        "{found:?}"
    );
    assert!(repository.resolve(&name("main")).await.is_ok());
}
