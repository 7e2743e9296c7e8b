//! `tappet runner embedded`: the process under the server that runs its jobs.

use anyhow::Context;

use crate::cli::EmbeddedFlags;
use crate::exit;

/// Runs until the server ends it.
pub fn run(flags: EmbeddedFlags) -> anyhow::Result<u8> {
    let settings = tappet_runner::EmbeddedSettings::new(flags.data, usize::try_from(flags.slots)?);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(tappet_runner::run_embedded(settings))
        .context("the runner failed")?;
    Ok(exit::SUCCESS)
}
