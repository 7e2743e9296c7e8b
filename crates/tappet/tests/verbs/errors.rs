//! What goes wrong, and what to do about it.

use super::Shell;

#[tokio::test]
async fn an_error_ends_in_the_next_step() {
    let mut shell = Shell::new().await;
    shell.run_with("user list", "", &[]).await;
    shell
        .run_with("project list", "", &[("TAPPET_TOKEN", "glpat-wrong")])
        .await;
    shell.run("status 99").await;
    shell
        .run_with("status 99", "", &[("TAPPET_TOKEN", "")])
        .await;
    let wrong = [
        ("TAPPET_TOKEN", ""),
        ("TAPPET_TRIGGER_TOKEN", "glptt-wrong"),
    ];
    shell
        .run_with("trigger run acme/web --ref main", "", &wrong)
        .await;
    shell.run("status x9").await;
    shell.run("project show web").await;
    shell.run("project list --server ftp://x").await;
    shell.run("logs 1 --json").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn a_server_that_is_not_there_has_its_own_code() {
    let mut shell = Shell::new().await;
    let output = shell.run("project list --server http://127.0.0.1:1").await;
    assert_eq!(output.status.code(), Some(69));
    let nobody = [("TAPPET_SERVER", ""), ("TAPPET_DATA", "/nowhere")];
    let output = shell.run_with("project list", "", &nobody).await;
    assert_eq!(output.status.code(), Some(69));
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn the_server_of_a_data_directory_needs_neither_address_nor_token() {
    let mut shell = Shell::new().await;
    let data = shell.server.data_dir().display().to_string();
    // Test servers get their token from outside; `serve` would have written this.
    std::fs::write(
        shell.server.data_dir().join("root-token"),
        tappet_server::testing::ROOT_TOKEN,
    )
    .unwrap();
    let env = [("TAPPET_SERVER", ""), ("TAPPET_DATA", data.as_str())];
    let output = shell.run_with("user show", "", &env).await;
    assert!(output.status.success(), "{}", shell.transcript());
}
