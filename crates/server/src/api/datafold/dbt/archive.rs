//! Whether an uploaded archive can be what dbt left in its `target` folder. Nothing is
//! unpacked: what an archive says of its entries is looked at, and none of it is trusted.

use std::io::{self, Read, Seek, SeekFrom};

use zip::ZipArchive;

/// An archive that holds this much may hold it as tightly packed as it likes.
const SMALL_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes that one byte of a larger archive may stand for; text of dbt has some 20.
const MAX_RATIO: u64 = 200;

/// The records at the end and the longest comment behind them.
const TAIL_BYTES: u64 = 128 * 1024;

/// How much there may be in an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArchiveLimits {
    /// Files and folders.
    pub entries: u64,
    /// Bytes of all files together, unpacked.
    pub unpacked_bytes: u64,
}

/// Why an archive is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadArchive {
    /// It is something else.
    #[error("the file is not a zip archive")]
    NoArchive,
    /// A name that leads out of the folder.
    #[error("the archive has an entry whose name leads out of it: `{0}`")]
    Outside(String),
    /// A link.
    #[error("the archive has an entry that is a link: `{0}`")]
    Link(String),
    /// Too many entries.
    #[error(
        "the archive has {0} entries, more than the limit of {1}: upload the target folder alone, or ask the administrator to raise limits.dbt_archive_entries"
    )]
    TooMany(u64, u64),
    /// Too much in it.
    #[error(
        "the archive unpacks to more than the limit of {0} bytes: ask the administrator to raise limits.dbt_unpacked_bytes"
    )]
    TooLarge(u64),
    /// Too much for its size.
    #[error("the archive is packed more tightly than any text: it looks like a zip bomb")]
    Bomb,
    /// dbt always leaves one.
    #[error("the archive has no manifest.json: run dbt first and upload its target folder")]
    NoManifest,
}

/// Looks at an archive of `size_bytes`.
pub fn check(
    mut archive: impl Read + Seek,
    size_bytes: u64,
    limits: ArchiveLimits,
) -> Result<(), BadArchive> {
    // Millions of entries must not even be listed.
    let told = entries_told(&mut archive).map_err(|_| BadArchive::NoArchive)?;
    if told > limits.entries {
        return Err(BadArchive::TooMany(told, limits.entries));
    }
    let mut archive = ZipArchive::new(archive).map_err(|_| BadArchive::NoArchive)?;
    let count = archive.len() as u64;
    if count > limits.entries {
        return Err(BadArchive::TooMany(count, limits.entries));
    }
    let mut unpacked = 0_u64;
    let mut has_manifest = false;
    for at in 0..archive.len() {
        let entry = archive
            .by_index_raw(at)
            .map_err(|_| BadArchive::NoArchive)?;
        let name = entry.name().map_err(|_| BadArchive::NoArchive)?;
        let name = name.into_owned();
        if leads_out(&name) {
            return Err(BadArchive::Outside(name));
        }
        if entry.is_symlink() {
            return Err(BadArchive::Link(name));
        }
        unpacked = unpacked.saturating_add(entry.size());
        if unpacked > limits.unpacked_bytes {
            return Err(BadArchive::TooLarge(limits.unpacked_bytes));
        }
        has_manifest |= entry.is_file() && name.rsplit('/').next() == Some("manifest.json");
    }
    if unpacked > SMALL_BYTES && unpacked / MAX_RATIO > size_bytes {
        return Err(BadArchive::Bomb);
    }
    if has_manifest {
        Ok(())
    } else {
        Err(BadArchive::NoManifest)
    }
}

