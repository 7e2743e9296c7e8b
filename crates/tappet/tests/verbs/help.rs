//! The reference of all commands, as `--help` tells it.

use std::process::Command;

fn tappet(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tappet"));
    command.args(arguments).env_clear().env("COLUMNS", "100");
    let output = command.output().unwrap();
    let text = output
        .stdout
        .iter()
        .chain(&output.stderr)
        .copied()
        .collect();
    String::from_utf8(text).unwrap()
}

/// Names below the heading `Commands:`.
fn commands(help: &str) -> Vec<String> {
    let Some((_, rest)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    rest.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn reference(path: &[&str], all: &mut String) {
    let mut arguments = path.to_vec();
    arguments.push("-h");
    let help = tappet(&arguments);
    all.push_str(&format!("## tappet {}\n\n{help}\n", path.join(" ")));
    for name in commands(&help) {
        let mut below = path.to_vec();
        below.push(&name);
        reference(&below, all);
    }
}

#[test]
fn the_reference_of_all_commands() {
    let mut all = String::new();
    reference(&[], &mut all);
    insta::assert_snapshot!(all);
}

#[test]
fn every_shell_gets_completions_and_every_command_a_page() {
    for shell in ["bash", "zsh", "fish"] {
        let script = tappet(&["completions", shell]);
        assert!(script.contains("take-ownership"), "{shell}");
    }
    let page = tappet(&["man", "trigger", "run"]);
    assert!(page.contains(".TH tappet-trigger-run 1"), "{page}");
    assert!(page.contains("idempotency"), "{page}");
    let error = tappet(&["man", "trigger", "walk"]);
    assert!(error.contains("tappet --help"), "{error}");
}
