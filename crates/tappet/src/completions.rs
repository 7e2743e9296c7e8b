//! `tappet completions`: what a shell needs to complete our commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::{exit, output};

/// `tappet completions …`.
#[derive(Args)]
pub struct Arguments {
    /// For this shell, e.g. `tappet completions bash > ~/.local/share/bash-completion/completions/tappet`
    shell: Shell,
}

/// Prints them.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "tappet", &mut script);
    output::print(String::from_utf8_lossy(&script))?;
    Ok(exit::SUCCESS)
}
