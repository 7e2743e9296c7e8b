//! Packing of reports: each file is one gzip member
//! (GitLab Runner: `commands/helpers/archive/gziplegacy`).

use std::fs;
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::{Compression, GzBuilder};

use super::collect::{self, Collected};

/// Packs the regular files into the new file `to`; how many they are. Blocks. Files that
/// vanished meanwhile are left out.
pub(crate) fn pack(project: &Path, collected: &Collected, to: &Path) -> io::Result<usize> {
    let mut packed = BufWriter::new(
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?,
    );
    let mut count = 0;
    for name in collected.files() {
        let Ok((file, _)) = collect::open(&project.join(name)) else {
            continue;
        };
        let mut member = GzBuilder::new()
            .filename(name)
            .write(packed, Compression::default());
        io::copy(&mut BufReader::with_capacity(128 * 1024, file), &mut member)?;
        packed = member.finish()?;
        count += 1;
    }
    packed.flush()?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::super::collect::Selection;
    use super::*;
    use flate2::read::MultiGzDecoder;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_follow_one_another_and_links_stay_out() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        fs::write(dir.path().join("out/a.xml"), "<a/>").unwrap();
        fs::write(dir.path().join("out/b.xml"), "<b/>").unwrap();
        symlink("/etc/passwd", dir.path().join("out/c.xml")).unwrap();
        let selection = Selection {
            paths: vec!["out/*.xml".into()],
            ..Selection::default()
        };
        let collected = collect::collect(dir.path(), &selection).unwrap();
        let to = dir.path().join("report.gz");
        assert_eq!(pack(dir.path(), &collected, &to).unwrap(), 2);
        let mut text = String::new();
        let mut packed = MultiGzDecoder::new(fs::File::open(to).unwrap());
        packed.read_to_string(&mut text).unwrap();
        assert_eq!(text, "<a/><b/>");
    }
}
