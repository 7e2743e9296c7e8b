//! Uploaded files of attempts: `DIR/artifacts/<attempt / 1000>/<attempt>/<kind>-<digest>`.
//!
//! A file is written under `DIR/artifacts/incoming/`, brought to the disk, and
//! only then renamed into place, so a file that has its name is whole. Names are
//! made here from the attempt's id, the kind and the content; what a client calls
//! its file is kept in the store alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::Stream;
use tappet_model::AttemptId;
use tappet_store::Artifact;

use crate::incoming_files::{IncomingFiles, blocking};

pub use crate::incoming_files::{ReceivedFile, WriteError};

/// Of a kind; GitLab's are at most 25 characters long.
const KIND_LIMIT: usize = 64;

/// The artifact files of a data directory.
#[derive(Clone, Debug)]
pub struct ArtifactFiles {
    dir: PathBuf,
    incoming: IncomingFiles,
}

impl ArtifactFiles {
    /// The files under `data_dir`, each at most `limit_bytes` long. No file is
    /// touched before it is needed.
    #[must_use]
    pub fn new(data_dir: &Path, limit_bytes: u64) -> Self {
        let dir = data_dir.join("artifacts");
        Self {
            incoming: IncomingFiles::new(dir.join("incoming"), limit_bytes),
            dir,
        }
    }

    /// See [`IncomingFiles::remove_leftovers`].
    ///
    /// # Errors
    /// The file system refused.
    pub async fn remove_leftovers(&self) -> io::Result<u64> {
        self.incoming.remove_leftovers().await
    }

