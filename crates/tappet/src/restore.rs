//! `tappet restore`: a data directory out of a backup.

use std::path::PathBuf;

use clap::Args;
use tappet_server::backup::restore;

use crate::progress::{Line, bytes};
use crate::{exit, settings};

/// Flags of `restore`.
#[derive(Args)]
pub struct Arguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data directory to make; it must be missing or empty [default: ~/.local/share/tappet]
    #[arg(long, env = "TAPPET_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The secret.key of a backup that was made without it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Leave schedules active, when the old server is gone for good
    #[arg(long)]
    keep_schedules: bool,
}

impl Arguments {
    /// Does it.
    pub fn run(self) -> anyhow::Result<u8> {
        let data = settings::data_dir(self.data)?;
        let key = self.key.as_deref();
        let mut line = Line::start("restoring");
        let outcome = restore::restore(&self.file, &data, key, self.keep_schedules, &mut |done| {
            line.show(done);
        });
        line.clear();
        let done = outcome?;
        println!(
            "Restored {}: {} files, {}.",
            data.display(),
            done.progress.files,
            bytes(done.progress.bytes)
        );
        if done.paused_schedules > 0 {
            println!(
                "{} schedules are paused, in case the old server still runs: activate those you want.",
                done.paused_schedules
            );
        }
        println!("Start it with: tappet serve --data {}", data.display());
        Ok(exit::SUCCESS)
    }
}
