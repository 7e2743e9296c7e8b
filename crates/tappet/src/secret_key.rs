//! `tappet secret-key`: works on a data directory, without a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tappet_server::key_rotation;

use crate::{exit, serve, settings};

/// `tappet secret-key …`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a new key and move everything to it; the server must be stopped
    Rotate {
        /// The server's data directory [default: ~/.local/share/tappet]
        #[arg(long, env = "TAPPET_DATA", value_name = "DIR")]
        data: Option<PathBuf>,
    },
}

impl Arguments {
    /// Does it.
    pub fn run(self) -> anyhow::Result<u8> {
        let Verb::Rotate { data } = self.verb;
        let data_dir = settings::data_dir(data)?;
        let rotated = serve::runtime()?.block_on(key_rotation::rotate(&data_dir))?;
        println!(
            "{} values are encrypted with the new key now",
            rotated.values
        );
        match rotated.running_jobs {
            0 => println!("the old key is gone"),
            jobs => println!(
                "{jobs} jobs still run with tokens of the old key; the server removes it when \
                 they have ended"
            ),
        }
        Ok(exit::SUCCESS)
    }
}
