//! What jobs get on account of their environment.

use rstest::rstest;
use serde_json::{Value, json};

use crate::runner::{Runner, Taken};
use crate::{Scene, run_of};

const INSTANCE: &str = "/api/v4/admin/ci/variables";
const GROUP: &str = "/api/v4/groups/acme/variables";
const PROJECT: &str = "/api/v4/projects/acme%2Fweb/variables";

async fn set(scene: &Scene, level: &str, body: Value) {
    let reply = scene.server.post(level).root().json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// `KEY` of a level, once for each scope, with the scope as its value.
async fn set_scopes(scene: &Scene, level: &str, scopes: &[&str]) {
    for scope in scopes {
        let body = json!({"key": "KEY", "value": scope, "environment_scope": scope});
        set(scene, level, body).await;
    }
}

/// The only job of a new run.
async fn take(scene: &Scene, variables: Value) -> Taken {
    scene.run_with(variables).await;
    Runner::default().take(&scene.server).await
}

fn one_job(environment: &str) -> String {
    format!("job:\n  script: make\n  environment: {environment}\n")
}

#[rstest]
#[case::exactly("production", Some("production"))]
#[case::by_star("review/login", Some("review/*"))]
#[case::exactly_among_stars("review/x", Some("review/x"))]
#[case::by_none_but_all("staging", Some("*"))]
#[case::expanded("review/$CI_COMMIT_REF_NAME", Some("review/*"))]
#[tokio::test]
async fn the_scope_that_names_the_environment_best_wins(
    #[case] environment: &str,
    #[case] expected: Option<&str>,
) {
    let scene = Scene::new(&one_job(environment)).await;
    let scopes = ["review/x", "production", "*", "review/*"];
    set_scopes(&scene, PROJECT, &scopes).await;
    let job = take(&scene, json!({})).await;
    assert_eq!(job.value("KEY"), expected);
}

#[tokio::test]
async fn a_job_without_an_environment_gets_nothing_of_one() {
    let file = "a: {script: x}\nb: {script: x, environment: production}\n";
    let scene = Scene::new(file).await;
    set_scopes(&scene, PROJECT, &["production", "prod*"]).await;
    set_scopes(&scene, GROUP, &["production"]).await;
    scene.run().await;
    let a = Runner::default().take(&scene.server).await;
    assert_eq!(a.payload["job_info"]["name"], "a");
    assert_eq!(a.variable("KEY"), None);
    assert_eq!(a.variable("CI_ENVIRONMENT_NAME"), None);
    assert_eq!(a.variable("CI_ENVIRONMENT_SLUG"), None);
    let b = Runner::named("r_second").take(&scene.server).await;
    assert_eq!(b.value("KEY"), Some("production"));
}

#[tokio::test]
async fn a_closer_level_wins_over_a_better_scope() {
    let scene = Scene::new(&one_job("production")).await;
    set(&scene, INSTANCE, json!({"key": "KEY", "value": "instance"})).await;
    set_scopes(&scene, GROUP, &["production"]).await;
    set_scopes(&scene, PROJECT, &["*"]).await;
    let job = take(&scene, json!({})).await;
    assert_eq!(job.value("KEY"), Some("*"));
}

#[tokio::test]
async fn a_protected_variable_of_the_environment_is_for_protected_refs() {
    let scene = Scene::new(&one_job("production")).await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    tappet_server::testing::git(&repository, &["branch", "work"]);
    let protect = format!("/api/v4/projects/{}/protected_branches", scene.project);
    let protect = scene.server.post(&protect).root();
    let reply = protect.json(&json!({"name": "main"})).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let body = json!({"key": "KEY", "value": "x", "protected": true,
                      "environment_scope": "production"});
    set(&scene, PROJECT, body).await;
    for (name, expected) in [("work", None), ("main", Some("x"))] {
        run_of(&scene.server, scene.project, name, json!({})).await;
        let job = Runner::default().take(&scene.server).await;
        assert_eq!(job.value("KEY"), expected, "{name}");
        job.report(&scene.server, "success").await;
    }
}

#[tokio::test]
async fn a_job_knows_its_environment() {
    let file = one_job(
        "{name: review/$CI_COMMIT_REF_NAME, url: 'https://$CI_ENVIRONMENT_SLUG.$HOST', \
         action: prepare}",
    );
    let scene = Scene::new(&file).await;
    let host = json!({"key": "HOST", "value": "example.com", "environment_scope": "review/*"});
    set(&scene, PROJECT, host).await;
    let job = take(&scene, json!({})).await;
    let values = ["NAME", "SLUG", "URL", "ACTION", "TIER"]
        .map(|key| job.value(&format!("CI_ENVIRONMENT_{key}")).unwrap());
    let expected = [
        "review/main",
        "review-main-yi2y9f",
        "https://review-main-yi2y9f.example.com",
        "prepare",
        "development",
    ];
    assert_eq!(values, expected);
    assert_eq!(job.variable("CI_ENVIRONMENT_URL").unwrap()["public"], true);
}

/// As in GitLab, where slug and address come after everything else.
#[tokio::test]
async fn a_caller_may_set_the_name_but_not_slug_and_address() {
    let scene = Scene::new(&one_job("{name: production, url: 'https://x.example'}")).await;
    set_scopes(&scene, PROJECT, &["production", "other"]).await;
    let given = json!({
        "CI_ENVIRONMENT_NAME": "other",
        "CI_ENVIRONMENT_SLUG": "other",
        "CI_ENVIRONMENT_URL": "https://other.example",
    });
    let job = take(&scene, given).await;
    let values =
        ["NAME", "SLUG", "URL"].map(|key| job.value(&format!("CI_ENVIRONMENT_{key}")).unwrap());
    assert_eq!(values, ["other", "production", "https://x.example"]);
    assert_eq!(job.value("KEY"), Some("production"));
}

#[rstest]
#[case::empty("$NOBODY")]
#[case::too_long("$LONG")]
#[case::other_characters("$ODD")]
#[tokio::test]
async fn a_name_that_comes_out_wrong_fails_the_job(#[case] name: &str) {
    let file = one_job(name) + "  retry: 2\nnext: {script: x, stage: deploy, when: always}\n";
    let scene = Scene::new(&file).await;
    let given = json!({"LONG": "x".repeat(256), "ODD": "a:b"});
    let run = scene.run_with(given).await;
    let reply = Runner::default().request(&scene.server).send().await;
    assert_eq!(reply.status, 204, "the job is nothing to run");
    let next = Runner::default().take(&scene.server).await;
    assert_eq!(next.payload["job_info"]["name"], "next");
    let job = scene.job(run, "job").await;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["failure_reason"], "environment_creation_failure");
    let log = scene.log(job["id"].as_i64().unwrap()).await;
    assert!(log.contains("check `environment:name`"), "{log}");
}

