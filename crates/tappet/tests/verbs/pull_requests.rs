//! CI configs, runs of pull requests and forges.

use tappet_server::testing::{ROOT_TOKEN, commit, git};

use super::Shell;

const PIPELINE: &str = "test:\n  script: make\n";

#[tokio::test]
async fn a_ci_config_is_added_changed_and_removed() {
    let mut shell = Shell::with_project(PIPELINE).await;
    for line in [
        "ci-config list acme/web",
        "ci-config create acme/web docs --file docs/ci.yml --ignore *.md --label ready",
        "ci-config update 2 --label '' --expects-diffs true",
        "ci-config show 2",
        "ci-config create acme/web docs",
        "ci-config create acme/web both --file a.yml --file b.yml",
        "ci-config delete 2",
        "ci-config delete 1",
        "ci-config show 2",
    ] {
        shell.run(line).await;
    }
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn a_run_of_a_pull_request_is_started_and_what_is_wrong_with_it_is_told() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let repository = shell.server.scratch().join("repositories/acme-web");
    let base = git(&repository, &["rev-parse", "main"]);
    git(&repository, &["switch", "--quiet", "--create", "feature"]);
    let head = commit(&repository, &[("a", "1")], "Add a");
    let nowhere = "e".repeat(40);
    for line in [
        format!("trigger pr acme/web --pr 6 --sha {head} --base-sha {base}"),
        format!("trigger pr acme/web --pr 6 --sha {head} --base-sha {base}"),
        format!("trigger pr acme/web --pr 7 --sha {nowhere} --base-sha {base}"),
        format!("trigger pr acme/web --pr 7 --sha {nowhere} --branch x --base-sha {base} --wait"),
        format!("trigger pr acme/web --pr 8 --sha {head} --base-sha {base} --config 9"),
        "approve 1".to_owned(),
        "approve a1".to_owned(),
    ] {
        shell.run(&line).await;
    }
    insta::assert_snapshot!(shell.transcript());
}

#[tokio::test]
async fn a_project_is_bound_to_its_forge() {
    let mut shell = Shell::with_project(PIPELINE).await;
    let secret = shell.server.scratch().join("secret");
    std::fs::write(&secret, "a-shared-secret\n").unwrap();
    let set = format!(
        "project forge set acme/web --kind gitea --repository acme/web \
         --api-url http://127.0.0.1:9/api/v1 --token-file - --webhook-secret-file {}",
        secret.display()
    );
    let root = [("TAPPET_TOKEN", ROOT_TOKEN)];
    shell.run("project forge show acme/web").await;
    shell.run_with(&set, "a-token-of-the-forge\n", &root).await;
    for line in [
        "project forge show acme/web",
        "project forge deliveries acme/web",
        "project forge set acme/web --kind gitea --repository web",
        "project forge remove acme/web",
        "project forge remove acme/web",
    ] {
        shell.run(line).await;
    }
    insta::assert_snapshot!(shell.transcript());
}
