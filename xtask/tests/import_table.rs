//! The table in ARCHITECTURE.md says which crate may import which; this test
//! compares it with what cargo knows.

#![expect(
    clippy::unwrap_used,
    reason = "a broken repository may stop the test anywhere"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

type Imports = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Rows `| name | meaning | imports |` below the heading of the table.
fn table() -> Imports {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text
        .split("| crate | meaning | may import |")
        .nth(1)
        .expect("the table exists");
    section
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let imports = cells[2]
                .split(',')
                .map(|name| name.trim().trim_matches('`'));
            let imports = imports.filter(|name| !name.is_empty() && *name != "nothing");
            (
                cells[0].trim_matches('`').to_owned(),
                imports.map(str::to_owned).collect(),
            )
        })
        .collect()
}

fn folder(package: &str) -> String {
    package
        .strip_prefix("tappet-")
        .unwrap_or(package)
        .to_owned()
}

/// Imports between the crates of the workspace, tests aside.
fn actual() -> Imports {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    packages
        .iter()
        .filter(|package| package["name"] != "xtask")
        .map(|package| {
            let imports = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|name| names.contains(name))
                .map(folder)
                .collect();
            (folder(package["name"].as_str().unwrap()), imports)
        })
        .collect()
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let table = table();
    for (name, imports) in actual() {
        let allowed = table
            .get(&name)
            .unwrap_or_else(|| panic!("`{name}` is not in the table"));
        let forbidden: Vec<_> = imports.difference(allowed).collect();
        assert!(
            forbidden.is_empty(),
            "`{name}` may not import {forbidden:?}"
        );
    }
}

#[test]
fn the_table_names_no_crate_that_does_not_exist() {
    let actual = actual();
    for name in table().keys() {
        assert!(
            actual.contains_key(name),
            "`{name}` is in the table but not in the workspace"
        );
    }
}
