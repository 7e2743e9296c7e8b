//! `secret.key`: the server's keys, each 32 random bytes.
//!
//! A new file is nothing but the first key. Once keys were rotated it is text, one
//! line per key, the current one first: its number and its bytes in hexadecimal.
//! The file is only ever replaced as a whole, so a crash leaves the old or the new.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

const KEY_BYTES: usize = 32;

/// The number of the key that a new file holds.
const FIRST_NUMBER: u8 = 1;

/// A key and the number that tells it from the others.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NumberedKey {
    /// Never 0.
    pub(crate) number: u8,
    /// The key itself.
    pub(crate) bytes: [u8; KEY_BYTES],
}

/// All keys of a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ring {
    /// For everything new.
    pub(crate) current: NumberedKey,
    /// Earlier ones, the latest first.
    pub(crate) retired: Vec<NumberedKey>,
}

impl Ring {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if let Ok(bytes) = bytes.try_into() {
            let number = FIRST_NUMBER;
            return Some(Self {
                current: NumberedKey { number, bytes },
                retired: Vec::new(),
            });
        }
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let mut keys = text.split('\n').map(NumberedKey::parse);
        let current = keys.next()??;
        let retired: Vec<NumberedKey> = keys.collect::<Option<_>>()?;
        Some(Self { current, retired })
    }

    fn text(&self) -> String {
        let keys = std::iter::once(&self.current).chain(&self.retired);
        keys.map(|key| format!("{} {}\n", key.number, hex(&key.bytes)))
            .collect()
    }

    /// A number that no key has.
    fn free_number(&self) -> io::Result<u8> {
        let is_taken = |number: u8| {
            let mut keys = std::iter::once(&self.current).chain(&self.retired);
            keys.any(|key| key.number == number)
        };
        let after = self.current.number;
        (after.saturating_add(1)..=u8::MAX)
            .chain(FIRST_NUMBER..=after)
            .find(|number| !is_taken(*number))
            .ok_or_else(|| io::Error::other("all 255 numbers of keys are taken"))
    }
}

impl NumberedKey {
    fn parse(line: &str) -> Option<Self> {
        let (number, digits) = line.split_once(' ')?;
        let number: u8 = number.parse().ok().filter(|number| *number != 0)?;
        if digits.len() != 2 * KEY_BYTES || !digits.is_ascii() {
            return None;
        }
        let mut bytes = [0; KEY_BYTES];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self { number, bytes })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys in `path`; a new one where there is no file.
///
/// # Errors
/// The file cannot be read or written, or does not hold keys.
pub(crate) fn read_or_create(path: &Path) -> io::Result<Ring> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(|error| cannot("create", path, &error))?;
            read(path)
        }
        other => other,
    }
}

/// Makes a new key the current one. Whoever reads the file afterwards has it and
/// all that were there before.
///
/// # Errors
/// The file cannot be read or replaced; it is as it was then.
pub(crate) fn add(path: &Path) -> io::Result<()> {
    let old = read(path)?;
    let new = Ring {
        current: NumberedKey {
            number: old.free_number()?,
            bytes: super::random(),
        },
        retired: std::iter::once(old.current).chain(old.retired).collect(),
    };
    replace(path, &new)
}

/// Forgets all keys but the current one, when there are others.
///
/// # Errors
/// The file cannot be read or replaced; it is as it was then.
pub(crate) fn drop_retired(path: &Path) -> io::Result<()> {
    let mut ring = read(path)?;
    if ring.retired.is_empty() {
        return Ok(());
    }
    ring.retired.clear();
    replace(path, &ring)
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> io::Error {
    let text = format!("cannot {what} the key file {}: {error}", path.display());
    io::Error::new(error.kind(), text)
}

fn read(path: &Path) -> io::Result<Ring> {
    let bytes = fs::read(path).map_err(|error| cannot("read", path, &error))?;
    let ring = Ring::parse(&bytes).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "the key file {} holds no keys ({} bytes); restore it from a backup, or delete it together with the database",
                path.display(),
                bytes.len(),
            ),
        )
    })?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the key file was readable by others; mode set to 0600");
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(ring)
}

