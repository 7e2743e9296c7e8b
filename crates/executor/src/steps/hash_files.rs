//! `hashFiles`: one digest over the digests of all matching files.
//!
//! GitHub runner: `src/Misc/expressionFunc/hashFiles`.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use tappet_actions::step::glob::Patterns;

use super::search;

const FOLLOW: &str = "--follow-symbolic-links";

/// The digest in hex; empty when no file matches. Blocks.
pub(super) fn hash(workspace: &Path, arguments: &[impl AsRef<str>]) -> io::Result<String> {
    let mut arguments = arguments.iter().map(AsRef::as_ref).peekable();
    let follow = arguments.peek().is_some_and(|first| first.trim() == FOLLOW);
    let patterns: Vec<&str> = arguments.skip(usize::from(follow)).collect();
    let root = workspace.to_string_lossy();
    let patterns = Patterns::parse(&patterns.join("\n"), &root).map_err(io::Error::other)?;
    let options = search::Options {
        follow_links: follow,
        hidden: true,
    };
    let mut whole = Sha256::new();
    let mut any = false;
    for path in search::files(&patterns, options)? {
        // A link out of the workspace is the workflow's own wish; a pattern out of it is not.
        if !path.starts_with(workspace) || path.is_dir() {
            continue;
        }
        let mut one = Sha256::new();
        io::copy(&mut File::open(&path)?, &mut Writer(&mut one))?;
        whole.update(one.finalize());
        any = true;
    }
    Ok(if any {
        hex(&whole.finalize())
    } else {
        String::new()
    })
}

/// Digits of a digest.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A digest that can be written to.
pub(super) struct Writer<'a>(pub &'a mut Sha256);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn workspace() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("a.lock", "one"),
            ("sub/b.lock", "two"),
            ("sub/deep/c.lock", "three"),
            (".hidden/d.lock", "four"),
        ] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    /// As the definition says.
    fn of(texts: &[&str]) -> String {
        let mut whole = Sha256::new();
        for text in texts {
            whole.update(Sha256::digest(text.as_bytes()));
        }
        hex(&whole.finalize())
    }

    #[rstest]
    #[case(&["a.lock"], &["one"])]
    #[case(&["*.lock"], &["one"])]
    #[case(&["**/*.lock"], &["four", "one", "two", "three"])]
    #[case(&["**/*.lock", "!**/deep/**"], &["four", "one", "two"])]
    #[case(&["sub"], &["two", "three"])]
    #[case(&["sub/"], &["two", "three"])]
    #[case(&["sub/**/c.lock", "a.lock"], &["three", "one"])]
    #[case(&["# a comment", "a.lock"], &["one"])]
    #[case(&["--follow-symbolic-links", "a.lock"], &["one"])]
    fn files_are_hashed_in_the_order_of_the_search(
        #[case] arguments: &[&str],
        #[case] texts: &[&str],
    ) {
        let dir = workspace();
        assert_eq!(hash(dir.path(), arguments).unwrap(), of(texts));
    }

    #[rstest]
    #[case("nothing*")]
    #[case("/etc/passwd")]
    fn no_file_of_the_workspace_is_no_digest(#[case] pattern: &str) {
        assert_eq!(hash(workspace().path(), &[pattern]).unwrap(), "");
    }
}
