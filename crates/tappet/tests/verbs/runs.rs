//! Starting, watching and steering runs.

use tappet_server::testing::ROOT_TOKEN;

use super::{PIPELINE, Shell};

#[tokio::test]
async fn a_run_is_started_looked_at_and_canceled() {
    let mut shell = Shell::with_project(PIPELINE).await;
    shell
        .run("trigger run acme/web --ref main --var GREETING=Hello")
        .await;
    shell.run("status 1").await;
    shell.run("status 1 build").await;
    shell.run("explain 1").await;
    shell.run("cancel 1 build").await;
    shell.run("retry r1").await;
    shell.run("cancel 1").await;
    shell.run("status j1").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn variables_reach_the_run_by_either_token() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let token = shell.server.trigger(1).await;
    let env = [
        ("TAPPET_TOKEN", ROOT_TOKEN),
        ("TAPPET_TRIGGER_TOKEN", token.as_str()),
        ("FROM_OUTSIDE", "yes"),
    ];
    let line = "trigger run acme/web --ref main --var A=1=2 --var FROM_OUTSIDE";
    shell.run_with(line, "", &env).await;
    shell.run_with(line, "", &[env[0], env[2]]).await;
    for (run, source) in [(1, "trigger"), (2, "api")] {
        let path = format!("/api/v4/projects/1/pipelines/{run}");
        let pipeline = shell.server.get(&path).root().send().await.json();
        assert_eq!(pipeline["source"], source);
        let path = format!("{path}/variables");
        let variables = shell.server.get(&path).root().send().await.json();
        let value = |key: &str| {
            let found = variables.as_array().unwrap().iter();
            found
                .filter(|one| one["key"] == key)
                .map(|one| one["value"].clone())
                .next()
        };
        assert_eq!(value("A").unwrap(), "1=2");
        assert_eq!(value("FROM_OUTSIDE").unwrap(), "yes");
    }
}

#[tokio::test]
async fn the_same_idempotency_key_starts_one_run() {
    let shell = Shell::with_project(PIPELINE).await;
    let line = "trigger run acme/web --ref main --idempotency-key deploy-7";
    let first = shell.json(line).await;
    assert_eq!(shell.json(line).await["id"], first["id"]);
    let other = shell.json("trigger run acme/web --ref main").await;
    assert_ne!(other["id"], first["id"]);
}

#[tokio::test]
async fn without_an_access_token_nothing_is_started_that_could_not_be_watched() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let token = shell.server.trigger(1).await;
    let env = [("TAPPET_TRIGGER_TOKEN", token.as_str())];
    shell
        .run_with("trigger run acme/web --ref main --wait", "", &env)
        .await;
    shell
        .run_with("trigger run acme/web --ref main --follow", "", &env)
        .await;
    insta::assert_snapshot!(shell.transcript());
    let runs = shell
        .server
        .get("/api/v4/projects/1/pipelines")
        .root()
        .send()
        .await;
    assert_eq!(runs.json().as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_refused_run_says_why_in_words_and_code() {
    let mut shell = Shell::with_project("build: {scrip: make}\n").await;
    shell.run("trigger run acme/web --ref main").await;
    shell.run("trigger run acme/web --ref main --wait").await;
    shell.run("trigger run acme/web --ref nowhere --wait").await;
    let empty = "build:\n  script: make\n  rules: [{if: '$NEVER'}]\n";
    let files = [(".gitlab-ci.yml", empty)];
    shell.server.project("acme/empty", &files).await;
    shell.run("trigger run acme/empty --ref main --wait").await;
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn jobs_that_were_left_out_are_explained() {
    let pipeline = "build:\n  script: make\n  tags: [arm]\n\
                    docs:\n  script: make docs\n  rules: [{if: '$CI_COMMIT_TAG'}]\n\
                    deploy:\n  script: make deploy\n  when: manual\n";
    let mut shell = Shell::with_project(pipeline).await;
    shell.json("trigger run acme/web --ref main").await;
    shell.run("explain 1").await;
    shell.run("explain 1 docs").await;
    shell.run("explain 1 nothing").await;
    shell.run("play 1").await;
    shell.run("play 1 deploy").await;
    insta::assert_snapshot!(shell.transcript());
}

/// No argument is a file's name unless its flag says so.
#[tokio::test]
async fn an_argument_with_an_at_sign_is_only_text() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let run = shell
        .json("trigger run acme/web --ref main --var A=@/etc/passwd --var B=$HOME")
        .await;
    let path = format!("/api/v4/projects/1/pipelines/{}/variables", run["id"]);
    let shown = shell.server.get(&path).root().send().await.text();
    assert!(
        shown.contains("\"@/etc/passwd\"") && shown.contains("\"$HOME\""),
        "{shown}"
    );
    for line in [
        "trigger run acme/web --ref @/etc/passwd",
        "@/etc/passwd",
        "status @/etc/passwd",
        "variable set acme/web A @/etc/passwd",
    ] {
        let output = shell.run(line).await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("root:"), "{line}: {said}");
    }
}
