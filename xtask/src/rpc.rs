//! `cargo xtask rpc`: the code of `crates/rpc` from its protobuf files.

use std::path::Path;

use anyhow::ensure;

use crate::command::{root, run as command};

const GENERATED: &str = "crates/rpc/src/generated";

/// Writes the code, or with `check` says whether what is checked in is what would
/// be written.
pub fn run(check: bool) -> anyhow::Result<()> {
    let generated = root().join(GENERATED);
    if !check {
        return generate(&generated);
    }
    let fresh = tempfile::tempdir()?;
    generate(fresh.path())?;
    for entry in std::fs::read_dir(fresh.path())? {
        let name = entry?.file_name();
        ensure!(
            std::fs::read(generated.join(&name)).ok()
                == Some(std::fs::read(fresh.path().join(&name))?),
            "{GENERATED}/{} is not what crates/rpc/proto says; run `cargo xtask rpc` and commit the result",
            name.display(),
        );
    }
    Ok(())
}

fn generate(out: &Path) -> anyhow::Result<()> {
    command(
        "cargo",
        &[
            "run",
            "--locked",
            "--package",
            "xtask",
            "--features",
            "codegen",
            "--bin",
            "rpc-codegen",
            "--",
            &out.to_string_lossy(),
        ],
    )
}
