//! A job with steps: what the runner asks the server for, and what it reports.

use serde_json::json;

use super::fake_server::FakeServer;

#[tokio::test]
async fn steps_are_run_and_what_they_led_to_is_reported() {
    let server = FakeServer::with_runner();
    server.offer(7, |job| {
        job["tappet"] = json!({
            "contexts": {"github": {"repository": "acme/web"}, "secrets": {"KEY": "a-secret"}},
            "job": {
                "key": "test",
                "outputs": [{"name": "out", "value": "${{ steps.one.outputs.a }}"}],
                "steps": [
                    {"key": "one", "id": "one", "line": 3, "action": {"run": {
                        "script": "echo a=1 >> $GITHUB_OUTPUT; echo '# Good' >> $GITHUB_STEP_SUMMARY; echo said-a-secret"}}},
                    {"key": "up", "line": 4, "action": {"uses": {"action": "upload_artifact", "with": [
                        {"name": "name", "value": "dist"}, {"name": "path", "value": "f"},
                        {"name": "retention-days", "value": "5"}, {"name": "if-no-files-found", "value": "ignore"}]}}},
                    {"key": "make", "line": 5, "action": {"run": {"script": "echo made > f"}}},
                    {"key": "up2", "line": 6, "action": {"uses": {"action": "upload_artifact", "with": [
                        {"name": "name", "value": "dist"}, {"name": "path", "value": "f"},
                        {"name": "retention-days", "value": "5"}, {"name": "overwrite", "value": "true"}]}}},
                    {"key": "down", "line": 7, "action": {"uses": {"action": "download_artifact", "with": [
                        {"name": "name", "value": "dist"}, {"name": "path", "value": "in"}]}}},
                    {"key": "patch", "line": 8, "action": {"apply_patch": {"cache_key": "patch/a b"}}},
                    {"key": "show", "line": 9, "action": {"run": {"script": "cat in/f patched; exit 3"}}},
                ],
            },
        });
    });
    let end = server.end(7).await;
    let log = String::from_utf8(server.log(7)).unwrap();
    assert_eq!(end["state"], "failed", "{log}");
    assert_eq!(end["failure_reason"], "script_failure");
    assert_eq!(end["exit_code"], 3);
    let report = &end["tappet"];
    assert_eq!(report["outputs"], json!([["out", "1"]]));
    assert_eq!(report["summary"], "# Good\n");
    assert_eq!(
        report["error_message"],
        "Step 7 (Run cat in/f patched; exit 3): script exited with code 3"
    );
    let outcomes: Vec<_> = report["steps"].as_array().unwrap().iter().collect();
    assert_eq!(outcomes.len(), 7);
    assert_eq!(outcomes[6]["conclusion"], "failure");
    for line in [" 00O said-***\n", " 00O made\n", " 00O key=patch%2Fa%20b\n"] {
        assert!(log.contains(line), "{line}: {log}");
    }
    let uploads = server.state.uploads.lock().unwrap();
    assert_eq!(
        uploads[0].0,
        "artifact_format=zip&artifact_type=artifact&artifact_name=dist&expire_in=5%20days&overwrite=true"
    );
    assert_eq!(uploads.len(), 1);
}
