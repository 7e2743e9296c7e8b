//! `tappet hook`.

use tappet_server::testing::ROOT_TOKEN;

use super::{PIPELINE, Shell};

#[tokio::test]
async fn a_webhook_is_added_and_removed() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell.run("hook list acme/web").await;
    let root = [("TAPPET_TOKEN", ROOT_TOKEN)];
    let create = "hook create acme/web http://127.0.0.1:9/ci --event pipeline --event job \
                  --secret-file -";
    shell.run_with(create, "a-shared-secret\n", &root).await;
    shell.run("hook list acme/web").await;
    shell.run("hook delete acme/web 1").await;
    shell.run("hook delete acme/web 1").await;
    insta::assert_snapshot!(shell.transcript());
}
