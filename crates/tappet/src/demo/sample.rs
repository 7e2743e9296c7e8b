//! The repository of the demo.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use tappet_git::Git;

const PIPELINE: &str = r#"# Three stages: what a job leaves in out/ is there in the next stage.
stages: [build, test, deploy]

variables:
  GREETING: Hi

build:
  stage: build
  script:
    - mkdir -p out
    - echo "$GREETING from $CI_PROJECT_PATH at $CI_COMMIT_SHORT_SHA" | tee out/greeting.txt
  artifacts:
    paths: [out/]
    expire_in: 1 week

unit tests:
  stage: test
  script:
    - grep --quiet "$GREETING" out/greeting.txt
    - printf '\033[32mok\033[0m greeting is there\n'

spelling:
  stage: test
  script:
    - for word in $(cat README.md | head -c 60); do echo "checked $word"; done

deploy:
  stage: deploy
  script:
    - echo "This run was started by $CI_PIPELINE_SOURCE (token $CI_TRIGGER_SHORT_TOKEN…)"
    - cat out/greeting.txt
  rules:
    - if: $CI_PIPELINE_SOURCE == "trigger"
"#;

const WORKFLOW: &str = r#"# The same in GitHub Actions syntax, for the other API.
name: Hello
on: [push, workflow_dispatch]

jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      greeting: ${{ steps.greet.outputs.greeting }}
    steps:
      - uses: actions/checkout@v4
      - id: greet
        run: echo "greeting=Hi from ${{ github.repository }}" >> "$GITHUB_OUTPUT"

  test:
    runs-on: ubuntu-latest
    needs: build
    strategy:
      matrix:
        shard: [1, 2]
    steps:
      - run: echo "shard ${{ matrix.shard }}: ${{ needs.build.outputs.greeting }}"
"#;

const README: &str = "# Hello\n\nA small project that shows how Tappet runs a pipeline.\n";

/// Makes the repository with one commit on `main`.
pub fn create(git: &Git, scratch: &Path) -> anyhow::Result<PathBuf> {
    let path = scratch.join("hello");
    std::fs::create_dir_all(&path).context("cannot make the sample repository")?;
    std::fs::write(path.join(".gitlab-ci.yml"), PIPELINE)?;
    std::fs::create_dir_all(path.join(".depot/workflows"))?;
    std::fs::write(path.join(".depot/workflows/hello.yml"), WORKFLOW)?;
    std::fs::write(path.join("README.md"), README)?;
    run(git, &path, &["init", "--quiet", "--initial-branch=main"])?;
    run(git, &path, &["add", "--all"])?;
    run(git, &path, &["commit", "--quiet", "--message", "Say hello"])?;
    Ok(path)
}

fn run(git: &Git, directory: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = git
        .std_command()
        .current_dir(directory)
        .args(["-c", "user.name=Demo", "-c", "user.email=demo@example.com"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("cannot start git: is it installed?")?;
    if !output.status.success() {
        bail!(
            "git {} failed: {}",
            arguments[0],
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
