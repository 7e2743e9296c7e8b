//! What administrators do with an instance from the command line: backup and
//! restore.

mod support;

use std::path::Path;
use std::process::ExitStatus;

use serde_json::json;
use support::{Tappet, output};

/// A job with a log, an artifact and a variable from outside.
const PIPELINE: &str = "build:\n  script: [echo the log says $WHO, echo kept > kept.txt]\n  \
                        artifacts: { paths: [kept.txt] }\n";

/// `tappet …` on this machine.
async fn tappet(arguments: &[&str]) -> (ExitStatus, String) {
    let mut command = Tappet::command();
    command.args(arguments);
    output(command).await
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

#[tokio::test]
async fn a_backup_of_a_working_server_comes_back_whole() {
    let server = Tappet::start(1).await;
    let project = server.project("web", PIPELINE).await;
    let run = project
        .trigger_with("main", json!({ "WHO": "hello" }))
        .await;
    assert_eq!(project.ended(run).await, "success");
    let job = project.job(run).await["id"].as_i64().expect("an id");
    let schedule = json!({ "description": "nightly", "ref": "main", "cron": "0 1 * * *" });
    let path = project.path("/pipeline_schedules");
    let reply = server.request("POST", &path).json(&schedule).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());

    let (data, file) = (server.data(), server.scratch().join("tappet.backup"));
    let backup = ["backup", text(&file), "--data", text(&data)];
    let (status, said) = tappet(&backup).await;
    assert!(status.success(), "{said}");
    assert!(said.contains("It holds the key of all secrets"), "{said}");
    let (status, said) = tappet(&backup).await;
    assert_eq!(status.code(), Some(1), "{said}");

    let (status, said) = tappet(&["restore", text(&file), "--data", text(&data)]).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("is not empty"), "{said}");
    assert_eq!(project.ended(run).await, "success");

    let again = Tappet::start_on(1, async |data| {
        let (status, said) = tappet(&["restore", text(&file), "--data", text(data)]).await;
        assert!(status.success(), "{said}");
        assert!(said.contains("1 schedules are paused"), "{said}");
    })
    .await;
    let path = |rest: &str| project.path(rest);
    let log = again
        .request("GET", &path(&format!("/jobs/{job}/trace")))
        .send()
        .await;
    assert!(log.text().contains("the log says hello"), "{}", log.text());
    let kept = path(&format!("/jobs/{job}/artifacts/kept.txt"));
    assert_eq!(again.request("GET", &kept).send().await.text(), "kept\n");
    let shown = again.get(&path("/pipeline_schedules/1")).await;
    assert_eq!(shown["active"], false);
    let variables = again
        .get(&path(&format!("/pipelines/{run}/variables")))
        .await;
    assert_eq!(variables[0]["value"], "hello");

    // The trigger's token works, and the next run gets the next number.
    let body = json!({ "token": project.token, "ref": "main" });
    let call = again.anonymous("POST", &path("/trigger/pipeline"));
    let started = call.json(&body).send().await;
    assert_eq!(started.status, 201, "{}", started.text());
    assert_eq!(started.json()["id"], run + 1);
}
