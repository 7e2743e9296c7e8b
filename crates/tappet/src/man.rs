//! `tappet man`: manual pages, made from the same description as `--help`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::exit::{self, Usage};
use crate::output;

/// `tappet man …`.
#[derive(Args)]
pub struct Arguments {
    /// Of this command, e.g. `tappet man trigger run | man -l -`
    command: Vec<String>,
    /// Write the pages of all commands into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

/// Prints one page, or writes all.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut all = Cli::command();
    all.build();
    match &arguments.dir {
        Some(dir) => write_all(all, dir)?,
        None => print(&all, &arguments.command)?,
    }
    Ok(exit::SUCCESS)
}

fn write_all(all: Command, dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(all, dir))
        .with_context(|| format!("cannot write manual pages into {}", dir.display()))
}

fn print(all: &Command, names: &[String]) -> anyhow::Result<()> {
    let mut command = all;
    for name in names {
        command = command.find_subcommand(name).ok_or_else(|| {
            Usage(format!(
                "there is no command `{}`: `tappet --help` lists them",
                names.join(" ")
            ))
        })?;
    }
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    output::print(String::from_utf8_lossy(&page))?;
    Ok(())
}
