//! `tappet trigger`: tokens.

use tappet_server::testing::ROOT_TOKEN;

use super::{PIPELINE, Shell};

#[tokio::test]
async fn a_trigger_token_is_made_listed_and_revoked() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell.run("trigger list acme/web").await;
    shell
        .run("trigger create acme/web --description nightly")
        .await;
    shell.run("trigger list acme/web").await;
    shell.run("trigger show acme/web 1").await;
    shell.run("trigger revoke acme/web 1").await;
    shell.run("trigger show acme/web 1").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn json_is_the_answer_of_the_api() {
    let shell = Shell::with_project(PIPELINE).await;
    let made = shell
        .json("trigger create acme/web --description nightly")
        .await;
    assert_eq!(made["description"], "nightly");
    let path = format!("/api/v4/projects/1/triggers/{}", made["id"]);
    let answer = shell.server.get(&path).root().send().await.json();
    assert_eq!(shell.json("trigger show acme/web 1").await, answer);
    assert_eq!(shell.json("trigger list acme/web").await[0], answer);
}

#[tokio::test]
async fn a_token_of_an_old_server_goes_on_working() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let root = [("TAPPET_TOKEN", ROOT_TOKEN)];
    let old = "0123456789abcdef0123456789abcd\n";
    let import = "trigger import acme/web --legacy --description 'from 9.0'";
    shell.run_with(import, old, &root).await;
    let own = "fedcba9876543210fedcba98765432\n";
    shell.run_with("trigger import acme/web", own, &root).await;
    shell.run("trigger take-ownership acme/web 1").await;
    shell
        .run("trigger update acme/web 1 --description 'mine now'")
        .await;
    shell.run("trigger list acme/web").await;
    insta::assert_snapshot!(shell.transcript());
}
