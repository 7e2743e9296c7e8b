//! `tappet serve`.

use anyhow::Context;
use tappet_server::Server;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::ServeFlags;
use crate::{exit, settings};

/// Runs the server until a signal ends it.
pub fn run(flags: ServeFlags) -> anyhow::Result<u8> {
    let config = settings::read(flags)?;
    runtime()?.block_on(async {
        let server = Server::start(config).await?;
        announce(&server).await?;
        until_signal(server).await?;
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

/// Serves until SIGTERM or SIGINT; a second one cancels running jobs at once.
pub async fn until_signal(server: Server) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let hurry = CancellationToken::new();
    let running = server.app().held.len();
    if running > 0 {
        eprintln!(
            "stopping: waiting up to {} s for {running} running job(s); a second signal cancels them",
            server.app().config.drain.as_secs()
        );
    }
    let stop = server.stop(hurry.clone());
    tokio::pin!(stop);
    tokio::select! {
        () = &mut stop => return Ok(()),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    hurry.cancel();
    stop.await;
    Ok(())
}
