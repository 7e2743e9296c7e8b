//! `tappet variable`.

use tappet_server::testing::ROOT_TOKEN;

use super::{PIPELINE, Shell};

#[tokio::test]
async fn a_secret_comes_from_standard_input_and_is_listed_without_its_value() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let root = [("TAPPET_TOKEN", ROOT_TOKEN)];
    shell.run("variable list --project acme/web").await;
    let set = "variable set --project acme/web DEPLOY_KEY --masked --protected";
    shell.run_with(set, "a-long-secret\n", &root).await;
    shell.run("variable list --project acme/web").await;
    shell
        .run("variable set --project acme/web DEPLOY_KEY another-secret --protected=false")
        .await;
    shell
        .run("variable show --project acme/web DEPLOY_KEY")
        .await;
    shell
        .run("variable delete --project acme/web DEPLOY_KEY")
        .await;
    shell
        .run("variable show --project acme/web DEPLOY_KEY")
        .await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn groups_and_the_server_have_variables_too() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell.run("variable set --group acme REGION eu").await;
    shell
        .run("variable set --instance PROXY http://proxy.example:3128")
        .await;
    shell.run("variable list --group acme").await;
    shell.run("variable show --instance PROXY").await;
    shell.run("variable list").await;
    insta::assert_snapshot!(shell.transcript());
}
