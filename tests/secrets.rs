//! Secrets stay out of logs and out of the reach of other users of the machine;
//! settings come from where somebody said, and from nowhere else.

mod support;

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::json;
use support::Tappet;

const FILE: &str = "job: {script: ['echo fine > file'], artifacts: {paths: [file]}}";

#[tokio::test]
async fn no_token_reaches_the_log_however_it_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let file = File::create(&log).unwrap();
    let mut tappet = Tappet::start_with(1, |command| {
        command.env("TAPPET_LOG", "trace").stderr(file);
    })
    .await;
    let project = tappet.project("quiet", FILE).await;
    let (token, root) = (project.token.clone(), support::ROOT_TOKEN);
    let api = project.path("");
    let run = project.trigger().await;
    for (method, path) in [
        (
            "POST",
            format!("{api}/trigger/pipeline?token={token}&ref=main"),
        ),
        (
            "POST",
            format!("{api}/ref/main/trigger/pipeline?token={token}"),
        ),
        (
            "POST",
            format!("{api}/trigger/pipeline?token={token}&ref=nothing"),
        ),
        (
            "POST",
            format!("{api}/trigger/pipeline?token={token}x&ref=main"),
        ),
        ("GET", format!("/api/v4/user?private_token={root}")),
        ("GET", format!("/api/v4/user?access_token={root}")),
        (
            "GET",
            format!("/api/v4/no/such/{token}?private_token={root}"),
        ),
        (
            "GET",
            format!("/api/v3{}/triggers/{token}", &api["/api/v4".len()..]),
        ),
        ("PATCH", format!("/-/sign_in/{root}")),
    ] {
        let reply = tappet.anonymous(method, &path).send().await;
        assert!(reply.status < 500, "{path}: {}", reply.text());
        let query = tappet
            .anonymous(method, &path)
            .header("private-token", root);
        query.send().await;
    }
    let reply = tappet
        .anonymous("POST", &format!("{api}/trigger/pipeline"))
        .form(&format!(
            "token={token}&ref=main&variables[PASSWORD]=hunter2"
        ))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let sign_in = tappet.anonymous("POST", "/-/sign_in");
    let sign_in = sign_in.header("sec-fetch-site", "same-origin");
    let reply = sign_in.form(&format!("token={root}")).send().await;
    assert_eq!(reply.status, 303);
    let session = reply
        .header("set-cookie")
        .split(['=', ';'])
        .nth(1)
        .unwrap()
        .to_owned();
    let hook = json!({
        "url": "http://127.0.0.1:9/?key=in-the-address", "job_events": true, "token": "hook-token",
    });
    let reply = tappet
        .request("POST", &project.path("/hooks"))
        .json(&hook)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(project.ended(run).await, "success");
    project.trigger().await;
    tappet.signal(Signal::TERM);
    tappet.wait().await;

    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("TRACE"), "nothing was logged: {log}");
    let runner = std::fs::read_to_string(tappet.data().join("runner-token")).unwrap();
    for secret in [
        &token,
        root,
        &session,
        runner.trim(),
        "glcbt-",
        "hunter2",
        "hook-token",
        "in-the-address",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} stands in the log");
    }
}

#[tokio::test]
async fn other_users_of_the_machine_read_nothing() {
    let tappet = Tappet::start(1).await;
    let project = tappet.project("closed", FILE).await;
    project.run_to("success").await;
    let data = tappet.data();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&data).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mode = mode(&entry.path());
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
        names.push(name);
    }
    for name in [
        "tappet.db",
        "secret.key",
        "runner-token",
        "logs",
        "artifacts",
    ] {
        assert!(
            names.iter().any(|found| found == name),
            "no {name} in {names:?}"
        );
    }
}

#[tokio::test]
async fn files_that_were_opened_to_others_are_closed_at_the_next_start() {
    let mut tappet = Tappet::start(0).await;
    tappet.kill().await;
    let data = tappet.data();
    for (name, mode) in [("", 0o755), ("secret.key", 0o644)] {
        std::fs::set_permissions(data.join(name), Permissions::from_mode(mode)).unwrap();
    }
    tappet.restart().await;
    for (name, mode) in [("", 0o700), ("secret.key", 0o600)] {
        let found = data.join(name).metadata().unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
}

#[tokio::test]
async fn the_working_directory_tells_the_server_nothing() {
    let evil = tempfile::tempdir().unwrap();
    for name in ["tappet.toml", ".tappet.toml", "config.toml", ".env"] {
        let text =
            "external_url = \"http://evil.example\"\nTAPPET_EXTERNAL_URL=http://evil.example\n";
        std::fs::write(evil.path().join(name), text).unwrap();
    }
    std::fs::create_dir(evil.path().join(".git")).unwrap();
    let tappet = Tappet::start_with(0, |command| {
        command.current_dir(evil.path());
    })
    .await;
    let project = tappet.project("plain", FILE).await;
    let shown = tappet.get(&project.path("")).await;
    assert!(!shown.to_string().contains("evil"), "{shown}");
}
