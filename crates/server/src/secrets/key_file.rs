//! `secret.key`: 32 random bytes, created once, never changed.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

const KEY_BYTES: usize = 32;

/// The key in `path`; a new one where there is none.
///
/// # Errors
/// The file cannot be read or written, or is not exactly 32 bytes long.
pub(super) fn read_or_create(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot create the key file {}: {error}", path.display()),
                )
            })?;
            read(path)
        }
        other => other,
    }
}

fn read(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let bytes = fs::read(path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot read the key file {}: {error}", path.display()),
        )
    })?;
    let key = bytes.as_slice().try_into().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "the key file {} holds {} bytes instead of {KEY_BYTES}; restore it from a backup, or delete it together with the database",
                path.display(),
                bytes.len(),
            ),
        )
    })?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the key file was readable by others; mode set to 0600");
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(key)
}

/// Writes the whole file under another name and links it into place, so that a
/// crash leaves no short key and a racing process keeps the key that was first.
fn create(path: &Path) -> io::Result<()> {
    let suffix = u64::from_ne_bytes(super::random());
    let temporary = path.with_extension(format!("{suffix:016x}.tmp"));
    let linked = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(&super::random::<KEY_BYTES>())?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })();
    let removed = fs::remove_file(&temporary);
    linked?;
    removed?;
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
        let key = read_or_create(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), key);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(read_or_create(&path).unwrap(), key);
    }

    #[test]
    fn whoever_comes_second_keeps_the_first_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        create(&path).unwrap();
        let first = read(&path).unwrap();
        create(&path).unwrap();
        assert_eq!(read(&path).unwrap(), first);
    }

    #[rstest]
    #[case(0)]
    #[case(31)]
    #[case(33)]
    fn a_key_of_another_length_is_refused_and_kept(#[case] length: usize) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        fs::write(&path, vec![7; length]).unwrap();
        let error = read_or_create(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(
            error
                .to_string()
                .contains(&format!("holds {length} bytes instead of 32")),
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
        let error = read_or_create(Path::new("/nonexistent/secret.key")).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/secret.key"),
            "{error}"
        );
    }
}
