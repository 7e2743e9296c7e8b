//! The archive of a named artifact.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::hash_files::{Writer, hex};

/// An archive that was made.
#[derive(Debug)]
pub(super) struct Packed {
    /// Files in it.
    pub files: usize,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in hex.
    pub digest: String,
}

/// Packs `files`, which lie below `root`, into the new archive `to`. Blocks.
/// Files that vanished meanwhile are left out.
pub(super) fn pack(
    root: &Path,
    files: &[PathBuf],
    compression_level: u8,
    to: &Path,
) -> io::Result<Packed> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let mut zip = ZipWriter::new(BufWriter::with_capacity(128 * 1024, file));
    let mut count = 0;
    for path in files {
        let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
            return Err(io::Error::other(format!(
                "the name of {} is not UTF-8, which an archive cannot hold",
                path.display()
            )));
        };
        let opened = fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path);
        let Ok(file) = opened else { continue };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            continue;
        }
        let options = options(compression_level)
            .unix_permissions(metadata.permissions().mode() & 0o777)
            .large_file(metadata.len() >= u64::from(u32::MAX));
        zip.start_file(name, options).map_err(io::Error::other)?;
        io::copy(&mut BufReader::with_capacity(128 * 1024, file), &mut zip)?;
        count += 1;
    }
    zip.finish().map_err(io::Error::other)?.flush()?;
    let (size, digest) = digest(to)?;
    Ok(Packed {
        files: count,
        size,
        digest,
    })
}

fn options(level: u8) -> SimpleFileOptions {
    let options = SimpleFileOptions::default();
    match level {
        0 => options.compression_method(CompressionMethod::Stored),
        level => options
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(i64::from(level))),
    }
}

/// Bytes and SHA-256 (in hex) of a file. Blocks.
pub(super) fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = BufReader::with_capacity(128 * 1024, File::open(path)?);
    let mut sha256 = Sha256::new();
    let size = io::copy(&mut file.by_ref(), &mut Writer(&mut sha256))?;
    Ok((size, hex(&sha256.finalize())))
}
