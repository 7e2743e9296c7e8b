//! Primary keys of tables, as far as a manifest of dbt tells them (dbt: manifest v7 to
//! v12, `nodes`; Datafold: "Primary key inference").
//!
//! What people said for this purpose is trusted most: the model's `meta`, then that of
//! its columns, then tags of columns, then tests of uniqueness.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Key in `meta`, and tag, that marks a primary key.
const TAG: &str = "primary-key";

/// What is known of the key of one table (datafold-sdk 0.4.1: `DbtPkInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct KeyOfTable {
    /// Where the key was found: `meta_table`, `meta`, `tags`, `uniqueness`, or `none`.
    source: &'static str,
    /// Database, schema and name of the table.
    sql_table: Vec<String>,
    /// Columns of the key in the database.
    sql_pks: Vec<String>,
    /// Name of the model in dbt, part by part.
    dbt_fqn: Vec<String>,
    /// Columns of the key in dbt.
    dbt_pks: Vec<String>,
    /// File of the model.
    dbt_original_file_path: String,
    /// File that describes the model.
    dbt_patch_path: Option<String>,
    /// What people should look at.
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Node {
    resource_type: String,
    name: String,
    alias: Option<String>,
    database: Option<String>,
    schema: Option<String>,
    fqn: Vec<String>,
    original_file_path: String,
    patch_path: Option<String>,
    meta: Map<String, Value>,
    columns: Map<String, Value>,
    config: Config,
    depends_on: DependsOn,
    attached_node: Option<String>,
    column_name: Option<String>,
    test_metadata: Option<Test>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {
    materialized: Option<String>,
    meta: Option<Map<String, Value>>,
    unique_key: Value,
    r#where: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DependsOn {
    nodes: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Test {
    name: String,
    kwargs: Map<String, Value>,
}

/// The key of every table that dbt makes, by the tables' names in dbt.
pub fn keys_of(manifest: &[u8]) -> Result<Vec<KeyOfTable>, serde_json::Error> {
    let manifest: Manifest = serde_json::from_slice(manifest)?;
    let mut tests: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    for node in manifest.nodes.values() {
        if let Some(tested) = tested_table(node) {
            tests.entry(tested).or_default().push(node);
        }
    }
    let mut keys: Vec<KeyOfTable> = manifest
        .nodes
        .iter()
        .filter(|(_, node)| makes_table(node))
        .map(|(id, node)| {
            let tests = tests.get(id.as_str());
            described(node, tests.map_or(&[], Vec::as_slice))
        })
        .collect();
    keys.sort_by(|one, other| one.dbt_fqn.cmp(&other.dbt_fqn));
    Ok(keys)
}

fn makes_table(node: &Node) -> bool {
    let kind = node.resource_type.as_str();
    let is_ephemeral = node.config.materialized.as_deref() == Some("ephemeral");
    matches!(kind, "model" | "seed" | "snapshot") && !is_ephemeral
}

/// What a test of uniqueness is about. One of a part of the rows says nothing.
fn tested_table(node: &Node) -> Option<&str> {
    let is_test = node.resource_type == "test" && node.test_metadata.is_some();
    if !is_test || !node.config.r#where.is_null() {
        return None;
    }
    // Older manifests tell only what a test reads.
    match (&node.attached_node, node.depends_on.nodes.as_slice()) {
        (Some(attached), _) => Some(attached),
        (None, [only]) => Some(only),
        _ => None,
    }
}

fn described(node: &Node, tests: &[&Node]) -> KeyOfTable {
    let mut warnings = Vec::new();
    let (source, columns) = [
        ("meta_table", of_table(node)),
        ("meta", of_columns(node, is_marked)),
        ("tags", of_columns(node, is_tagged)),
        ("uniqueness", of_tests(node, tests, &mut warnings)),
    ]
    .into_iter()
    .find(|(_, columns)| !columns.is_empty())
    .unwrap_or(("none", Vec::new()));
    if source != "uniqueness" {
        warnings.clear();
    }
    if source == "none" {
        warnings.push(nothing_found(node));
    }
    let unknown = |column: &&String| {
        let mut known = node.columns.keys();
        !node.columns.is_empty() && !known.any(|name| name.eq_ignore_ascii_case(column))
    };
    warnings.extend(columns.iter().filter(unknown).map(|column| {
        format!("the column {column} of the key is not among the described columns")
    }));
    let table = node.alias.as_ref().unwrap_or(&node.name);
    let names = [node.database.as_ref(), node.schema.as_ref(), Some(table)];
    KeyOfTable {
        source,
        sql_table: names.into_iter().flatten().cloned().collect(),
        sql_pks: columns.clone(),
        dbt_fqn: node.fqn.clone(),
        dbt_pks: columns,
        dbt_original_file_path: node.original_file_path.clone(),
        dbt_patch_path: node.patch_path.clone(),
        warnings,
    }
}

fn nothing_found(node: &Node) -> String {
    let hint = match texts(&node.config.unique_key).as_slice() {
        [] => String::new(),
        columns => format!(" (its unique_key is {})", columns.join(", ")),
    };
    format!(
        "no primary key was found{hint}: set `{TAG}` in the meta of the model or of its columns, \
         or add a test of uniqueness"
    )
}

/// `primary-key` in the model's `meta`: a column, or a list of them.
fn of_table(node: &Node) -> Vec<String> {
    let metas = [node.config.meta.as_ref(), Some(&node.meta)];
    let mut keys = metas.into_iter().flatten().filter_map(|meta| meta.get(TAG));
    keys.next().map(texts).unwrap_or_default()
}

fn of_columns(node: &Node, is_key: impl Fn(&Value) -> bool) -> Vec<String> {
    let keys = node.columns.iter().filter(|(_, column)| is_key(column));
    keys.map(|(name, column)| {
        let own = column.get("name").and_then(Value::as_str);
        own.unwrap_or(name).to_owned()
    })
    .collect()
}

fn is_marked(column: &Value) -> bool {
    let metas = [column.pointer("/config/meta"), column.get("meta")];
    let mut marks = metas.into_iter().flatten().filter_map(|meta| meta.get(TAG));
    marks.any(|mark| match mark {
        Value::Bool(truth) => *truth,
        Value::String(word) => word.eq_ignore_ascii_case("true"),
        _ => false,
    })
}

fn is_tagged(column: &Value) -> bool {
    let tags = [column.pointer("/config/tags"), column.get("tags")];
    let mut tags = tags.into_iter().flatten().flat_map(texts);
    tags.any(|tag| tag == TAG)
}

/// The key that the first test of uniqueness tells: of one column, of an expression of
/// several, of a combination of columns.
fn of_tests(node: &Node, tests: &[&Node], warnings: &mut Vec<String>) -> Vec<String> {
    let mut single = Vec::new();
    let mut combined = Vec::new();
    for test in tests {
        let Some(metadata) = &test.test_metadata else {
            continue;
        };
        let columns = match metadata.name.as_str() {
            "unique" => {
                let argument = metadata.kwargs.get("column_name").and_then(Value::as_str);
                let expression = argument.or(test.column_name.as_deref());
                expression.map(columns_of).unwrap_or_default()
            }
            "unique_combination_of_columns" => metadata
                .kwargs
                .get("combination_of_columns")
                .map(texts)
                .unwrap_or_default(),
            _ => continue,
        };
        match columns.as_slice() {
            [] => {}
            [one] => single.push(one.clone()),
            _ => combined.push(columns),
        }
    }
    // Tests have names that tell nothing; columns have an order.
    let place = |column: &String| node.columns.keys().position(|name| name == column);
    single.sort_by_key(|column| place(column).unwrap_or(usize::MAX));
    single.dedup();
    if let [first, others @ ..] = single.as_slice() {
        if !others.is_empty() {
            warnings.push(format!(
                "several columns are unique: {}; {first} is taken",
                single.join(", ")
            ));
        }
        return vec![first.clone()];
    }
    combined.into_iter().next().unwrap_or_default()
}

/// The columns that `a`, `a || b` or `concat(a, b)` is made of; none of anything that
/// cannot be read.
fn columns_of(expression: &str) -> Vec<String> {
    let expression = expression.trim();
    let lower = expression.to_ascii_lowercase();
    let parts: Vec<&str> = match lower
        .strip_prefix("concat(")
        .and(expression.strip_suffix(')'))
    {
        Some(inner) => inner["concat(".len()..].split(',').collect(),
        None => expression.split("||").collect(),
    };
    let mut columns = Vec::new();
    for part in parts.into_iter().map(str::trim) {
        let is_separator = part.len() >= 2 && part.starts_with('\'') && part.ends_with('\'');
        if is_separator {
            continue;
        }
        let name = part.trim_matches(['"', '`']);
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        if name.is_empty() || !name.chars().all(is_name) {
            return Vec::new();
        }
        columns.push(name.to_owned());
    }
    columns
}

/// A text, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
