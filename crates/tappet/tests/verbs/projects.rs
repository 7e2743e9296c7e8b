//! `tappet project`.

use super::{PIPELINE, Shell};

#[tokio::test]
async fn a_project_is_added_found_and_shown() {
    let mut shell = Shell::new().await;
    let repository = shell
        .server
        .repository("web", &[(".gitlab-ci.yml", PIPELINE)]);
    shell.run("project list").await;
    let create = format!(
        "project create acme/web --repository {} --description 'The web shop'",
        repository.display()
    );
    shell.run(&create).await;
    shell.run("project list").await;
    shell.run("project list --search nothing").await;
    shell.run("project show acme/web").await;
    shell.run("project show acme/other").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn deleting_a_project_wants_a_yes() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell.run("project delete acme/web").await;
    insta::assert_snapshot!(shell.transcript());
    assert_eq!(
        shell.json("project list").await.as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_list_says_when_there_is_more() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell
        .server
        .project("acme/api", &[(".gitlab-ci.yml", PIPELINE)])
        .await;
    shell.run("project list --limit 1").await;
    let output = shell.run("project list --limit 2").await;
    assert!(output.stderr.is_empty(), "two of two are all");
    insta::assert_snapshot!(shell.transcript());
}