/// How many entries the records at the end of an archive tell of, the largest number of
/// all that look like one (PKWARE APPNOTE 6.3.10, 4.3.14 and 4.3.16). 0 where there are none.
fn entries_told(archive: &mut (impl Read + Seek)) -> io::Result<u64> {
    const SHORT: &[u8] = b"PK\x05\x06";
    const LONG: &[u8] = b"PK\x06\x06";
    let end = archive.seek(SeekFrom::End(0))?;
    archive.seek(SeekFrom::Start(end.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    archive.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let mut told = 0;
    for at in 0..tail.len() {
        let record = &tail[at..];
        let count = if record.starts_with(SHORT) {
            let count = record.get(10..12).and_then(|bytes| bytes.try_into().ok());
            // All bits set: the longer record counts.
            count
                .map(u16::from_le_bytes)
                .filter(|count| *count != u16::MAX)
                .map(u64::from)
        } else if record.starts_with(LONG) {
            let count = record.get(32..40).and_then(|bytes| bytes.try_into().ok());
            count.map(u64::from_le_bytes)
        } else {
            None
        };
        told = told.max(count.unwrap_or_default());
    }
    Ok(told)
}

/// Whether a name, taken as a path of any system, leads out of the folder.
fn leads_out(name: &str) -> bool {
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    let mut parts = name.split(['/', '\\']);
    has_drive
        || name.starts_with(['/', '\\'])
        || name.contains('\0')
        || parts.any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use rstest::rstest;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const LIMITS: ArchiveLimits = ArchiveLimits {
        entries: 5,
        unpacked_bytes: 64 * 1024 * 1024,
    };

    fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn checked(bytes: &[u8]) -> Result<(), BadArchive> {
        check(Cursor::new(bytes), bytes.len() as u64, LIMITS)
    }

    const MANIFEST: (&str, &[u8]) = ("manifest.json", b"{}");

    #[rstest]
    #[case::alone(&[MANIFEST], Ok(()))]
    #[case::with_others(&[("run/a.sql", b"select 1" as &[u8]), MANIFEST], Ok(()))]
    #[case::in_a_folder(&[("target/manifest.json", b"{}" as &[u8])], Ok(()))]
    #[case::without(&[("run/a.sql", b"select 1" as &[u8])], Err(BadArchive::NoManifest))]
    #[case::another_name(&[("old-manifest.json", b"{}" as &[u8])], Err(BadArchive::NoManifest))]
    #[case::empty(&[], Err(BadArchive::NoManifest))]
    #[case::slip(&[MANIFEST, ("../../etc/cron.d/x", b"x")], Err(BadArchive::Outside("../../etc/cron.d/x".into())))]
    #[case::absolute(&[MANIFEST, ("/etc/passwd", b"x")], Err(BadArchive::Outside("/etc/passwd".into())))]
    #[case::windows(&[MANIFEST, ("..\\x", b"x")], Err(BadArchive::Outside("..\\x".into())))]
    #[case::a_drive(&[MANIFEST, ("C:/x", b"x")], Err(BadArchive::Outside("C:/x".into())))]
    #[case::dots_in_a_name(&[MANIFEST, ("run/a..b.sql", b"x")], Ok(()))]
    #[case::too_many(
        &[MANIFEST, ("1", b""), ("2", b""), ("3", b""), ("4", b""), ("5", b"")],
        Err(BadArchive::TooMany(6, 5))
    )]
    fn archives_are_looked_at(
        #[case] entries: &[(&str, &[u8])],
        #[case] expected: Result<(), BadArchive>,
    ) {
        assert_eq!(checked(&zip(entries)), expected);
    }

    #[rstest]
    #[case::much_for_its_size(20, BadArchive::Bomb)]
    #[case::much(65, BadArchive::TooLarge(LIMITS.unpacked_bytes))]
    fn bombs_are_refused(#[case] megabytes: usize, #[case] expected: BadArchive) {
        let zeros = vec![0; megabytes * 1024 * 1024];
        let bytes = zip(&[MANIFEST, ("zeros", &zeros)]);
        assert_eq!(checked(&bytes), Err(expected));
    }

    #[rstest]
    #[case(b"")]
    #[case(b"not a zip archive")]
    fn what_is_no_archive_is_refused(#[case] bytes: &[u8]) {
        assert_eq!(checked(bytes), Err(BadArchive::NoArchive));
    }

    #[rstest]
    #[case::none(&[], 0)]
    #[case::one(&[MANIFEST], 1)]
    #[case::several(&[MANIFEST, ("1", b""), ("2", b"")], 3)]
    fn the_end_of_an_archive_tells_how_many_entries_it_has(
        #[case] entries: &[(&str, &[u8])],
        #[case] expected: u64,
    ) {
        let told = entries_told(&mut Cursor::new(zip(entries)));
        assert_eq!(told.unwrap(), expected);
    }

    #[test]
    fn the_longer_record_of_a_large_archive_counts() {
        let mut end = b"PK\x06\x06".to_vec();
        end.resize(32, 0);
        end.extend_from_slice(&70_000_u64.to_le_bytes());
        end.extend_from_slice(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff");
        let size_bytes = end.len() as u64;
        let refused = check(Cursor::new(end), size_bytes, LIMITS);
        assert_eq!(refused, Err(BadArchive::TooMany(70_000, LIMITS.entries)));
    }

    #[test]
    fn links_are_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        writer.start_file("manifest.json", options).unwrap();
        writer.add_symlink("link", "/etc/passwd", options).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert_eq!(checked(&bytes), Err(BadArchive::Link("link".into())));
    }
}
