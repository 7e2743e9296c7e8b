//! `<attempt>.state`: how far a log got, so that a killed server goes on with
//! the very next byte.
//!
//! A header, then two slots that are written in turn, each with a rising number
//! and a checksum. A write torn by kill −9 spoils only its own slot; the other
//! still says what was acknowledged before.
//!
//! ```text
//! header  "TPLS" | version u32 | slot size u32 | crc32 of these
//! slot    number u64 | raw length u64 | stored length u64 | raw crc32 u32 | flags u32
//!         | covered u32 | held-back length u32 | crc32 of the slot | held-back bytes
//! ```
//!
//! All integers are little-endian.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tappet_masks::HeldBack;

const MAGIC: &[u8; 4] = b"TPLS";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 16;
const SLOT_HEADER_BYTES: usize = 44;
const SLOT_CHECKSUM_AT: usize = 40;
/// Room for ordinary secrets; both slots and the header lie in one page.
const SMALLEST_SLOT_BYTES: usize = 1024;

const FINISHED: u32 = 1;
const LIMIT_REACHED: u32 = 2;
const HIDES_SECRET: u32 = 4;

/// All that is known about a log beside its bytes.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct LogState {
    /// Bytes the runner sent.
    pub(super) raw_len: u64,
    /// IEEE CRC-32 of them.
    pub(super) raw_crc32: u32,
    /// Bytes of the log file that count; any after them do not.
    pub(super) stored_len: u64,
    /// Nothing follows.
    pub(super) is_finished: bool,
    /// Raw bytes are counted but no longer stored.
    pub(super) is_limit_reached: bool,
    /// Received, not stored yet.
    pub(super) held: HeldBack,
}

/// The newest intact state that fits a log file of `log_bytes` bytes.
///
/// `None` if there is none: the log never got as far as an acknowledgement, or
/// a power cut took what was not synced.
///
/// # Errors
/// The file cannot be read, or another version wrote it.
pub(super) fn read(path: &Path, log_bytes: u64) -> io::Result<Option<LogState>> {
    match fs::read(path) {
        Ok(bytes) => {
            let slots = Slots::parse(&bytes).map_err(|error| named(path, error))?;
            Ok(slots.newest_fitting(log_bytes).map(|slot| slot.state))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(named(path, error)),
    }
}

/// An open state file.
pub(super) struct StateFile {
    path: PathBuf,
    file: File,
    slot_bytes: usize,
    /// Number of the newest slot.
    number: u64,
}

impl StateFile {
    /// Opens the file, or makes a new one with an empty state; returns the state
    /// that fits a log file of `log_bytes` bytes.
    ///
    /// # Errors
    /// The file cannot be read or written, or another version wrote it.
    pub(super) fn open(path: PathBuf, log_bytes: u64) -> io::Result<(Self, LogState)> {
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let slots = Slots::parse(&bytes).map_err(|error| named(&path, error))?;
        let slot_bytes = slots.slot_bytes;
        let was_recorded = !slots.slots.is_empty();
        let Some(newest) = slots.newest_fitting(log_bytes) else {
            if was_recorded {
                tracing::warn!(path = %path.display(), "the log file is shorter than was recorded; the log starts again");
            }
            let state = LogState::default();
            let file = Self::create(path, SMALLEST_SLOT_BYTES, &state)?;
            return Ok((file, state));
        };
        let file = OpenOptions::new().write(true).open(&path)?;
        let file = Self {
            path,
            file,
            slot_bytes,
            number: newest.number,
        };
        Ok((file, newest.state))
    }

    /// Makes sure that a state with this many held-back bytes fits.
    ///
    /// # Errors
    /// The larger file cannot be written.
    pub(super) fn make_room(&mut self, held_back: usize, state: &LogState) -> io::Result<()> {
        let slot_bytes = SLOT_HEADER_BYTES + held_back;
        if slot_bytes > self.slot_bytes {
            let temporary = self.path.with_extension("state.tmp");
            let larger = Self::create(temporary, slot_bytes, state)?;
            fs::rename(&larger.path, &self.path)?;
            *self = Self {
                path: std::mem::take(&mut self.path),
                ..larger
            };
        }
        Ok(())
    }

    /// Makes a file that holds `state` alone.
    fn create(path: PathBuf, slot_bytes: usize, state: &LogState) -> io::Result<Self> {
        let slot_bytes = slot_bytes.next_power_of_two();
        let mut bytes = header(slot_bytes);
        bytes.extend(encode(1, state));
        bytes.resize(HEADER_BYTES + 2 * slot_bytes, 0);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all_at(&bytes, 0)?;
        Ok(Self {
            path,
            file,
            slot_bytes,
            number: 1,
        })
    }

    /// Records a newer state, leaving the one before intact.
    ///
    /// # Errors
    /// The disk refused; the earlier state still holds.
    pub(super) fn write(&mut self, state: &LogState) -> io::Result<()> {
        let number = self.number + 1;
        self.file
            .write_all_at(&encode(number, state), self.offset(number))?;
        self.number = number;
        Ok(())
    }

    /// Starts to bring what was written to the disk, without waiting. A file
    /// system with a journal then takes it into the same commit as another file
    /// that is synced next, which halves the wait for both.
    pub(super) fn start_sync(&self) {
        // SAFETY: the descriptor is open for the whole call, and no memory is passed.
        unsafe {
            libc::sync_file_range(self.file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
        }
    }

    /// Brings everything written to the disk and wipes the older slot, which may
    /// hold the beginning of a secret.
    ///
    /// # Errors
    /// The disk refused.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        let older = self.offset(self.number + 1);
        self.file.write_all_at(&vec![0; self.slot_bytes], older)
    }

    fn offset(&self, number: u64) -> u64 {
        let slot = if number % 2 == 1 { 0 } else { self.slot_bytes };
        (HEADER_BYTES + slot) as u64
    }
}

struct Slot {
    number: u64,
    state: LogState,
}

/// The intact slots of a file, newest first.
struct Slots {
    slot_bytes: usize,
    slots: Vec<Slot>,
}

impl Slots {
    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let nothing = Self {
            slot_bytes: 0,
            slots: Vec::new(),
        };
        let Some(header) = bytes.get(..HEADER_BYTES) else {
            return Ok(nothing);
        };
        if &header[..4] != MAGIC || u32_at(header, 12) != crc32fast::hash(&header[..12]) {
            return Ok(nothing);
        }
        let version = u32_at(header, 4);
        if version != VERSION {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "it has format {version}, this program knows {VERSION}; use the version that wrote it"
                ),
            ));
        }
        let slot_bytes = u32_at(header, 8) as usize;
        let mut slots: Vec<Slot> = bytes[HEADER_BYTES..]
            .chunks_exact(slot_bytes.max(SLOT_HEADER_BYTES))
            .filter_map(decode)
            .collect();
        slots.sort_by_key(|slot| std::cmp::Reverse(slot.number));
        Ok(Self { slot_bytes, slots })
    }

    fn newest_fitting(self, log_bytes: u64) -> Option<Slot> {
        self.slots
            .into_iter()
            .find(|slot| slot.state.stored_len <= log_bytes)
    }
}

