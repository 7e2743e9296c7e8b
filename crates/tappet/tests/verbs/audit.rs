//! `tappet audit`.

use super::{PIPELINE, Shell};

#[tokio::test]
async fn the_log_tells_who_did_what_and_with_which_token() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell
        .run("trigger create acme/web --description nightly")
        .await;
    shell.run("audit list --project acme/web").await;
    shell
        .run("audit list --project acme/web --until 2026-01-01")
        .await;
    insta::assert_snapshot!(shell.transcript());
}
