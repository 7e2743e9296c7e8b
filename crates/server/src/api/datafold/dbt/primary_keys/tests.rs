//! Keys of models as dbt writes them into its manifest.

use rstest::rstest;
use serde_json::json;

use super::*;

/// A manifest with the model `orders` and what else is given.
fn manifest(model: Value, tests: &[Value]) -> Vec<u8> {
    let mut node = json!({
        "resource_type": "model",
        "name": "orders",
        "alias": "orders_v2",
        "database": "analytics",
        "schema": "core",
        "fqn": ["shop", "core", "orders"],
        "original_file_path": "models/core/orders.sql",
        "patch_path": "shop://models/core.yml",
        "columns": {
            "order_id": { "name": "order_id", "meta": {}, "tags": [] },
            "line": { "name": "line", "meta": {}, "tags": [] },
        },
        "config": { "materialized": "table" },
        "checksum": { "name": "sha256", "checksum": "0" },
    });
    merge(&mut node, model);
    let mut nodes = Map::new();
    nodes.insert("model.shop.orders".into(), node);
    for (at, test) in tests.iter().enumerate() {
        let mut node = json!({
            "resource_type": "test",
            "attached_node": "model.shop.orders",
            "depends_on": { "macros": [], "nodes": ["model.shop.orders"] },
        });
        merge(&mut node, test.clone());
        nodes.insert(format!("test.shop.{at}"), node);
    }
    json!({ "metadata": {}, "nodes": nodes })
        .to_string()
        .into_bytes()
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn key_of(model: Value, tests: &[Value]) -> KeyOfTable {
    let mut keys = keys_of(&manifest(model, tests)).unwrap();
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

fn unique(column: &str) -> Value {
    json!({ "test_metadata": { "name": "unique", "kwargs": { "column_name": column } } })
}

fn combination(columns: &[&str]) -> Value {
    json!({ "test_metadata": {
        "name": "unique_combination_of_columns",
        "namespace": "dbt_utils",
        "kwargs": { "combination_of_columns": columns },
    } })
}

#[rstest]
#[case::of_the_model(json!({ "config": { "meta": { "primary-key": "order_id" } } }), "meta_table", &["order_id"])]
#[case::of_the_model_as_a_list(json!({ "meta": { "primary-key": ["order_id", "line"] } }), "meta_table", &["order_id", "line"])]
#[case::of_a_column(json!({ "columns": { "line": { "meta": { "primary-key": true } } } }), "meta", &["line"])]
#[case::of_columns_since_dbt_1_10(json!({ "columns": { "line": { "config": { "meta": { "primary-key": "true" } } } } }), "meta", &["line"])]
#[case::unmarked(json!({ "columns": { "line": { "meta": { "primary-key": false } } } }), "none", &[])]
#[case::tagged(json!({ "columns": { "line": { "tags": ["pii", "primary-key"] } } }), "tags", &["line"])]
#[case::the_model_beats_its_columns(
    json!({ "meta": { "primary-key": "order_id" }, "columns": { "line": { "meta": { "primary-key": true } } } }),
    "meta_table",
    &["order_id"]
)]
#[case::meta_beats_tags(
    json!({ "columns": { "line": { "meta": { "primary-key": true } }, "order_id": { "tags": ["primary-key"] } } }),
    "meta",
    &["line"]
)]
#[case::nothing(json!({}), "none", &[])]
fn what_people_say_of_the_key_counts(
    #[case] model: Value,
    #[case] source: &str,
    #[case] columns: &[&str],
) {
    let key = key_of(model, &[]);
    assert_eq!(
        (key.source, key.dbt_pks.as_slice()),
        (source, texts(&json!(columns)).as_slice())
    );
    assert_eq!(key.sql_pks, key.dbt_pks);
    assert_eq!(key.warnings.len(), usize::from(source == "none"));
}

#[rstest]
#[case::one_column(vec![unique("order_id")], &["order_id"])]
#[case::several(vec![unique("line"), unique("order_id")], &["order_id"])]
#[case::an_expression(vec![unique("order_id || '-' || line")], &["order_id", "line"])]
#[case::a_function(vec![unique("CONCAT(order_id, line)")], &["order_id", "line"])]
#[case::what_cannot_be_read(vec![unique("md5(order_id)")], &[])]
#[case::a_combination(vec![combination(&["order_id", "line"])], &["order_id", "line"])]
#[case::one_column_beats_a_combination(vec![combination(&["order_id", "line"]), unique("line")], &["line"])]
#[case::another_test(vec![json!({ "test_metadata": { "name": "not_null", "kwargs": { "column_name": "line" } } })], &[])]
#[case::of_a_part_of_the_rows(vec![{ let mut test = unique("line"); test["config"] = json!({ "where": "x > 1" }); test }], &[])]
#[case::before_attached_node(vec![{ let mut test = unique("line"); test["attached_node"] = Value::Null; test }], &["line"])]
#[case::of_two_models(
    vec![{
        let mut test = unique("line");
        test["attached_node"] = Value::Null;
        test["depends_on"] = json!({ "nodes": ["model.shop.orders", "model.shop.other"] });
        test
    }],
    &[]
)]
fn tests_of_uniqueness_tell_the_rest(#[case] tests: Vec<Value>, #[case] columns: &[&str]) {
    let key = key_of(json!({}), &tests);
    assert_eq!(key.dbt_pks, texts(&json!(columns)));
    let source = if columns.is_empty() {
        "none"
    } else {
        "uniqueness"
    };
    assert_eq!(key.source, source);
}

#[test]
fn a_table_is_told_with_its_names_and_files() {
    let key = key_of(json!({ "meta": { "primary-key": "order_id" } }), &[]);
    assert_eq!(key.sql_table, ["analytics", "core", "orders_v2"]);
    assert_eq!(key.dbt_fqn, ["shop", "core", "orders"]);
    assert_eq!(key.dbt_original_file_path, "models/core/orders.sql");
    assert_eq!(
        key.dbt_patch_path.as_deref(),
        Some("shop://models/core.yml")
    );
}

#[test]
fn people_are_told_what_to_look_at() {
    let several = key_of(json!({}), &[unique("line"), unique("order_id")]);
    assert_eq!(
        several.warnings,
        ["several columns are unique: order_id, line; order_id is taken"]
    );
    let unknown = key_of(json!({ "meta": { "primary-key": "id" } }), &[]);
    assert_eq!(
        unknown.warnings,
        ["the column id of the key is not among the described columns"]
    );
    let hint = key_of(json!({ "config": { "unique_key": ["a", "b"] } }), &[]);
    assert!(
        hint.warnings[0].contains("its unique_key is a, b"),
        "{:?}",
        hint.warnings
    );
}

#[rstest]
#[case("seed", "seed", 1)]
#[case("snapshot", "snapshot", 1)]
#[case("model", "ephemeral", 0)]
#[case("analysis", "view", 0)]
#[case("operation", "view", 0)]
fn only_what_becomes_a_table_has_a_key(
    #[case] kind: &str,
    #[case] materialized: &str,
    #[case] expected: usize,
) {
    let model = json!({ "resource_type": kind, "config": { "materialized": materialized } });
    assert_eq!(keys_of(&manifest(model, &[])).unwrap().len(), expected);
}

#[rstest]
#[case("[]")]
#[case("{}")]
#[case("{\"nodes\":[]}")]
#[case("not json")]
fn what_is_no_manifest_is_refused(#[case] text: &str) {
    assert!(keys_of(text.as_bytes()).is_err());
}
