//! The conversation with one long-lived `git cat-file --batch-command`.
//!
//! [`Batch`] is a handle; a task owns the process, which starts with the first
//! request and ends when nobody asked for a while or the handle is dropped.
//! Requests that wait together are written together and answered together, so
//! a busy repository costs one write and one read for many lookups.

mod process;

use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, StatxFlags};
use tokio::sync::{mpsc, oneshot};

use crate::config::Git;
use crate::error::ReadError;
use process::Process;

/// The most requests written at once.
const GROUP: usize = 64;

/// One thing to ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Query {
    /// What an object is.
    Info(String),
    /// The same, and its content.
    Contents(String),
}

/// What git knows about an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Object {
    pub id: String,
    pub kind: ObjectKind,
    pub size: u64,
    /// Empty unless asked for.
    pub content: Vec<u8>,
}

/// The kind of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ObjectKind {
    /// [`Tells::Ids`] does not say.
    Unasked,
    Blob,
    Tree,
    Commit,
    Tag,
}

/// `None`: no such object, or one that cannot be read.
pub(crate) type Answer = Option<Object>;

/// What a process says about objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tells {
    /// Their ids alone, which spares git a look at the object: half the time.
    Ids,
    /// Kind and size too, and their content.
    Everything,
}

/// Where the process reads, and its limits.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub git: Git,
    pub git_dir: PathBuf,
    pub objects_dir: PathBuf,
    /// How long a group of requests may take.
    pub reply_limit: Duration,
    /// How long the process stays without requests.
    pub idle_limit: Duration,
}

/// The handle; dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Batch {
    requests: mpsc::Sender<Request>,
    reply_limit: Duration,
}

#[derive(Debug)]
struct Request {
    queries: Vec<Query>,
    reply: oneshot::Sender<Result<Vec<Answer>, ReadError>>,
}

impl Batch {
    /// Starts the task, not yet the process. Needs a tokio runtime.
    pub fn new(source: Source, tells: Tells) -> Self {
        let (requests, received) = mpsc::channel(1024);
        let reply_limit = source.reply_limit;
        tokio::spawn(serve(source, tells, received));
        Self {
            requests,
            reply_limit,
        }
    }

    /// Asks `queries`, each one line, in one go; as many answers come back.
    pub async fn ask<const N: usize>(&self, queries: [Query; N]) -> Result<[Answer; N], ReadError> {
        let unsafe_line = |query: &Query| query.object().bytes().any(|byte| byte < 0x20);
        if queries.iter().any(unsafe_line) {
            return Err(ReadError::Stopped {
                detail: "an object name holds a control character".to_owned(),
            });
        }
        let gone = || ReadError::Stopped {
            detail: "the server is shutting down".to_owned(),
        };
        let (reply, answered) = oneshot::channel();
        let request = Request {
            queries: queries.into(),
            reply,
        };
        let conversation = async {
            self.requests.send(request).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        };
        let answers = tokio::time::timeout(self.reply_limit, conversation)
            .await
            .unwrap_or(Err(ReadError::Timeout {
                limit: self.reply_limit,
            }))?;
        answers.try_into().map_err(|_| gone())
    }
}

impl Query {
    fn object(&self) -> &str {
        match self {
            Query::Info(object) | Query::Contents(object) => object,
        }
    }
}

/// Which incarnation of a folder a process was started on: a repository that was
/// removed and put back has another.
type Incarnation = (u32, u32, u64, i64, u32);

fn incarnation(folder: &std::path::Path) -> Option<Incarnation> {
    let mask = StatxFlags::INO | StatxFlags::BTIME;
    let found = rustix::fs::statx(CWD, folder, AtFlags::empty(), mask).ok()?;
    let born = found.stx_btime;
    Some((
        found.stx_dev_major,
        found.stx_dev_minor,
        found.stx_ino,
        born.tv_sec,
        born.tv_nsec,
    ))
}

async fn serve(source: Source, tells: Tells, mut requests: mpsc::Receiver<Request>) {
    let mut running: Option<(Process, Incarnation)> = None;
    let mut group = Vec::with_capacity(GROUP);
    loop {
        let received = if running.is_some() {
            let wait = requests.recv_many(&mut group, GROUP);
            match tokio::time::timeout(source.idle_limit, wait).await {
                Ok(received) => received,
                Err(_) => {
                    end(&mut running).await;
                    continue;
                }
            }
        } else {
            requests.recv_many(&mut group, GROUP).await
        };
        if received == 0 {
            return end(&mut running).await;
        }
        group.retain(|request| !request.reply.is_closed());
        answer(&source, tells, &mut running, &mut group).await;
    }
}

async fn end(running: &mut Option<(Process, Incarnation)>) {
    if let Some((process, _)) = running.take() {
        process.end().await;
    }
}

/// Answers the group as a whole; when the process dies of it, each request gets
/// one more try on its own, so that one damaged object does not fail the others.
async fn answer(
    source: &Source,
    tells: Tells,
    running: &mut Option<(Process, Incarnation)>,
    group: &mut Vec<Request>,
) {
    let queries = group.iter().flat_map(|request| &request.queries);
    match exchange(source, tells, running, queries).await {
        Err(ReadError::Stopped { .. }) => {
            for request in group.drain(..) {
                let answers = exchange(source, tells, running, request.queries.iter()).await;
                let _ = request.reply.send(answers);
            }
        }
        Err(error) => {
            for request in group.drain(..) {
                let _ = request.reply.send(Err(error.clone()));
            }
        }
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for request in group.drain(..) {
                let part = answers.by_ref().take(request.queries.len()).collect();
                // A caller that gave up needs no answer.
                let _ = request.reply.send(Ok(part));
            }
        }
    }
}

async fn exchange(
    source: &Source,
    tells: Tells,
    running: &mut Option<(Process, Incarnation)>,
    queries: impl Iterator<Item = &Query> + Clone,
) -> Result<Vec<Answer>, ReadError> {
    let Some(here) = incarnation(&source.objects_dir) else {
        end(running).await;
        return Err(ReadError::Gone {
            dir: source.git_dir.clone(),
        });
    };
    if running
        .as_ref()
        .is_some_and(|(_, started_on)| *started_on != here)
    {
        end(running).await;
    }
    let (mut process, _) = match running.take() {
        Some(process) => process,
        None => (Process::start(source, tells)?, here),
    };
    match tokio::time::timeout(source.reply_limit, process.exchange(queries)).await {
        Ok(Ok(answers)) => {
            *running = Some((process, here));
            Ok(answers)
        }
        Ok(Err(error)) => Err(ReadError::Stopped {
            detail: format!("{error}; it {}", process.end().await),
        }),
        Err(_) => {
            process.end().await;
            Err(ReadError::Timeout {
                limit: source.reply_limit,
            })
        }
    }
}
