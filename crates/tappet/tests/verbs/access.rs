//! People, their tokens and roles.

use super::Shell;

#[tokio::test]
async fn who_am_i() {
    let mut shell = Shell::new().await;
    shell.run("user show").await;
    insta::assert_snapshot!(shell.transcript());
}
