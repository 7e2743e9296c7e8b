//! What a killed process, an unruly job or an impatient operator may do, and
//! what must hold all the same.

mod support;

use std::collections::HashSet;

use rustix::process::{Signal, kill_process};
use serde_json::json;
use support::{Gate, Tappet, is_alive};
use tappet_server::testing::{commit, git};

/// A job that notes its start, waits at its own gate and then prints.
fn gated_job(dir: &std::path::Path) -> String {
    format!(
        "job:\n  script:\n    - echo \"$CI_JOB_ID\" >> {0}/starts\n    - echo before\n    - cat {0}/gate-$GATE\n    - for i in $(seq 1 1000); do echo \"line $i\"; done\n    - echo after\n",
        dir.display()
    )
}

fn starts(dir: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("starts")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn kill_9_of_the_server_loses_nothing_and_repeats_nothing() {
    let mut tappet = Tappet::start(2).await;
    let dir = tappet.scratch().to_owned();
    let gates: Vec<_> = (0..7)
        .map(|n| Gate::new(dir.join(format!("gate-{n}"))))
        .collect();
    let mut runs = Vec::new();
    let (id, token);
    {
        let project = tappet.project("gated", &gated_job(&dir)).await;
        for n in 0..7 {
            runs.push(
                project
                    .trigger_with("main", json!({ "GATE": n.to_string() }))
                    .await,
            );
        }
        for run in &runs[..2] {
            let job = project.job(*run).await["id"].as_i64().unwrap();
            project.log_until(job, "\nbefore\n").await;
        }
        (id, token) = (project.id, project.token.clone());
    }

    tappet.kill().await;
    tappet.restart().await;

    let project = support::Project {
        tappet: &tappet,
        id,
        token,
    };
    for (run, gate) in runs.iter().zip(&gates) {
        gate.open().await;
        assert_eq!(project.ended(*run).await, "success", "run {run}");
        let jobs = project.jobs(*run).await;
        assert_eq!(jobs.len(), 1, "a second attempt: {jobs:?}");
        let log = project.log(jobs[0]["id"].as_i64().unwrap()).await;
        let lines: Vec<String> = (1..=1000).map(|n| format!("line {n}\n")).collect();
        assert!(
            log.contains(&lines.concat()),
            "a gap in the log of run {run}"
        );
        assert!(log.contains("\nafter\n"));
    }
    let starts = starts(&dir);
    assert_eq!(starts.len(), 7);
    assert_eq!(
        starts.iter().collect::<HashSet<_>>().len(),
        7,
        "something ran twice: {starts:?}"
    );
}

#[tokio::test]
async fn jobs_go_on_while_the_server_is_away() {
    let mut tappet = Tappet::start(1).await;
    let dir = tappet.scratch().to_owned();
    let gate = Gate::new(dir.join("gate-0"));
    let done = dir.join("done");
    let (id, token, run);
    {
        let pipeline = format!(
            "job: {{script: [echo before, cat {}/gate-0, echo during, touch {}]}}",
            dir.display(),
            done.display()
        );
        let project = tappet.project("away", &pipeline).await;
        run = project.trigger().await;
        let job = project.job(run).await["id"].as_i64().unwrap();
        project.log_until(job, "\nbefore\n").await;
        (id, token) = (project.id, project.token.clone());
    }
    tappet.kill().await;
    // Nobody listens while the job finishes.
    gate.open().await;
    while !done.exists() {
        tokio::task::yield_now().await;
    }
    tappet.restart().await;
    let project = support::Project {
        tappet: &tappet,
        id,
        token,
    };
    assert_eq!(project.ended(run).await, "success");
    let job = project.job(run).await["id"].as_i64().unwrap();
    assert!(project.log(job).await.contains("\nduring\n"));
}

#[tokio::test]
async fn an_acknowledged_trigger_survives_kill_9() {
    let mut tappet = Tappet::start(0).await;
    let mut acknowledged = Vec::new();
    let id;
    {
        let project = tappet.project("durable", "job: {script: ['true']}").await;
        id = project.id;
        for _ in 0..20 {
            acknowledged.push(project.trigger().await);
        }
    }
    tappet.kill().await;
    tappet.restart().await;
    let list = tappet
        .get(&format!(
            "/api/v4/projects/{id}/pipelines?per_page=100&sort=asc"
        ))
        .await;
    let kept: Vec<i64> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_i64().unwrap())
        .collect();
    assert_eq!(kept, acknowledged);
}

