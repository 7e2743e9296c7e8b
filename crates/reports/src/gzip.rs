//! The files inside a report upload: runners pack each file as one gzip member
//! and write the members one after another.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// Why an upload cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The files together are larger than allowed.
    #[error("the unpacked files are larger than the limit of {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// Not gzip, or cut off.
    #[error("not in gzip format: {0}")]
    Damaged(#[source] io::Error),
}

/// Calls `visit` for each file of an upload, in order, and stops when it
/// answers `false`. The files together may unpack to `limit` bytes.
///
/// What `visit` does not read is skipped. An error while it reads is seen by
/// `visit` as an I/O error and afterwards returned from here.
///
/// # Errors
/// See [`UnpackError`].
pub fn each_file(
    mut packed: impl BufRead,
    limit: u64,
    mut visit: impl FnMut(&mut dyn BufRead) -> bool,
) -> Result<(), UnpackError> {
    let mut left = limit;
    loop {
        if packed.fill_buf().map_err(UnpackError::Damaged)?.is_empty() {
            return Ok(());
        }
        let mut file = BufReader::new(Limited {
            inner: GzDecoder::new(&mut packed),
            left,
            failure: None,
        });
        let goes_on = visit(&mut file);
        let drained = io::copy(&mut file, &mut io::sink());
        let file = file.into_inner();
        match file.failure {
            Some(Failure::TooLarge) => return Err(UnpackError::TooLarge { limit }),
            Some(Failure::Damaged(error)) => return Err(UnpackError::Damaged(error)),
            None => drained.map_err(UnpackError::Damaged)?,
        };
        left = file.left;
        if !goes_on {
            return Ok(());
        }
    }
}

enum Failure {
    TooLarge,
    Damaged(io::Error),
}

/// A reader that remembers why it stopped.
struct Limited<R> {
    inner: R,
    left: u64,
    failure: Option<Failure>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|error| {
            let seen = io::Error::new(error.kind(), error.to_string());
            self.failure = Some(Failure::Damaged(error));
            seen
        })?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                self.failure = Some(Failure::TooLarge);
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn packed(files: &[&[u8]]) -> Vec<u8> {
        files
            .iter()
            .flat_map(|file| {
                let mut member = GzEncoder::new(Vec::new(), Compression::fast());
                member.write_all(file).unwrap();
                member.finish().unwrap()
            })
            .collect()
    }

    fn unpacked(packed: &[u8], limit: u64) -> Result<Vec<String>, UnpackError> {
        let mut files = Vec::new();
        each_file(packed, limit, |file| {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            files.push(text);
            true
        })?;
        Ok(files)
    }

    #[test]
    fn every_member_is_a_file_of_its_own() {
        assert_eq!(
            unpacked(&packed(&[b"one", b"", b"two"]), 100).unwrap(),
            ["one", "", "two"]
        );
        assert_eq!(unpacked(b"", 100).unwrap(), [""; 0]);
    }

    #[test]
    fn what_a_visitor_leaves_unread_does_not_disturb_the_next_file() {
        let mut firsts = Vec::new();
        each_file(&packed(&[b"one", b"two"])[..], 100, |file| {
            let mut first = [0];
            file.read_exact(&mut first).unwrap();
            firsts.push(first[0]);
            true
        })
        .unwrap();
        assert_eq!(firsts, *b"ot");
    }

    #[test]
    fn the_limit_counts_all_files_together() {
        let packed = packed(&[b"12345", b"67890"]);
        assert!(unpacked(&packed, 10).is_ok());
        assert!(matches!(
            unpacked(&packed, 9),
            Err(UnpackError::TooLarge { limit: 9 })
        ));
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = packed(&[&vec![0; 5_000_000]]);
        let mut most = 0;
        let refused = each_file(&bomb[..], 1_000_000, |file| {
            most = io::copy(file, &mut io::sink()).unwrap_or(0).max(most);
            true
        });
        assert!(matches!(refused, Err(UnpackError::TooLarge { .. })));
        assert!(most <= 1_000_000);
    }

    #[test]
    fn other_bytes_and_cut_off_members_are_damaged() {
        assert!(matches!(
            unpacked(b"A=b\n", 100),
            Err(UnpackError::Damaged(_))
        ));
        let whole = packed(&[b"one"]);
        assert!(matches!(
            unpacked(&whole[..whole.len() - 4], 100),
            Err(UnpackError::Damaged(_))
        ));
    }
}
