//! Watching one program: its output goes on as it comes, and when its time is
//! up or somebody wants it stopped it gets TERM, a grace, and KILL.

use std::time::Duration;

use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::control::Control;
use crate::io::AttemptIo;
use crate::launcher::{Exit, LaunchError, Outputs, Running};

/// One read of the output takes at most this much.
const READ_BYTES: usize = 64 * 1024;
/// What a sink holds back goes out after so long a silence.
const SILENCE: Duration = Duration::from_millis(300);
/// Kept of a captured output; a program that writes more is read but not remembered.
const CAPTURE_BYTES: usize = 16 * 1024 * 1024;

/// When a program must stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Latest moment.
    pub until: Instant,
    /// The weakest wish that stops it.
    pub heed: Control,
    /// Say INT before TERM, and wait this long between them.
    pub interrupt_first: Option<Duration>,
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

/// Which output of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    /// Standard output, and standard error where both are joined.
    Out,
    /// Standard error.
    Err,
}

/// Takes the output of a program.
pub(crate) trait Sink: Send {
    /// Whether it wants to tell the outputs apart.
    const OUTPUTS: Outputs;

    /// The next piece of an output.
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> impl Future<Output = ()> + Send;

    /// Whether it holds something back that [`Sink::hurry`] would let go.
    fn holds_back(&self) -> bool {
        false
    }

    /// Nothing came for a while.
    fn hurry(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// To the log of the job.
pub(crate) struct ToLog<'a, I>(pub &'a I);

impl<I: AttemptIo> Sink for ToLog<'_, I> {
    const OUTPUTS: Outputs = Outputs::Joined;

    async fn take(&mut self, _: Stream, bytes: &[u8]) {
        self.0.log(bytes).await;
    }
}

/// Into memory.
pub(crate) struct Keep<'a>(pub &'a mut Vec<u8>);

impl Sink for Keep<'_> {
    const OUTPUTS: Outputs = Outputs::Joined;

    async fn take(&mut self, _: Stream, bytes: &[u8]) {
        let room = CAPTURE_BYTES.saturating_sub(self.0.len());
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Waits until `running` and all its processes are gone and all output is passed on; where
/// processes may live on, their later output is lost.
pub(crate) async fn supervise<S: Sink>(
    mut running: Running,
    sink: &mut S,
    control: &mut watch::Receiver<Control>,
    limits: Limits,
) -> Result<Ended, LaunchError> {
    let output = running.take_output();
    let errors = running.take_errors();
    let leaves_orphans = running.leaves_orphans();
    let all_gone = CancellationToken::new();
    let pump = pump([output, errors], sink, &all_gone, leaves_orphans);
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
    if let Some(patience) = limits.interrupt_first {
        running.interrupt();
        if tokio::time::timeout(patience, running.ended())
            .await
            .is_ok()
        {
            return Ok(stopped);
        }
    }
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

/// Passes the outputs on until their end. Once all processes are gone, what is in the pipes is the
/// end, even if a stranger still holds them open.
async fn pump<S: Sink>(
    mut pipes: [Option<pipe::Receiver>; 2],
    sink: &mut S,
    all_gone: &CancellationToken,
    leaves_orphans: bool,
) {
    // Most jobs say little; the first full read shows those that do not.
    let mut buffer = vec![0; 4096];
    while pipes.iter().any(Option::is_some) {
        let [output, errors] = &pipes;
        tokio::select! {
            _ = readable(output.as_ref()) => {
                read_one(&mut pipes[0], Stream::Out, &mut buffer, sink).await;
            }
            _ = readable(errors.as_ref()) => {
                read_one(&mut pipes[1], Stream::Err, &mut buffer, sink).await;
            }
            () = all_gone.cancelled() => {
                for (pipe, stream) in pipes.iter_mut().zip([Stream::Out, Stream::Err]) {
                    while read_one(pipe, stream, &mut buffer, sink).await == Read::Some {}
                }
                if leaves_orphans {
                    pipes.into_iter().flatten().for_each(forget);
                }
                return;
            }
            () = tokio::time::sleep(SILENCE), if sink.holds_back() => sink.hurry().await,
        }
    }
}

async fn readable(pipe: Option<&pipe::Receiver>) {
    match pipe {
        // An error shows when the pipe is read.
        Some(pipe) => drop(pipe.readable().await),
        None => std::future::pending().await,
    }
}

/// Reads on without keeping anything: a server that one step started shall not die of a broken
/// pipe in the next. Ends with the last process that writes.
fn forget(mut pipe: pipe::Receiver) {
    tokio::spawn(async move { tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await });
}

#[derive(PartialEq, Eq)]
enum Read {
    Some,
    NothingNow,
    Closed,
}

async fn read_one<S: Sink>(
    pipe: &mut Option<pipe::Receiver>,
    stream: Stream,
    buffer: &mut Vec<u8>,
    sink: &mut S,
) -> Read {
    let Some(open) = pipe else {
        return Read::Closed;
    };
    match open.try_read(buffer) {
        Ok(count) if count > 0 => {
            sink.take(stream, &buffer[..count]).await;
            if count == buffer.len() && count < READ_BYTES {
                *buffer = vec![0; READ_BYTES];
            }
            Read::Some
        }
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Read::NothingNow,
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Read::Some,
        _ => {
            *pipe = None;
            Read::Closed
        }
    }
}
