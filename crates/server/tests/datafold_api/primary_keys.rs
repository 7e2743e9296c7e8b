//! `dbt check-primary-keys`.

use serde_json::json;
use tappet_server::testing::TestServer;

use super::{Scene, assert_reply, problem, problems};

fn path(scene: &Scene) -> String {
    format!(
        "/api/internal/ci/{}/check_pks_in_dbt_manifest",
        scene.config
    )
}

#[tokio::test]
async fn a_manifest_without_any_content_type_is_read() {
    let scene = Scene::new().await;
    let manifest = json!({ "nodes": {
        "model.shop.orders": {
            "resource_type": "model",
            "name": "orders",
            "database": "analytics",
            "schema": "core",
            "fqn": ["shop", "orders"],
            "original_file_path": "models/orders.sql",
            "columns": { "id": { "name": "id", "tags": ["primary-key"] } },
        },
    } });
    let request = scene.request("POST", &path(&scene));
    let reply = request.bytes(manifest.to_string()).send().await;
    let expected = json!([{
        "source": "tags",
        "sql_table": ["analytics", "core", "orders"],
        "sql_pks": ["id"],
        "dbt_fqn": ["shop", "orders"],
        "dbt_pks": ["id"],
        "dbt_original_file_path": "models/orders.sql",
        "dbt_patch_path": null,
        "warnings": [],
    }]);
    assert_reply(&reply, 200, &expected);
}

#[tokio::test]
async fn what_is_no_manifest_is_told() {
    let scene = Scene::new().await;
    let request = scene.request("POST", &path(&scene));
    let reply = request.bytes("{}").send().await;
    assert_eq!(problems(&reply), [problem("value_error", json!(["body"]))]);
    assert!(reply.text().contains("no manifest of dbt"));
}

#[tokio::test]
async fn a_manifest_has_its_own_limit() {
    let server = TestServer::start_with(|config| config.limits.dbt_manifest_bytes = 10).await;
    let scene = Scene::on(server).await;
    let request = scene.request("POST", &path(&scene));
    let reply = request.bytes("{\"nodes\":{}}").send().await;
    assert_eq!(reply.status, 413, "{}", reply.text());
}
