//! `tappet backup`: an instance in one file.

use std::path::PathBuf;

use clap::Args;
use tappet_server::backup;

use crate::progress::{Line, bytes};
use crate::{exit, settings};

/// Flags of `backup`.
#[derive(Args)]
pub struct Arguments {
    /// The file to write; it must not exist yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The server's data directory [default: ~/.local/share/tappet]
    #[arg(long, env = "TAPPET_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave secret.key out, to keep it at another place
    #[arg(long)]
    without_key: bool,
}

impl Arguments {
    /// Does it.
    pub fn run(self) -> anyhow::Result<u8> {
        let data = settings::data_dir(self.data)?;
        let mut line = Line::start("backing up");
        let outcome = backup::write(&data, &self.file, !self.without_key, &mut |progress| {
            line.show(progress);
        });
        line.clear();
        let done = outcome?;
        println!(
            "Wrote {}: {} files, {}.",
            self.file.display(),
            done.progress.files,
            bytes(done.progress.bytes)
        );
        if done.gone > 0 {
            println!(
                "{} artifacts expired meanwhile and are not in it.",
                done.gone
            );
        }
        if done.has_key {
            println!("It holds the key of all secrets: keep it as safe as the server.");
        } else {
            println!(
                "Keep {} too: without it no token and no variable can be read again.",
                data.join("secret.key").display()
            );
        }
        Ok(exit::SUCCESS)
    }
}
