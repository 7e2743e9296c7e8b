//! `tappet serve`.

use anyhow::Context;
use tappet_server::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::ServeFlags;
use crate::{exit, settings};

/// Runs the server until a signal ends it.
pub fn run(flags: ServeFlags) -> anyhow::Result<u8> {
    let config = settings::read(flags)?;
    runtime()?.block_on(async {
        let signals = StopSignals::listen()?;
        let server = Server::start(config).await?;
        announce(&server).await?;
        signals.serve(server).await;
        Ok(exit::SUCCESS)
    })
}

/// The runtime of the server: as many threads as processors.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

async fn announce(server: &Server) -> anyhow::Result<()> {
    let app = server.app();
    let (token, is_new) = server.root_token();
    println!(
        "Tappet {} is ready on {}",
        env!("CARGO_PKG_VERSION"),
        app.config.url("")
    );
    println!(
        "  sign in  {}  (once, within 15 minutes)",
        server.sign_in_link().await?
    );
    if is_new {
        println!("  token    {token}  (shown once, kept in root-token)");
    }
    println!("  data     {}", app.config.data_dir.display());
    if app.config.slots == 0 {
        println!("  runner   none (--slots 0): jobs wait until a runner asks for them");
    }
    Ok(())
}

/// SIGTERM and SIGINT, listened for from the start: a signal that arrives while
/// the server is opening must not end it without its runner.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Listens from now on. Needs a runtime.
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Serves until a signal comes; a second one cancels running jobs at once.
    pub async fn serve(mut self, server: Server) {
        self.next().await;
        let hurry = CancellationToken::new();
        let running = server.app().held.len();
        if running > 0 {
            eprintln!(
                "stopping: waiting up to {} s for {running} running job(s); \
                 a second signal cancels them",
                server.app().config.drain.as_secs()
            );
        }
        let stop = server.stop(hurry.clone());
        tokio::pin!(stop);
        tokio::select! {
            () = &mut stop => return,
            () = self.next() => {}
        }
        hurry.cancel();
        stop.await;
    }
}
