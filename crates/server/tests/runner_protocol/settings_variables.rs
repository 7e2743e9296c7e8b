//! What jobs get of the variables in settings, and what their logs show of them.

use serde_json::{Value, json};
use tappet_model::{ProjectId, RefKind};
use tappet_server::testing::git;
use tappet_server::{clock, key_rotation};
use tappet_store::NewProtectedRef;

use crate::runner::{Runner, Taken};
use crate::{ONE_JOB, Scene, until};

const INSTANCE: &str = "/api/v4/admin/ci/variables";
const GROUP: &str = "/api/v4/groups/acme/variables";
const PROJECT: &str = "/api/v4/projects/acme%2Fweb/variables";

async fn set(scene: &Scene, level: &str, body: Value) {
    let reply = scene.server.post(level).root().json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

async fn take(scene: &Scene, given: Value) -> Taken {
    scene.run_with(given).await;
    Runner::default().take(&scene.server).await
}

#[tokio::test]
async fn the_closest_level_wins_and_a_callers_variable_over_all() {
    let file = "variables: { A: file, B: file }\nj: { script: x, variables: { C: job } }\n";
    let scene = Scene::new(file).await;
    for (level, keys) in [
        (INSTANCE, &["A", "D", "E", "F"][..]),
        (GROUP, &["C", "E", "F"]),
        (PROJECT, &["F", "G"]),
    ] {
        for key in keys {
            set(&scene, level, json!({"key": key, "value": level})).await;
        }
    }
    let job = take(&scene, json!({"G": "caller"})).await;
    let values = ["A", "B", "C", "D", "E", "F", "G"].map(|key| job.value(key).unwrap());
    let expected = [INSTANCE, "file", GROUP, INSTANCE, GROUP, PROJECT, "caller"];
    assert_eq!(values, expected);
}

#[tokio::test]
async fn a_job_gets_kind_rawness_and_mask_of_a_variable() {
    let scene = Scene::new(ONE_JOB).await;
    let file = json!({"key": "F", "value": "content $CI", "variable_type": "file"});
    set(&scene, PROJECT, file).await;
    let raw = json!({"key": "R", "value": "hunter22$CI", "raw": true, "masked": true});
    set(&scene, PROJECT, raw).await;
    set(&scene, PROJECT, json!({"key": "E", "value": "is $CI"})).await;
    let job = take(&scene, json!({})).await;
    let sent = |key: &str| {
        let variable = job.variable(key).unwrap();
        ["file", "raw", "masked", "public"].map(|flag| variable[flag].as_bool().unwrap())
    };
    assert_eq!(sent("F"), [true, false, false, false]);
    assert_eq!(sent("R"), [false, true, true, false]);
    assert_eq!(job.value("R"), Some("hunter22$CI"));
    assert_eq!(job.value("E"), Some("is true"));
}

#[tokio::test]
async fn masked_values_never_reach_the_log_even_after_a_restart() {
    let mut scene = Scene::new(ONE_JOB).await;
    let masked = json!({"key": "S", "value": "hunter22", "masked": true});
    set(&scene, GROUP, masked).await;
    let job = take(&scene, json!({})).await;
    let reply = job.log(&scene.server, 0, "a hunter22 b\n").await;
    assert_eq!(reply.status, 202);
    scene.server.crash().await;
    let reply = job.log(&scene.server, 13, "c hunter22 d\n").await;
    assert_eq!(reply.status, 202);
    job.report(&scene.server, "success").await;
    let log = scene.log(job.id).await;
    assert_eq!(log, "a [MASKED] b\nc [MASKED] d\n");
}

#[tokio::test]
async fn a_reserved_name_in_settings_is_left_out_and_the_log_says_so() {
    let scene = Scene::new(ONE_JOB).await;
    set(&scene, INSTANCE, json!({"key": "CI_JOB_ID", "value": "7"})).await;
    let job = take(&scene, json!({})).await;
    assert_eq!(job.value("CI_JOB_ID"), Some(job.id.to_string().as_str()));
    job.report(&scene.server, "success").await;
    let log = scene.log(job.id).await;
    assert!(log.contains("reserved names: CI_JOB_ID"), "{log}");
}

#[tokio::test]
async fn rules_see_settings_and_the_callers_variable_over_them() {
    let file = "a: { script: x, rules: [ { if: '$WHO == \"group\"' } ] }\n\
                b: { script: x, rules: [ { if: '$WHO == \"caller\"' } ] }\n";
    let scene = Scene::new(file).await;
    set(&scene, GROUP, json!({"key": "WHO", "value": "group"})).await;
    let job = take(&scene, json!({})).await;
    assert_eq!(job.payload["job_info"]["name"], "a");
    job.report(&scene.server, "success").await;
    let job = take(&scene, json!({"WHO": "caller"})).await;
    assert_eq!(job.payload["job_info"]["name"], "b");
}

#[tokio::test]
async fn a_masked_value_does_not_get_into_the_name_of_a_run() {
    let file = "workflow: { name: 'deploy with $S' }\nj: { script: x }\n";
    let scene = Scene::new(file).await;
    set(
        &scene,
        PROJECT,
        json!({"key": "S", "value": "hunter22", "masked": true}),
    )
    .await;
    let run = scene.run().await;
    let path = format!("{}/pipelines/{run}", PROJECT.trim_end_matches("/variables"));
    let shown = scene.server.get(&path).root().send().await;
    assert_eq!(shown.json()["name"], "deploy with [MASKED]");
}

#[tokio::test]
async fn a_protected_variable_is_for_protected_refs_of_its_kind() {
    let scene = Scene::new(ONE_JOB).await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["tag", "v1"]);
    git(&repository, &["branch", "release/1"]);
    set(
        &scene,
        PROJECT,
        json!({"key": "A", "value": "x", "protected": true}),
    )
    .await;
    // As if nothing were protected by itself.
    let store = &scene.server.app().store;
    let project = ProjectId(scene.project);
    for rule in store
        .protected_refs(project, RefKind::Branch)
        .await
        .unwrap()
    {
        store.unprotect_ref(rule.id).await.unwrap();
    }
    for (kind, name) in [(RefKind::Branch, "release/*"), (RefKind::Branch, "v*")] {
        let new = NewProtectedRef {
            project_id: project,
            kind,
            name: name.into(),
            push_level: 40,
            merge_level: 40,
            allow_force_push: false,
            now: clock::now(),
        };
        store.protect_ref(new).await.unwrap();
    }
    for (name, is_protected) in [("main", false), ("release/1", true), ("v1", false)] {
        scene.run_on(name, json!({})).await;
        let job = Runner::default().take(&scene.server).await;
        assert_eq!(job.variable("A").is_some(), is_protected, "{name}");
        assert_eq!(job.payload["git_info"]["protected"], is_protected, "{name}");
        let told = job.value("CI_COMMIT_REF_PROTECTED");
        assert_eq!(told, Some(is_protected.to_string().as_str()), "{name}");
        job.report(&scene.server, "success").await;
    }
}

/// The runner keeps the token that it was given; the log still hides it.
#[tokio::test]
async fn a_job_goes_on_over_a_rotation_of_keys_and_then_the_old_key_goes() {
    let mut scene = Scene::new(ONE_JOB).await;
    let masked = json!({"key": "S", "value": "hunter22", "masked": true});
    set(&scene, PROJECT, masked).await;
    let job = take(&scene, json!({"GIVEN": "1"})).await;
    let dir = scene.server.data_dir().to_owned();
    scene.server.kill().await;
    let rotated = key_rotation::rotate(&dir).await.unwrap();
    assert_eq!(rotated.running_jobs, 1);
    scene.server.restart().await;

    let text = format!("{} hunter22\n", job.token);
    assert_eq!(job.log(&scene.server, 0, &text).await.status, 202);
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "[MASKED] [MASKED]\n");
    let keys = || {
        std::fs::read_to_string(dir.join("secret.key"))
            .unwrap()
            .lines()
            .count()
    };
    until(|| keys() == 1).await;
    scene.server.restart().await;
    let job = take(&scene, json!({"GIVEN": "2"})).await;
    assert_eq!(
        (job.value("S"), job.value("GIVEN")),
        (Some("hunter22"), Some("2"))
    );
}
