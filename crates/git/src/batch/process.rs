//! One running `git cat-file --batch-command` and the text it speaks.

use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::{Answer, Object, ObjectKind, Query, Source, Tells};
use crate::command::Group;
use crate::error::ReadError;

/// The largest content read into memory; callers check sizes long before.
const MAX_CONTENT: u64 = 256 << 20;

pub(super) struct Process {
    child: Child,
    group: Group,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl Process {
    pub fn start(source: &Source, tells: Tells) -> Result<Self, ReadError> {
        let stopped = |error: io::Error| ReadError::Stopped {
            detail: format!("it could not be started: {error}"),
        };
        let verb = match tells {
            Tells::Ids => "--batch-command=%(objectname)",
            Tells::Everything => "--batch-command",
        };
        let mut child = source
            .git
            .reading(&source.git_dir)
            .args(["cat-file", verb, "--buffer"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(stopped)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| stopped(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self {
            group: Group::of(&child),
            child,
            stdin,
            stdout: BufReader::new(stdout),
            line: Vec::new(),
        })
    }

    /// Writes all queries, then reads all answers. With `--buffer` git reads up to
    /// `flush` before it writes, so the two pipes cannot block each other.
    pub async fn exchange(
        &mut self,
        queries: impl Iterator<Item = &Query> + Clone,
    ) -> io::Result<Vec<Answer>> {
        self.line.clear();
        for query in queries.clone() {
            let (verb, object) = match query {
                Query::Info(object) => ("info ", object),
                Query::Contents(object) => ("contents ", object),
            };
            self.line.extend_from_slice(verb.as_bytes());
            self.line.extend_from_slice(object.as_bytes());
            self.line.push(b'\n');
        }
        self.line.extend_from_slice(b"flush\n");
        self.stdin.write_all(&self.line).await?;
        let mut answers = Vec::new();
        for query in queries {
            answers.push(self.read_answer(query).await?);
        }
        Ok(answers)
    }

    async fn read_answer(&mut self, query: &Query) -> io::Result<Answer> {
        self.line.clear();
        self.stdout.read_until(b'\n', &mut self.line).await?;
        if self.line.pop() != Some(b'\n') {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it closed its output",
            ));
        }
        let Some(mut object) = head(&self.line)? else {
            return Ok(None);
        };
        if let Query::Contents(_) = query {
            if object.size > MAX_CONTENT {
                return Err(io::Error::other("an object is too large to read"));
            }
            let length = usize::try_from(object.size).map_err(io::Error::other)?;
            object.content = vec![0; length + 1];
            self.stdout.read_exact(&mut object.content).await?;
            object.content.truncate(length);
        }
        Ok(Some(object))
    }

    /// Kills and reaps the process; says how it ended, to follow "it".
    pub async fn end(mut self) -> String {
        if let Ok(Some(status)) = self.child.try_wait() {
            self.group.disarm();
            return format!("ended with {status}");
        }
        drop(self.group);
        // Nothing is lost when waiting fails: the process was killed.
        let _ = self.child.wait().await;
        "was killed".to_owned()
    }
}

/// Reads `<id> <kind> <size>` or `<id>`; `None` for `<name> missing` and its like.
fn head(line: &[u8]) -> io::Result<Option<Object>> {
    let text = String::from_utf8_lossy(line);
    let unknown = || io::Error::other(format!("it answered {:?}", text.get(..80).unwrap_or(&text)));
    if text.ends_with(" missing") || text.ends_with(" ambiguous") {
        return Ok(None);
    }
    let mut words = text.split(' ');
    let words = [(); 4].map(|()| words.next());
    let (id, kind, size) = match words {
        [Some(id), Some(kind), Some(size), None] => (id, kind, size),
        [Some(id), None, ..] => (id, "", "0"),
        _ => return Err(unknown()),
    };
    let kind = match kind {
        "" => ObjectKind::Unasked,
        "blob" => ObjectKind::Blob,
        "tree" => ObjectKind::Tree,
        "commit" => ObjectKind::Commit,
        "tag" => ObjectKind::Tag,
        _ => return Err(unknown()),
    };
    Ok(Some(Object {
        id: id.to_owned(),
        kind,
        size: size.parse().map_err(|_| unknown())?,
        content: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_heads_of_answers() {
        let object = head(b"abc commit 12").unwrap().unwrap();
        assert_eq!((object.kind, object.size), (ObjectKind::Commit, 12));
        assert_eq!(head(b"refs/heads/x^{commit} missing").unwrap(), None);
        let object = head(b"abc").unwrap().unwrap();
        assert_eq!((object.kind, object.size), (ObjectKind::Unasked, 0));
        assert!(head(b"fatal: oops").is_err());
        assert!(head(b"abc commit many").is_err());
        assert!(head(b"abc commit 1 2").is_err());
    }
}
