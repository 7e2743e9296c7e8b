//! Runs of workflows.

use super::Shell;

const DEPLOY: &str = "\
on:
  workflow_dispatch:
    inputs:
      to: {type: choice, options: [staging, production], required: true}
jobs:
  deploy: {runs-on: ubuntu-latest, steps: [{run: make deploy}]}
  tell: {runs-on: ubuntu-latest, needs: deploy, steps: [{run: make news}]}
";

async fn shell() -> Shell {
    let shell = Shell::new().await;
    let files = [(".depot/workflows/deploy.yml", DEPLOY)];
    shell.server.project("acme/web", &files).await;
    shell
}

#[tokio::test]
async fn workflows_of_the_repository_or_of_this_machine_are_started() {
    let mut shell = shell().await;
    shell.run("workflow run acme/web").await;
    shell
        .run("workflow run acme/web --path .depot/workflows/deploy.yml --job tell")
        .await;
    let file = shell.server.scratch().join("local.yml");
    std::fs::write(&file, DEPLOY).unwrap();
    let line = format!("workflow run acme/web --file {}", file.display());
    shell.run(&line).await;
    shell
        .run("workflow dispatch acme/web deploy.yml --ref main --input to=staging")
        .await;
    shell.run("status r2").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let mut shell = shell().await;
    for line in [
        "workflow run acme/nothing",
        "workflow run acme/web --path nowhere.yml",
        "workflow run acme/web --job nobody",
        "workflow run acme/web --file /nowhere/at/all.yml",
        "workflow dispatch acme/web deploy.yml --ref main",
        "workflow dispatch acme/web deploy.yml --ref main --input to=moon",
        "workflow dispatch acme/web deploy.yml --ref main --input to",
        "workflow run acme/web --sha abc",
    ] {
        shell.run(line).await;
    }
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn waiting_for_a_workflow_that_cannot_be_read_has_its_own_code() {
    let mut shell = shell().await;
    let file = shell.server.scratch().join("broken.yml");
    std::fs::write(&file, "on: push\njobs: {a: {steps: []}}\n").unwrap();
    let line = format!("workflow run acme/web --wait --file {}", file.display());
    let output = shell.run(&line).await;
    assert_eq!(output.status.code(), Some(2), "{}", shell.transcript());
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn the_same_idempotency_key_starts_one_run_of_workflows() {
    let shell = shell().await;
    let line = "workflow run acme/web --idempotency-key nightly-1";
    let first = shell.json(line).await;
    assert_eq!(shell.json(line).await["runId"], first["runId"]);
    let other = shell.json("workflow run acme/web").await;
    assert_ne!(other["runId"], first["runId"]);
}