#[tokio::test]
async fn an_acknowledged_run_of_a_pull_request_survives_kill_9_and_goes_on() {
    let mut tappet = Tappet::start(1).await;
    let repository = tappet.repository("reviewed", &[(".gitlab-ci.yml", "job: {script: [ls]}")]);
    let base = git(&repository, &["rev-parse", "main"]);
    git(&repository, &["checkout", "--quiet", "-b", "feature"]);
    let head = commit(&repository, &[("new", "x")], "Change something");
    let project = tappet.project_over(&repository).await;
    let (id, token) = (project.id, project.token.clone());
    let shown = tappet.get(&project.path("")).await;
    let config = &shown["ci_configs"][0]["id"];
    let body = json!({
        "pr_number": 6,
        "pr_branch": "feature",
        "base_branch": "main",
        "pr_sha": head,
        "base_sha": base,
    });
    let call = tappet.request("POST", &format!("/api/v1/ci/{config}/trigger"));
    let reply = call.json(&body).send().await;
    tappet.kill().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let run = reply.json()["ci_run_id"].as_i64().unwrap();

    tappet.restart().await;
    let project = support::Project {
        tappet: &tappet,
        id,
        token,
    };
    assert_eq!(project.ended(run).await, "success");
    let list = tappet.get(&format!("/api/v1/ci/{config}/runs")).await;
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0]["status"], "done");
}

#[tokio::test]
async fn a_retry_with_the_same_key_after_kill_9_starts_nothing_new() {
    let mut tappet = Tappet::start(0).await;
    let (id, token, first);
    {
        let project = tappet.project("keyed", "job: {script: ['true']}").await;
        (id, token) = (project.id, project.token.clone());
        let body = json!({ "token": token, "ref": "main" });
        first = project
            .trigger_call(&body)
            .header("idempotency-key", "k1")
            .send()
            .await;
        assert_eq!(first.status, 201);
    }
    tappet.kill().await;
    tappet.restart().await;
    let project = support::Project {
        tappet: &tappet,
        id,
        token: token.clone(),
    };
    let body = json!({ "token": token, "ref": "main" });
    // The address changed with the port, so links differ; the run must not.
    let second = project
        .trigger_call(&body)
        .header("idempotency-key", "k1")
        .send()
        .await;
    assert_eq!(second.status, 201);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.json()["id"], first.json()["id"]);
    let other = json!({ "token": token, "ref": "main", "variables": { "A": "b" } });
    let other = project
        .trigger_call(&other)
        .header("idempotency-key", "k1")
        .send()
        .await;
    assert_eq!(other.status, 422);
    let list = tappet.get(&project.path("/pipelines")).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn twenty_equal_triggers_at_once_with_one_key_are_one_run() {
    let tappet = Tappet::start(0).await;
    let project = tappet.project("burst", "job: {script: ['true']}").await;
    let body = json!({ "token": project.token, "ref": "main" });
    let calls: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn(
                project
                    .trigger_call(&body)
                    .header("idempotency-key", "k")
                    .send(),
            )
        })
        .collect();
    let mut ids = HashSet::new();
    for call in calls {
        let reply = call.await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.text());
        ids.insert(reply.json()["id"].as_i64());
    }
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn kill_9_of_the_runner_takes_its_jobs_along_before_anything_new_starts() {
    let tappet = Tappet::start(1).await;
    let mark = format!("mark-{}", tappet.data().display()).replace('/', "_");
    let witness = tappet.scratch().join("witness");
    // The second run proves that nothing of the first is left when it starts.
    let pipeline = format!(
        "job:\n  script:\n    - echo \"$ROLE\"\n    - |\n      if [ \"$ROLE\" = first ]; then\n        setsid sh -c 'trap \"\" TERM; echo begun >&3; exec -a {mark} sleep 600 3>&-' 3>&1 >/dev/null 2>&1 &\n        sleep 600\n      fi\n    - touch {}\n",
        witness.display()
    )
    .replace("setsid sh -c", "setsid bash -c");
    let project = tappet.project("runner", &pipeline).await;
    let first = project
        .trigger_with("main", json!({ "ROLE": "first" }))
        .await;
    let first_job = project.job(first).await["id"].as_i64().unwrap();
    project.log_until(first_job, "\nbegun\n").await;
    let second = project
        .trigger_with("main", json!({ "ROLE": "second" }))
        .await;
    assert!(is_alive(&mark));

    kill_process(tappet.runner_pid(), Signal::KILL).unwrap();

    assert_eq!(project.ended(second).await, "success");
    assert!(!is_alive(&mark), "a process of the lost attempt lives on");
    assert_eq!(project.ended(first).await, "failed");
    let jobs = project.jobs(first).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0]["failure_reason"], "runner_system_failure");
    assert!(project.log(first_job).await.contains("\nbegun\n"));
}

