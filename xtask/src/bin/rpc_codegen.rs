//! Writes the Rust code of `crates/rpc/proto` into the folder that is given:
//! `rpc-codegen OUT_DIR`. `cargo xtask rpc` calls it. A program of its own,
//! behind the feature `codegen`, so that no other build compiles a protobuf compiler.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Below `crates/rpc/proto`; every service gets a trait and its dispatcher.
const FILES: [&str; 13] = [
    "depot/cache/v1/cache.proto",
    "depot/ci/v1/api.proto",
    "depot/ci/v1/ci.proto",
    "depot/ci/v1/secrets.proto",
    "depot/ci/v1/variables.proto",
    "depot/ci/v2/migration.proto",
    "depot/ci/v2/secrets.proto",
    "depot/ci/v2/variables.proto",
    "depot/ci/v3beta2/secrets.proto",
    "depot/ci/v3beta2/types.proto",
    "depot/ci/v3beta2/variables.proto",
    "depot/cli/v1beta1/login.proto",
    "depot/core/v1/org.proto",
];

fn main() -> anyhow::Result<()> {
    let out: PathBuf = std::env::args_os()
        .nth(1)
        .context("usage: rpc-codegen OUT_DIR")?
        .into();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies in the repository")?;
    let mut compiler = protox::Compiler::new([root.join("crates/rpc/proto")])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)?;
    let descriptors = tempfile::NamedTempFile::new()?;
    std::fs::write(descriptors.path(), compiler.encode_file_descriptor_set())?;
    let mut config = connectrpc_build::CodeGenConfig::default();
    config.preserve_unknown_fields = false;
    config.generate_with_setters = false;
    connectrpc_build::Config::new()
        .buffa_config(config)
        .descriptor_set(descriptors.path())
        .files(&FILES)
        .out_dir(&out)
        .file_per_package(true)
        .generate_json(true)
        .emit_register_fn(false)
        .gate_client_feature(true)
        .emit_rerun_directives(false)
        .include_file("packages.rs")
        .compile()
}
