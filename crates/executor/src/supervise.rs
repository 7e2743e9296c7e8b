//! Watching one program: its output goes on as it comes, and when its time is
//! up or somebody wants it stopped it gets TERM, a grace, and KILL.

use std::time::Duration;

use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::control::Control;
use crate::io::AttemptIo;
use crate::launcher::{Exit, LaunchError, Running};

/// One read of the output takes at most this much.
const READ_BYTES: usize = 64 * 1024;
/// Kept of a captured output; a program that writes more is read but not remembered.
const CAPTURE_BYTES: usize = 16 * 1024 * 1024;

/// When a program must stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Latest moment.
    pub until: Instant,
    /// The weakest wish that stops it.
    pub heed: Control,
    /// Between TERM and KILL.
    pub grace: Duration,
}

/// How a supervised program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    /// By itself.
    Exit(Exit),
    /// Stopped at its limit.
    TimedOut,
    /// Stopped because of this wish.
    Stopped(Control),
}

/// Where the output goes.
pub(crate) enum Sink<'a, I> {
    /// To the log of the job.
    Log(&'a I),
    /// Into memory.
    Keep(&'a mut Vec<u8>),
}

/// Waits until `running` and all its processes are gone and all output is passed on.
pub(crate) async fn supervise<I: AttemptIo>(
    mut running: Running,
    sink: Sink<'_, I>,
    control: &mut watch::Receiver<Control>,
    limits: Limits,
) -> Result<Ended, LaunchError> {
    let output = running.take_output();
    let all_gone = CancellationToken::new();
    let pump = async {
        if let Some(output) = output {
            pump(output, sink, &all_gone).await;
        }
    };
    let watch = async {
        let ended = watch(&mut running, control, limits).await;
        all_gone.cancel();
        ended
    };
    let ((), ended) = tokio::join!(pump, watch);
    ended
}

async fn watch(
    running: &mut Running,
    control: &mut watch::Receiver<Control>,
    limits: Limits,
) -> Result<Ended, LaunchError> {
    let stopped = tokio::select! {
        biased;
        exit = running.ended() => return Ok(Ended::Exit(exit?)),
        wish = wish(control, limits.heed) => Ended::Stopped(wish),
        () = tokio::time::sleep_until(limits.until) => Ended::TimedOut,
    };
    running.terminate();
    if tokio::time::timeout(limits.grace, running.ended())
        .await
        .is_err()
    {
        running.kill();
        running.ended().await?;
    }
    Ok(stopped)
}

/// Waits for a wish at least as strong as `heed`.
pub(crate) async fn wish(control: &mut watch::Receiver<Control>, heed: Control) -> Control {
    let wish = control
        .wait_for(|wish| *wish >= heed)
        .await
        .map(|wish| *wish);
    match wish {
        Ok(wish) => wish,
        // Nobody is left who could wish for anything.
        Err(_) => std::future::pending().await,
    }
}

/// Passes the output on until its end. Once all processes are gone, what is in the pipe is the end,
/// even if a stranger still holds it open.
async fn pump<I: AttemptIo>(
    output: pipe::Receiver,
    mut sink: Sink<'_, I>,
    all_gone: &CancellationToken,
) {
    // Most jobs say little; the first full read shows those that do not.
    let mut buffer = vec![0; 4096];
    loop {
        let last = tokio::select! {
            biased;
            ready = output.readable() => {
                if ready.is_err() {
                    return;
                }
                false
            }
            () = all_gone.cancelled() => true,
        };
        match output.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                match &mut sink {
                    Sink::Log(io) => io.log(&buffer[..count]).await,
                    Sink::Keep(kept) => {
                        let room = CAPTURE_BYTES.saturating_sub(kept.len());
                        kept.extend_from_slice(&buffer[..count.min(room)]);
                    }
                }
                if count == buffer.len() && count < READ_BYTES {
                    buffer = vec![0; READ_BYTES];
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && !last => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
