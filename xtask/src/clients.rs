//! Real clients in Python and JavaScript, and curl, against the real binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{root, run as command};
use crate::setup;

/// Builds the binary and runs `tests/python` and `tests/node` against it.
pub fn run() -> anyhow::Result<()> {
    command("cargo", &["build", "--locked", "--package", "tappet"])?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let binary = target.join("debug/tappet");
    python(&binary)?;
    node(&binary)
}

fn python(binary: &Path) -> anyhow::Result<()> {
    let python = setup::python()?;
    let mut command = Command::new(python);
    command
        .args(["-m", "pytest", "-p", "no:cacheprovider", "tests/python"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TAPPET_NODE_PACKAGES", setup::node_packages()?);
    check("the Python clients", command, binary)
}

fn node(binary: &Path) -> anyhow::Result<()> {
    let packages = setup::node_packages()?;
    let mut command = Command::new("node");
    command
        .args(["--test", "tests/node/"])
        .env("TAPPET_NODE_PACKAGES", packages);
    check("the JavaScript clients", command, binary)
}

fn check(what: &str, mut command: Command, binary: &Path) -> anyhow::Result<()> {
    let status = command
        .env("TAPPET_BINARY", binary)
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot start {what}"))?;
    if !status.success() {
        bail!("{what} failed: {status}");
    }
    Ok(())
}
