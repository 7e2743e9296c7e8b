//! `tappet gc`.

use std::time::Duration;

use tappet_server::retention::Keep;

use super::{PIPELINE, Shell};

#[tokio::test]
async fn what_is_too_old_is_shown_before_it_is_removed() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let keep = Keep {
        runs: Some(Duration::ZERO),
        ..Keep::default()
    };
    shell.server.restart_with(|config| config.keep = keep).await;
    shell.run("gc --dry-run").await;
    shell.run("trigger run acme/web --ref main").await;
    shell.run("cancel 1").await;
    shell.run("gc --dry-run").await;
    shell.run("status 1").await;
    shell.run("gc").await;
    shell.run("gc --dry-run").await;
    shell.run("status 1").await;
    insta::assert_snapshot!(shell.transcript());
}