fn header(slot_bytes: usize) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(as_u32(slot_bytes).to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

fn encode(number: u64, state: &LogState) -> Vec<u8> {
    let held = &state.held;
    let flags = [
        (state.is_finished, FINISHED),
        (state.is_limit_reached, LIMIT_REACHED),
        (held.hides_secret, HIDES_SECRET),
    ]
    .iter()
    .filter(|(is_set, _)| *is_set)
    .fold(0, |flags, (_, flag)| flags | flag);
    let mut bytes = Vec::with_capacity(SLOT_HEADER_BYTES + held.bytes.len());
    bytes.extend(number.to_le_bytes());
    bytes.extend(state.raw_len.to_le_bytes());
    bytes.extend(state.stored_len.to_le_bytes());
    bytes.extend(state.raw_crc32.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(as_u32(held.covered).to_le_bytes());
    bytes.extend(as_u32(held.bytes.len()).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend_from_slice(&held.bytes);
    let checksum = slot_checksum(&bytes);
    bytes[SLOT_CHECKSUM_AT..SLOT_HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode(slot: &[u8]) -> Option<Slot> {
    let held_end = SLOT_HEADER_BYTES.checked_add(u32_at(slot, 36) as usize)?;
    let slot = slot.get(..held_end)?;
    let number = u64_at(slot, 0);
    if number == 0 || u32_at(slot, SLOT_CHECKSUM_AT) != slot_checksum(slot) {
        return None;
    }
    let flags = u32_at(slot, 28);
    Some(Slot {
        number,
        state: LogState {
            raw_len: u64_at(slot, 8),
            stored_len: u64_at(slot, 16),
            raw_crc32: u32_at(slot, 24),
            is_finished: flags & FINISHED != 0,
            is_limit_reached: flags & LIMIT_REACHED != 0,
            held: HeldBack {
                covered: u32_at(slot, 32) as usize,
                hides_secret: flags & HIDES_SECRET != 0,
                bytes: slot[SLOT_HEADER_BYTES..].to_vec(),
            },
        },
    })
}

/// Of a slot without its checksum field.
fn slot_checksum(slot: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&slot[..SLOT_CHECKSUM_AT]);
    hasher.update(&slot[SLOT_HEADER_BYTES..]);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}

fn as_u32(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("secrets are far below 4 GiB")
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot read the log state {}: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("7.state")
        }

        fn open(&self) -> (StateFile, LogState) {
            StateFile::open(self.path(), u64::MAX).unwrap()
        }

        fn read(&self) -> LogState {
            read(&self.path(), u64::MAX).unwrap().unwrap()
        }
    }

    fn state(stored_len: u64) -> LogState {
        LogState {
            raw_len: stored_len + 3,
            raw_crc32: 0xdead_beef,
            stored_len,
            is_finished: false,
            is_limit_reached: true,
            held: HeldBack {
                bytes: b"abc".to_vec(),
                covered: 1,
                hides_secret: true,
            },
        }
    }

    #[test]
    fn what_was_written_last_is_read() {
        let place = Place::new();
        let (mut file, empty) = place.open();
        assert_eq!(empty, LogState::default());
        for stored_len in 1..6 {
            file.write(&state(stored_len)).unwrap();
            assert_eq!(place.read(), state(stored_len));
        }
        assert_eq!(place.open().1, state(5));
    }

    #[test]
    fn the_file_is_private_and_small() {
        let place = Place::new();
        place.open();
        let metadata = fs::metadata(place.path()).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert!(metadata.len() <= 4096);
    }

    #[test]
    fn a_torn_write_leaves_the_state_before_it() {
        for written in 0..encode(3, &state(3)).len() - 1 {
            let place = Place::new();
            let (mut file, _) = place.open();
            file.write(&state(1)).unwrap();
            let torn = &encode(3, &state(3))[..written];
            file.file.write_all_at(torn, file.offset(3)).unwrap();
            assert_eq!(place.read(), state(1), "{written} bytes written");
        }
    }

    #[test]
    fn after_a_torn_write_the_file_goes_on() {
        let place = Place::new();
        let (mut file, _) = place.open();
        file.write(&state(1)).unwrap();
        file.write(&state(2)).unwrap();
        file.file.write_all_at(&[0xff; 20], file.offset(3)).unwrap();
        let (mut file, found) = place.open();
        assert_eq!(found, state(1));
        file.write(&state(9)).unwrap();
        assert_eq!(place.read(), state(9));
    }

    #[test]
    fn a_state_that_promises_more_than_the_log_file_holds_is_passed_over() {
        let place = Place::new();
        let (mut file, _) = place.open();
        file.write(&state(10)).unwrap();
        file.write(&state(20)).unwrap();
        assert_eq!(read(&place.path(), 15).unwrap(), Some(state(10)));
        assert_eq!(read(&place.path(), 5).unwrap(), None);
        assert_eq!(
            StateFile::open(place.path(), 5).unwrap().1,
            LogState::default()
        );
    }

    #[test]
    fn room_for_a_longer_secret_keeps_the_state() {
        let place = Place::new();
        let (mut file, _) = place.open();
        file.write(&state(1)).unwrap();
        file.make_room(100_000, &state(1)).unwrap();
        assert_eq!(place.read(), state(1));
        let mut long = state(2);
        long.held.bytes = vec![b'x'; 100_000];
        file.write(&long).unwrap();
        assert_eq!(place.open().1, long);
    }

    #[test]
    fn syncing_wipes_the_older_slot() {
        let place = Place::new();
        let (mut file, _) = place.open();
        file.write(&state(1)).unwrap();
        file.write(&LogState::default()).unwrap();
        file.sync().unwrap();
        assert_eq!(place.read(), LogState::default());
        let bytes = fs::read(place.path()).unwrap();
        assert!(!bytes.windows(3).any(|window| window == b"abc"));
    }

    #[test]
    fn a_missing_or_empty_file_is_no_state() {
        let place = Place::new();
        assert_eq!(read(&place.path(), u64::MAX).unwrap(), None);
        fs::write(place.path(), b"TPLS\x01\0\0").unwrap();
        assert_eq!(read(&place.path(), u64::MAX).unwrap(), None);
    }

    #[test]
    fn a_file_of_a_later_version_is_left_alone() {
        let place = Place::new();
        let mut bytes = b"TPLS\x02\0\0\0\0\x04\0\0".to_vec();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        fs::write(place.path(), &bytes).unwrap();
        assert!(read(&place.path(), 0).is_err());
        let error = StateFile::open(place.path(), 0).err().unwrap();
        assert!(error.to_string().contains("format 2"), "{error}");
        assert_eq!(fs::read(place.path()).unwrap(), bytes);
    }
}
