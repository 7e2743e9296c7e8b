//! Writes one log: masks, counts, keeps the limit, records how far it got.
//!
//! Every change goes to the log file first and to the state file second, and
//! counts only after both. If the disk refuses either, the writer stands where
//! it stood and the bytes beyond the recorded length are overwritten later.
//! All calls block on the file system. A log that has ended is not opened again.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::state_file::{self, LogState, StateFile};
use super::{AppendError, LogSummary};
use tappet_masks::masker::MASKED;
use tappet_masks::{HeldBack, Masker};

/// Where the two files of a log are.
#[derive(Clone, Debug)]
pub(super) struct LogPaths {
    pub(super) log: PathBuf,
    pub(super) state: PathBuf,
}

impl LogPaths {
    /// How far the log got; `None` if it has not begun.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn read_state(&self) -> io::Result<Option<LogState>> {
        match fs::metadata(&self.log) {
            Ok(metadata) => state_file::read(&self.state, metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes both files, if they are there.
    ///
    /// # Errors
    /// The file system refused.
    pub(super) fn remove(&self) -> io::Result<()> {
        // The state goes last: without the log file it counts for nothing.
        for path in [&self.log, &self.state] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The open files of a log that goes on.
pub(super) struct Writer {
    log: File,
    state_file: StateFile,
    state: LogState,
    dir: PathBuf,
    masker: Option<Masker>,
    limit_bytes: u64,
    /// The stored log is empty or ends with a newline.
    ends_line: bool,
}

impl Writer {
    /// Opens the files or makes new ones. Bytes that were written but never
    /// recorded are cut off; they come again.
    ///
    /// # Errors
    /// The file system refused.
    pub(super) fn open(paths: &LogPaths, limit_bytes: u64) -> io::Result<Self> {
        let dir = paths.log.parent().unwrap_or(Path::new("/")).to_owned();
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let log = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&paths.log)?;
        let (state_file, state) = StateFile::open(paths.state.clone(), log.metadata()?.len())?;
        if log.metadata()?.len() > state.stored_len {
            log.set_len(state.stored_len)?;
        }
        let mut last = [b'\n'];
        if let Some(last_at) = state.stored_len.checked_sub(1) {
            log.read_exact_at(&mut last, last_at)?;
        }
        Ok(Self {
            log,
            state_file,
            state,
            dir,
            masker: None,
            limit_bytes,
            ends_line: last == [b'\n'],
        })
    }

    /// How far the log got.
    pub(super) fn state(&self) -> &LogState {
        &self.state
    }

    /// Whether raw bytes can be taken.
    pub(super) fn has_masker(&self) -> bool {
        self.masker.is_some()
    }

    /// Tells the secrets; needed before the first [`Writer::append`].
    ///
    /// # Errors
    /// The state file cannot be made large enough for what may be held back.
    pub(super) fn set_secrets(&mut self, secrets: &[String]) -> io::Result<()> {
        let masker = super::masker(secrets).map_err(io::Error::other)?;
        self.state_file
            .make_room(masker.longest_held_back(), &self.state)?;
        self.masker = Some(masker);
        Ok(())
    }

    /// Takes raw bytes that begin at raw offset `start`; skips those it has.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub(super) fn append(&mut self, start: u64, bytes: &[u8]) -> Result<(), AppendError> {
        let raw_len = self.state.raw_len;
        let Some(known) = raw_len.checked_sub(start) else {
            return Err(AppendError::Gap { raw_len });
        };
        let new = usize::try_from(known)
            .ok()
            .and_then(|known| bytes.get(known..))
            .unwrap_or_default();
        if new.is_empty() {
            return Ok(());
        }
        // Taken out, since it is only read while the rest of the writer changes.
        let masker = self.masker.take();
        let appended = self.append_new(new, masker.as_ref());
        self.masker = masker;
        Ok(appended?)
    }

    fn append_new(&mut self, new: &[u8], masker: Option<&Masker>) -> io::Result<()> {
        let masker = masker.ok_or_else(|| {
            io::Error::other("raw log bytes came before the secrets to mask in them")
        })?;
        let mut next = self.state.clone();
        let mut checksum = crc32fast::Hasher::new_with_initial_len(next.raw_crc32, next.raw_len);
        checksum.update(new);
        next.raw_crc32 = checksum.finalize();
        next.raw_len += new.len() as u64;
        if next.is_limit_reached {
            return self.commit(next, b"");
        }
        let (shown, held) = masker.feed(&self.state.held, new);
        next.held = held;
        let shown = self.limited(shown, &mut next);
        self.commit(next, &shown)
    }

    /// Stores a line of the server's own. It counts towards neither raw length
    /// nor limit, and stands on a line of its own.
    ///
    /// # Errors
    /// The disk refused.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        let mut next = self.state.clone();
        // Letting the held-back bytes pass could show the first part of a secret
        // whose rest follows after the note.
        let mut shown = next.held.cover(MASKED).to_vec();
        if !shown.is_empty() || !self.ends_line {
            shown.push(b'\n');
        }
        match &self.masker {
            Some(masker) => shown.extend(masker.mask(text.as_bytes())),
            None => shown.extend_from_slice(text.as_bytes()),
        }
        if !text.ends_with('\n') {
            shown.push(b'\n');
        }
        self.commit(next, &shown)
    }

    /// Stores what was held back, since no more bytes will tell what it is.
    ///
    /// # Errors
    /// The disk refused; nothing changed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !self.state.held.bytes.is_empty() {
            let next = self.with_held_back()?;
            self.state_file.write(&next)?;
            self.state = next;
        }
        Ok(())
    }

    /// Writes what was held back; gives the state that then holds.
    fn with_held_back(&self) -> io::Result<LogState> {
        let mut next = self.state.clone();
        let held = std::mem::take(&mut next.held);
        let shown = match &self.masker {
            Some(masker) => masker.finish(&held),
            None => held.release_unseen(MASKED).to_vec(),
        };
        let shown = self.limited(Cow::Owned(shown), &mut next);
        self.log.write_all_at(&shown, next.stored_len)?;
        next.stored_len += shown.len() as u64;
        Ok(next)
    }

    /// Ends the log and brings it to the disk.
    ///
    /// # Errors
    /// The disk refused; the log has not ended.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let mut next = self.with_held_back()?;
        next.is_finished = true;
        self.state_file.write(&next)?;
        // Should a power cut take the log's last bytes but not the state, the
        // state promises too much and is passed over.
        self.state_file.start_sync();
        self.log.sync_data()?;
        self.state_file.sync()?;
        File::open(&self.dir)?.sync_all()?;
        self.state = next;
        Ok(())
    }

    /// Lets a test put a file in place that refuses to be written.
    #[cfg(test)]
    pub(super) fn swap_log_file(&mut self, file: File) -> File {
        std::mem::replace(&mut self.log, file)
    }

    /// Cuts `shown` at the limit and says so once.
    fn limited<'a>(&self, shown: Cow<'a, [u8]>, next: &mut LogState) -> Cow<'a, [u8]> {
        let room = self.limit_bytes.saturating_sub(next.stored_len);
        let Some(room) = usize::try_from(room)
            .ok()
            .filter(|room| *room < shown.len())
        else {
            return shown;
        };
        next.is_limit_reached = true;
        next.held = HeldBack::default();
        let mut cut = shown[..room].to_vec();
        cut.extend_from_slice(limit_line(self.limit_bytes).as_bytes());
        Cow::Owned(cut)
    }

    fn commit(&mut self, mut next: LogState, shown: &[u8]) -> io::Result<()> {
        self.log.write_all_at(shown, next.stored_len)?;
        next.stored_len += shown.len() as u64;
        self.state_file.write(&next)?;
        self.state = next;
        if let Some(last) = shown.last() {
            self.ends_line = *last == b'\n';
        }
        Ok(())
    }
}

/// GitLab Runner's words (`helpers/trace/buffer.go`), in bold yellow.
fn limit_line(limit_bytes: u64) -> String {
    format!(
        "\n\x1b[33;1mJob's log exceeded limit of {limit_bytes} bytes.\n\
         Job execution will continue but no more output will be collected.\x1b[0;m\n"
    )
}

impl From<&LogState> for LogSummary {
    fn from(state: &LogState) -> Self {
        Self {
            raw_len: state.raw_len,
            raw_crc32: state.raw_crc32,
            stored_len: state.stored_len,
        }
    }
}
