//! Git repositories for tests.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs git in a directory with an identity, or panics with its words.
pub fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("git can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Commits these files on the current branch; gives the commit id.
pub fn commit(repository: &Path, files: &[(&str, &str)], message: &str) -> String {
    for (name, content) in files {
        let path = repository.join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a parent"))
            .expect("a directory can be made");
        std::fs::write(path, content).expect("a file can be written");
    }
    git(repository, &["add", "--all"]);
    git(
        repository,
        &["commit", "--quiet", "--allow-empty", "--message", message],
    );
    git(repository, &["rev-parse", "HEAD"])
}
