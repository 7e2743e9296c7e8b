//! People, their tokens and roles, and what is protected from whom.

use super::{PIPELINE, Shell};

#[tokio::test]
async fn who_am_i() {
    let mut shell = Shell::new().await;
    shell.run("user show").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn somebody_gets_an_account_a_token_and_a_role() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell
        .run("user create alice --name 'Alice Miller' --email alice@example.com")
        .await;
    shell
        .run("token create --user alice --name laptop --scope read_api")
        .await;
    shell.run("token list --user alice").await;
    shell.run("token rotate 2").await;
    shell.run("token revoke 3").await;
    shell
        .run("member add acme/web alice --role developer")
        .await;
    shell
        .run("member update acme/web alice --role maintainer")
        .await;
    shell.run("member list acme/web").await;
    shell.run("member remove acme/web alice").await;
    shell.run("user block alice").await;
    shell.run("user list").await;
    shell.run("user unblock alice").await;
    shell.run("user show nobody").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn branches_and_tags_are_protected_and_opened_again() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell
        .run("protect add acme/web release/* --role maintainer")
        .await;
    shell
        .run("protect add acme/web v* --tag --role developer")
        .await;
    shell.run("protect list acme/web").await;
    shell.run("protect list acme/web --tag").await;
    shell.run("protect remove acme/web release/*").await;
    insta::assert_snapshot!(shell.transcript());
}