#[tokio::test]
async fn a_cancel_stops_a_job_that_double_forks_and_ignores_term() {
    let tappet = Tappet::start(1).await;
    let mark = format!("mark-{}", tappet.data().display()).replace('/', "_");
    let pipeline = format!(
        "job:\n  script:\n    - trap '' TERM\n    - (setsid bash -c 'trap \"\" TERM HUP INT; echo begun >&3; exec -a {mark} sleep 600 3>&-' 3>&1 >/dev/null 2>&1 &)\n    - while true; do sleep 600; done\n"
    );
    let project = tappet.project("stubborn", &pipeline).await;
    let run = project.trigger().await;
    let job = project.job(run).await["id"].as_i64().unwrap();
    project.log_until(job, "\nbegun\n").await;
    assert!(is_alive(&mark));
    let cancel = project.path(&format!("/pipelines/{run}/cancel"));
    assert_eq!(tappet.request("POST", &cancel).send().await.status, 200);
    assert_eq!(project.ended(run).await, "canceled");
    assert!(!is_alive(&mark));
}

#[tokio::test]
async fn what_a_job_leaves_behind_ends_with_it() {
    let tappet = Tappet::start(1).await;
    let mark = format!("mark-{}", tappet.data().display()).replace('/', "_");
    let pipeline = format!(
        "job:\n  script:\n    - (setsid bash -c 'exec -a {mark} sleep 600' >/dev/null 2>&1 &)\n    - echo done\n"
    );
    let project = tappet.project("daemon", &pipeline).await;
    project.run_to("success").await;
    assert!(!is_alive(&mark));
}

#[tokio::test]
async fn sigterm_lets_a_running_job_end() {
    let mut tappet = Tappet::start(1).await;
    let dir = tappet.scratch().to_owned();
    let gate = Gate::new(dir.join("gate-0"));
    let run;
    let (id, token);
    {
        let project = tappet.project("drain", &gated_job(&dir)).await;
        run = project.trigger_with("main", json!({ "GATE": "0" })).await;
        let job = project.job(run).await["id"].as_i64().unwrap();
        project.log_until(job, "\nbefore\n").await;
        (id, token) = (project.id, project.token.clone());
    }
    tappet.signal(Signal::TERM);
    gate.open().await;
    assert_eq!(tappet.wait().await.code(), Some(0));
    tappet.restart().await;
    let project = support::Project {
        tappet: &tappet,
        id,
        token,
    };
    assert_eq!(project.ended(run).await, "success");
}

#[tokio::test]
async fn a_second_sigterm_cancels_what_runs() {
    let mut tappet = Tappet::start(1).await;
    let (id, token, run);
    {
        let project = tappet
            .project("hurry", "job: {script: [echo begun, sleep 600]}")
            .await;
        run = project.trigger().await;
        let job = project.job(run).await["id"].as_i64().unwrap();
        project.log_until(job, "\nbegun\n").await;
        (id, token) = (project.id, project.token.clone());
    }
    tappet.signal(Signal::TERM);
    // The first signal must have arrived as one of its own.
    while tappet.anonymous("GET", "/-/readyz").send().await.status == 200 {
        tokio::task::yield_now().await;
    }
    tappet.signal(Signal::TERM);
    assert_eq!(tappet.wait().await.code(), Some(0));
    tappet.restart().await;
    let project = support::Project {
        tappet: &tappet,
        id,
        token,
    };
    assert_eq!(project.ended(run).await, "canceled");
}

#[tokio::test]
async fn odd_bytes_and_endless_lines_are_stored_as_they_are() {
    let tappet = Tappet::start(1).await;
    let pipeline = r#"
job:
  script:
    - printf 'nul \000 bad \377\376 end\n'
    - head -c 10485760 /dev/zero | tr '\0' 'x'
    - echo
    - echo last
"#;
    let project = tappet.project("bytes", pipeline).await;
    let run = project.run_to("success").await;
    let job = project.job(run).await["id"].as_i64().unwrap();
    let path = project.path(&format!("/jobs/{job}/trace"));
    let log = tappet.request("GET", &path).send().await.body;
    let holds = |needle: &[u8]| log.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"nul \0 bad \xff\xfe end\n"));
    assert_eq!(
        log.iter().filter(|byte| **byte == b'x').count() / 10_485_760,
        1
    );
    assert!(holds(b"\nlast\n"));

    let part = tappet
        .request("GET", &path)
        .header("range", "bytes=10-19")
        .send()
        .await;
    assert_eq!(part.status, 206);
    assert_eq!(part.body, log[10..20]);
}

#[tokio::test]
async fn the_job_token_never_shows_in_the_log() {
    let tappet = Tappet::start(1).await;
    let pipeline =
        "job: {script: ['echo \"token=$CI_JOB_TOKEN\"', 'echo \"$CI_JOB_TOKEN\" | base64 -w0']}";
    let project = tappet.project("mask", pipeline).await;
    let run = project.run_to("success").await;
    let log = project.log_of(&project.job(run).await).await;
    assert!(log.contains("token=[MASKED]"), "{log}");
    assert!(!log.contains("glcbt-"), "{log}");
}