#[tokio::test]
async fn rules_see_the_variables_of_their_environment() {
    let file = "a: {script: x, rules: [{if: '$KEY == \"production\"'}]}\n\
                b: {script: x, environment: staging, rules: [{if: '$KEY == \"production\"'}]}\n\
                c: {script: x, environment: $TO, rules: [{if: '$KEY == \"production\" && \
                $CI_ENVIRONMENT_TIER == \"production\"'}]}\n";
    let scene = Scene::new(file).await;
    set_scopes(&scene, PROJECT, &["production"]).await;
    let run = scene.run_with(json!({"TO": "production"})).await;
    let job = Runner::default().take(&scene.server).await;
    assert_eq!(job.payload["job_info"]["name"], "c");
    let path = format!("/api/v4/projects/{}/pipelines/{run}/jobs", scene.project);
    let jobs = scene.server.get(&path).root().send().await.json();
    assert_eq!(jobs.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_masked_value_of_the_environment_is_hidden_even_after_a_restart() {
    let mut scene = Scene::new(&one_job("production")).await;
    let masked = json!({"key": "S", "value": "hunter22", "masked": true,
                        "environment_scope": "prod*"});
    set(&scene, PROJECT, masked).await;
    let job = take(&scene, json!({})).await;
    scene.server.crash().await;
    let reply = job.log(&scene.server, 0, "a hunter22 b\n").await;
    assert_eq!(reply.status, 202);
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "a [MASKED] b\n");
}
