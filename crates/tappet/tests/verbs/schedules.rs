//! `tappet schedule`.

use tappet_server::testing::ROOT_TOKEN;

use super::{PIPELINE, Shell};

#[tokio::test]
async fn a_schedule_is_made_changed_and_removed() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell.run("schedule list acme/web").await;
    let create = "schedule create acme/web --ref main --cron '0 4 1 1 *' --description nightly";
    shell.run(create).await;
    shell.run("schedule update acme/web 1 --active false").await;
    shell.run("schedule list acme/web --scope active").await;
    shell
        .run("schedule create acme/web --ref main --cron never --description bad")
        .await;
    let root = [("TAPPET_TOKEN", ROOT_TOKEN)];
    let set = "schedule variable set acme/web 1 REGION";
    shell.run_with(set, "eu\n", &root).await;
    shell.run_with(set, "us\n", &root).await;
    shell.run("schedule variable list acme/web 1").await;
    shell
        .run("schedule variable delete acme/web 1 REGION")
        .await;
    shell.run("schedule take-ownership acme/web 1").await;
    shell.run("schedule delete acme/web 1").await;
    shell.run("schedule show acme/web 1").await;
    insta::assert_snapshot!(shell.transcript());
}
