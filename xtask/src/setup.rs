//! Installs what the tests need and the machine lacks, from package registries
//! only: Debian packages (as root), Python packages (into target/venv) and Node
//! packages (into target/node).

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{exists, root, run as command};

/// Programs of Debian and the package that brings each.
const PROGRAMS: [(&str, &str); 6] = [
    ("git", "git"),
    ("bash", "bash"),
    ("curl", "curl"),
    ("python3", "python3-venv"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// Python packages with the versions that the tests were written against.
/// What `datafold-sdk` brings is held where it is: newer releases of dbt fetch programs
/// from elsewhere while they are installed.
const PYTHON_PACKAGES: [&str; 5] = [
    "python-gitlab==8.6.0",
    "pytest==9.0.1",
    "schemathesis==4.32.5",
    "datafold-sdk==0.4.1",
    "dbt-core==1.9.11",
];

/// Node packages with the versions that the tests were written against.
const NODE_PACKAGES: [&str; 6] = [
    "@actions/expressions@0.3.61",
    "@gitbeaker/rest@43.8.0",
    "@depot/cli-linux-x64@0.0.1-cli.2.102.12",
    "@connectrpc/connect@2.1.2",
    "@connectrpc/connect-node@2.1.2",
    "@bufbuild/protobuf@2.17.0",
];

/// Installs everything that is missing.
pub fn run() -> anyhow::Result<()> {
    debian()?;
    python()?;
    node_packages().map(|_| ())
}

fn debian() -> anyhow::Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !exists(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !exists("apt-get") {
        bail!(
            "these programs are missing; install them and try again: {}",
            missing.join(" ")
        );
    }
    command("apt-get", &["update", "--quiet"])?;
    let mut arguments = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    arguments.extend(missing);
    command("apt-get", &arguments)
}

/// The Python of the tests, made on first use.
pub fn python() -> anyhow::Result<PathBuf> {
    let venv = root().join("target/venv");
    let python = venv.join("bin/python");
    let stamp = venv.join("packages");
    let wanted = PYTHON_PACKAGES.join("\n");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&venv)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        // Debian splits the module from the interpreter.
        command("apt-get", &["update", "--quiet"])?;
        command("apt-get", &["install", "--yes", "--quiet", "python3-venv"])?;
        command("python3", &["-m", "venv", &venv.to_string_lossy()])?;
    }
    let mut arguments = vec![
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    arguments.extend(PYTHON_PACKAGES);
    command(&python.to_string_lossy(), &arguments)?;
    std::fs::write(&stamp, wanted).context("cannot note what was installed")?;
    Ok(python)
}

/// The folder with the Node packages of the tests, filled on first use.
pub fn node_packages() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/node");
    let stamp = folder.join("packages");
    let wanted = NODE_PACKAGES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).context("cannot make target/node")?;
    let prefix = folder.to_string_lossy().into_owned();
    let mut arguments = vec![
        "install",
        "--prefix",
        &prefix,
        "--no-save",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ];
    arguments.extend(NODE_PACKAGES);
    command("npm", &arguments)?;
    std::fs::write(&stamp, wanted).context("cannot note what was installed")?;
    Ok(folder)
}
