//! Real clients in Python against the real binary.

use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{root, run as command};
use crate::setup;

/// Builds the binary and runs `tests/python` against it.
pub fn run() -> anyhow::Result<()> {
    let python = setup::python()?;
    command("cargo", &["build", "--locked", "--package", "tappet"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), std::path::PathBuf::from);
    let status = Command::new(&python)
        .args(["-m", "pytest", "-p", "no:cacheprovider", "tests/python"])
        .env("TAPPET_BINARY", target.join("debug/tappet"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(root())
        .status()
        .context("cannot start pytest")?;
    if !status.success() {
        bail!("the Python clients failed: {status}");
    }
    Ok(())
}
