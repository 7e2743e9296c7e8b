//! The server wants a job stopped.

use super::fake_server::{FakeServer, Fault};
use serde_json::json;

#[tokio::test]
async fn a_silent_job_is_canceled_and_its_after_script_runs() {
    let server = FakeServer::with_runner();
    server.offer(7, |job| {
        job["steps"] = json!([
            {"name": "script", "script": ["echo up-$((1+1)); sleep 4101"]},
            {"name": "after_script", "script": ["echo after=$CI_JOB_STATUS"]},
        ]);
    });
    server.logged(7, "up-2").await;
    server.set_status(7, "canceling");
    let end = server.end(7).await;
    assert_eq!(
        (&end["state"], &end["failure_reason"]),
        (&"failed".into(), &"job_canceled".into())
    );
    assert!(
        String::from_utf8(server.log(7))
            .unwrap()
            .contains("\nafter=canceled\n")
    );
}

#[tokio::test]
async fn a_refused_log_ends_the_job_and_the_runner_goes_on() {
    let server = FakeServer::with_runner();
    server
        .state
        .faults
        .lock()
        .unwrap()
        .push_back(Fault::Status(403));
    let flag = server.path().join("after");
    server.offer(7, |job| {
        job["steps"] = json!([
            {"name": "script", "script": ["echo up; sleep 4102"]},
            {"name": "after_script", "script": [format!("touch {}", flag.display())]},
        ]);
    });
    server.end(7).await;
    server.offer_script(8, "echo next");
    assert_eq!(server.end(8).await["state"], "success");
    assert!(!flag.exists());
    assert_eq!(server.log(7).len(), 0);
    for job in ["7", "8"] {
        assert!(!server.builds().join(job).exists(), "{job}");
    }
}