    /// Brings `body` to the disk. It still lacks its place, since a form may tell
    /// the kind of its file after the file.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn receive<E>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<ReceivedFile, WriteError<E>> {
        self.incoming.receive(body).await
    }

    /// Gives a received file its place, durably. The same content of the same
    /// kind again is one file.
    ///
    /// # Errors
    /// The kind is not a word as [`is_kind`] wants it, or the file system refused.
    pub async fn keep(
        &self,
        attempt: AttemptId,
        kind: &str,
        received: ReceivedFile,
    ) -> io::Result<()> {
        if !is_kind(kind) {
            let error = format!("`{kind}` is not an artifact kind");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let name = file_name(kind, &received.sha256);
        let place = self.attempt_dir(attempt).join(name);
        received.move_to(place).await
    }

    /// Opens an artifact for reading.
    ///
    /// # Errors
    /// It is gone, or the file system refused.
    pub async fn open(&self, artifact: &Artifact) -> io::Result<tokio::fs::File> {
        tokio::fs::File::open(self.path(artifact)).await
    }

    /// Where an artifact is.
    #[must_use]
    pub fn path(&self, artifact: &Artifact) -> PathBuf {
        self.attempt_dir(artifact.attempt_id)
            .join(file_name(&artifact.kind, &artifact.sha256))
    }

    /// Removes an artifact and the directories that it leaves empty. One that is
    /// gone already is no error.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn delete(&self, artifact: &Artifact) -> io::Result<()> {
        let path = self.path(artifact);
        blocking(move || {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            for dir in path.ancestors().skip(1).take(2) {
                // Fails while others have files in it, which is meant to be.
                if fs::remove_dir(dir).is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await
    }

    fn attempt_dir(&self, attempt: AttemptId) -> PathBuf {
        self.dir
            .join((attempt.0 / 1000).to_string())
            .join(attempt.to_string())
    }
}

/// Sixteen bytes of the digest tell the files of one attempt and kind apart.
fn file_name(kind: &str, sha256: &[u8; 32]) -> String {
    let mut name = if is_kind(kind) {
        kind.to_owned()
    } else {
        // Never written, so never found.
        "unknown".to_owned()
    };
    name.push('-');
    for byte in &sha256[..16] {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

/// Whether a word can be an artifact's kind: 1 to 64 of `a-z`, `0-9`, `_`, `-`.
#[must_use]
pub fn is_kind(kind: &str) -> bool {
    (1..=KIND_LIMIT).contains(&kind.len())
        && kind
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::os::unix::fs::PermissionsExt;

    use futures_util::stream::{self, StreamExt};
    use rstest::rstest;
    use sha2::{Digest, Sha256};
    use tappet_model::{ArtifactId, Timestamp};
    use tokio::io::AsyncReadExt;

    use super::*;

    const LIMIT: u64 = 1_000_000;

    struct Fixture {
        dir: tempfile::TempDir,
        files: ArtifactFiles,
    }

    impl Fixture {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let files = ArtifactFiles::new(dir.path(), LIMIT);
            Self { dir, files }
        }

        async fn write(
            &self,
            kind: &str,
            content: &[u8],
        ) -> Result<Artifact, WriteError<Infallible>> {
            let pieces: Vec<_> = content
                .chunks(1000)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            let received = self.files.receive(stream::iter(pieces)).await?;
            let artifact = Artifact {
                id: ArtifactId(1),
                attempt_id: AttemptId(12_345),
                kind: kind.to_owned(),
                name: None,
                format: "zip".into(),
                filename: "../../etc/passwd".into(),
                size_bytes: received.size_bytes,
                sha256: received.sha256,
                expires_at: None,
                created_at: Timestamp(0),
            };
            self.files.keep(AttemptId(12_345), kind, received).await?;
            Ok(artifact)
        }

        async fn read(&self, artifact: &Artifact) -> io::Result<Vec<u8>> {
            let mut content = Vec::new();
            self.files
                .open(artifact)
                .await?
                .read_to_end(&mut content)
                .await?;
            Ok(content)
        }

        /// Every file and directory below `artifacts`, relative to it.
        fn tree(&self) -> Vec<String> {
            let mut found = Vec::new();
            let mut open = vec![self.files.dir.clone()];
            while let Some(dir) = open.pop() {
                for entry in fs::read_dir(&dir).into_iter().flatten() {
                    let path = entry.unwrap().path();
                    let relative = path.strip_prefix(&self.files.dir).unwrap();
                    found.push(relative.to_string_lossy().into_owned());
                    if path.is_dir() {
                        open.push(path);
                    }
                }
            }
            found.sort();
            found
        }
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_described() {
        let fixture = Fixture::new();
        let content: Vec<u8> = (0..600_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let artifact = fixture.write("archive", &content).await.unwrap();
        assert_eq!(artifact.size_bytes, 600_000);
        assert_eq!(artifact.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
        assert_eq!(fixture.read(&artifact).await.unwrap(), content);
    }

    #[tokio::test]
    async fn names_come_from_id_kind_and_content_only() {
        let fixture = Fixture::new();
        let artifact = fixture.write("archive", b"abc").await.unwrap();
        assert_eq!(
            fixture.tree(),
            [
                "12",
                "12/12345",
                "12/12345/archive-ba7816bf8f01cfea414140de5dae2223",
                "incoming"
            ]
        );
        assert!(
            fixture
                .files
                .path(&artifact)
                .starts_with(fixture.dir.path())
        );
    }

    #[tokio::test]
    async fn only_the_owner_can_read() {
        let fixture = Fixture::new();
        let artifact = fixture.write("archive", b"abc").await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = fixture.files.path(&artifact);
        assert_eq!(mode(&path), 0o600);
        for dir in path.ancestors().skip(1).take(3) {
            assert_eq!(mode(dir), 0o700, "{}", dir.display());
        }
    }

    #[tokio::test]
    async fn an_empty_file_and_one_at_the_limit_are_kept() {
        let fixture = Fixture::new();
        for size in [0, 1_000_000] {
            let artifact = fixture.write("archive", &vec![1; size]).await.unwrap();
            assert_eq!(fixture.read(&artifact).await.unwrap().len(), size);
        }
    }

    #[tokio::test]
    async fn one_byte_too_many_leaves_nothing() {
        let fixture = Fixture::new();
        let error = fixture
            .write("archive", &vec![1; 1_000_001])
            .await
            .unwrap_err();
        assert!(matches!(error, WriteError::TooLarge { limit: LIMIT }));
        assert_eq!(fixture.tree(), ["incoming"]);
    }

    #[tokio::test]
    async fn a_broken_upload_leaves_nothing() {
        let fixture = Fixture::new();
        let body = stream::iter([Ok(Bytes::from(vec![1; 500_000])), Err("reset")]);
        let error = fixture.files.receive(body).await.err().unwrap();
        assert!(matches!(error, WriteError::Body("reset")));
        assert_eq!(fixture.tree(), ["incoming"]);
    }

    #[tokio::test]
    async fn an_abandoned_upload_leaves_nothing() {
        let fixture = Fixture::new();
        let files = fixture.files.clone();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![1; 300_000]))]);
        let second = stream::once(async move {
            let _ = sender.send(());
            std::future::pending().await
        });
        let upload = tokio::spawn(async move { files.receive(first.chain(second)).await });
        receiver.await.unwrap();
        assert_eq!(fixture.tree().len(), 2);
        upload.abort();
        assert!(upload.await.err().unwrap().is_cancelled());
        assert_eq!(fixture.tree(), ["incoming"]);
    }

    #[rstest]
    #[case("")]
    #[case("../archive")]
    #[case("a/b")]
    #[case("Archive")]
    #[case("a\0")]
    #[case(&"a".repeat(65))]
    #[tokio::test]
    async fn a_kind_that_is_no_word_is_refused(#[case] kind: &str) {
        let fixture = Fixture::new();
        let error = fixture.write(kind, b"abc").await.unwrap_err();
        assert!(matches!(error, WriteError::Io(_)));
        assert_eq!(fixture.tree(), ["incoming"]);
    }

    #[tokio::test]
    async fn a_file_that_is_not_kept_leaves_nothing() {
        let fixture = Fixture::new();
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"abc"))]);
        drop(fixture.files.receive(body).await.unwrap());
        assert_eq!(fixture.tree(), ["incoming"]);
    }

    #[tokio::test]
    async fn the_same_upload_again_is_one_file() {
        let fixture = Fixture::new();
        let first = fixture.write("archive", b"abc").await.unwrap();
        let second = fixture.write("archive", b"abc").await.unwrap();
        assert_eq!(first, second);
        assert_eq!(fixture.tree().len(), 4);
    }

    #[tokio::test]
    async fn deleting_removes_empty_directories_only() {
        let fixture = Fixture::new();
        let archive = fixture.write("archive", b"abc").await.unwrap();
        let trace = fixture.write("trace", b"abc").await.unwrap();
        fixture.files.delete(&archive).await.unwrap();
        assert_eq!(fixture.read(&trace).await.unwrap(), b"abc");
        assert!(fixture.read(&archive).await.is_err());
        fixture.files.delete(&trace).await.unwrap();
        assert_eq!(fixture.tree(), ["incoming"]);
        fixture.files.delete(&trace).await.unwrap();
    }

    #[tokio::test]
    async fn a_new_upload_needs_no_directory_left() {
        let fixture = Fixture::new();
        let artifact = fixture.write("archive", b"abc").await.unwrap();
        fixture.files.delete(&artifact).await.unwrap();
        let artifact = fixture.write("archive", b"abc").await.unwrap();
        assert_eq!(fixture.read(&artifact).await.unwrap(), b"abc");
    }

    #[tokio::test]
    async fn leftovers_of_a_crash_go_and_artifacts_stay() {
        let fixture = Fixture::new();
        assert_eq!(fixture.files.remove_leftovers().await.unwrap(), 0);
        let artifact = fixture.write("archive", b"abc").await.unwrap();
        let incoming = fixture.files.dir.join("incoming");
        fs::create_dir_all(&incoming).unwrap();
        fs::write(incoming.join("half"), b"half").unwrap();
        assert_eq!(fixture.files.remove_leftovers().await.unwrap(), 1);
        assert_eq!(fixture.tree().len(), 4);
        assert_eq!(fixture.read(&artifact).await.unwrap(), b"abc");
    }
}
