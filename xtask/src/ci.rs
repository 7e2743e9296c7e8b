//! `cargo xtask ci`: everything CI does, in the order in which it fails fastest.

use crate::command::{run as command, run_with};
use crate::{clients, rpc, setup};

/// Runs every check; stops at the first that fails.
pub fn run_all_rust() -> anyhow::Result<()> {
    command("cargo", &["fmt", "--all", "--check"])?;
    command(
        "cargo",
        &[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ],
    )?;
    run_with(
        "cargo",
        &[
            "doc",
            "--locked",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ],
        &[(
            "RUSTDOCFLAGS",
            "--deny warnings --allow rustdoc::private_intra_doc_links",
        )],
    )?;
    command("cargo", &["test", "--locked", "--workspace"])?;
    rpc::run(true)
}

/// What `.ci/run` calls.
pub fn run() -> anyhow::Result<()> {
    setup::run()?;
    run_all_rust()?;
    clients::run()
}

/// Tests of one crate or of all.
pub fn test(name: Option<&str>, arguments: &[String]) -> anyhow::Result<()> {
    let package = match name {
        None => None,
        Some(name @ ("tappet" | "xtask")) => Some(name.to_owned()),
        Some(name) => Some(format!("tappet-{name}")),
    };
    let mut command = vec!["test"];
    match &package {
        Some(package) => command.extend(["--package", package]),
        None => command.push("--workspace"),
    }
    command.push("--");
    command.extend(arguments.iter().map(String::as_str));
    self::command("cargo", &command)
}