/// Writes the whole file under another name and links it into place, so that a
/// crash leaves no short key and a racing process keeps the key that was first.
fn create(path: &Path) -> io::Result<()> {
    let key: [u8; KEY_BYTES] = super::random();
    publish(path, &key, |temporary| {
        match fs::hard_link(temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => fs::remove_file(temporary),
        }
    })
}

fn replace(path: &Path, ring: &Ring) -> io::Result<()> {
    publish(path, ring.text().as_bytes(), |temporary| {
        fs::rename(temporary, path)
    })
    .map_err(|error| cannot("replace", path, &error))
}

/// Brings `content` to the disk under a name of its own, puts it in place, and
/// brings that to the disk too.
fn publish(
    path: &Path,
    content: &[u8],
    put: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let suffix = u64::from_ne_bytes(super::random());
    let temporary = path.with_extension(format!("{suffix:016x}.tmp"));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        put(&temporary)
    })();
    if written.is_err() {
        // What is left behind is harmless: nobody reads it.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_first_use_leaves_one_private_file_of_32_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let ring = read_or_create(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), ring.current.bytes);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(read_or_create(&path).unwrap() == ring);
    }

    #[test]
    fn whoever_comes_second_keeps_the_first_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        create(&path).unwrap();
        let first = read(&path).unwrap();
        create(&path).unwrap();
        assert!(read(&path).unwrap() == first);
    }

    #[rstest]
    #[case(0)]
    #[case(31)]
    #[case(33)]
    fn a_key_of_another_length_is_refused_and_kept(#[case] length: usize) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        fs::write(&path, vec![7; length]).unwrap();
        let error = read_or_create(&path).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(
            error
                .to_string()
                .contains(&format!("holds no keys ({length} bytes)")),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap().len(), length);
    }

    #[test]
    fn a_key_that_others_could_read_is_closed_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        fs::write(&path, [7; 32]).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        read_or_create(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_missing_data_directory_is_named() {
        let error = read_or_create(Path::new("/nonexistent/secret.key"))
            .err()
            .unwrap();
        assert!(
            error.to_string().contains("/nonexistent/secret.key"),
            "{error}"
        );
    }

    #[test]
    fn a_new_key_comes_first_and_the_others_stay_until_they_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let first = read_or_create(&path).unwrap().current;
        add(&path).unwrap();
        let second = read(&path).unwrap();
        assert_eq!((second.current.number, first.number), (2, 1));
        assert!(second.retired == [first.clone()]);
        add(&path).unwrap();
        let third = read(&path).unwrap();
        assert!(third.retired == [second.current, first]);
        drop_retired(&path).unwrap();
        let last = read(&path).unwrap();
        assert!(last.current == third.current && last.retired.is_empty());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn numbers_begin_again_after_the_last_but_none_is_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        read_or_create(&path).unwrap();
        let mut numbers = Vec::new();
        for _ in 0..300 {
            add(&path).unwrap();
            drop_all_but_two(&path);
            let ring = read(&path).unwrap();
            assert_ne!(ring.current.number, ring.retired[0].number);
            numbers.push(ring.current.number);
        }
        assert_eq!(&numbers[253..256], [255, 1, 2]);
    }

    fn drop_all_but_two(path: &Path) {
        let mut ring = read(path).unwrap();
        ring.retired.truncate(1);
        replace(path, &ring).unwrap();
    }

    #[test]
    fn what_a_killed_rotation_leaves_beside_the_file_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let before = read_or_create(&path).unwrap();
        fs::write(dir.path().join("secret.00000000000000aa.tmp"), "2 half").unwrap();
        assert!(read_or_create(&path).unwrap() == before);
    }

    #[rstest]
    #[case::no_line_end("1 0000000000000000000000000000000000000000000000000000000000000000")]
    #[case::number_zero("0 0000000000000000000000000000000000000000000000000000000000000000\n")]
    #[case::short_key("1 00\n")]
    #[case::second_line_cut(
        "1 0000000000000000000000000000000000000000000000000000000000000000\n2\n"
    )]
    fn a_damaged_file_is_refused(#[case] text: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        fs::write(&path, text).unwrap();
        assert!(read_or_create(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
