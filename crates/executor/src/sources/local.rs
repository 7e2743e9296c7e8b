//! Borrowing from a repository on this machine: its object directory as an
//! alternate, its refs copied as text. One git process is left to do, the checkout.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tappet_model::runner_protocol::GitInfo;

use super::is_object_id;

/// Loose refs deeper than this are not looked for.
const MAX_REF_DEPTH: usize = 16;

/// What can be borrowed.
#[derive(Debug)]
pub(crate) struct Borrowed {
    /// Its object directory.
    pub objects: PathBuf,
    /// The refs that the job's refspecs select, under their new names.
    pub refs: Vec<(String, String)>,
    /// Its `shallow` file.
    pub shallow: Option<Vec<u8>>,
}

/// Looks at the source of `info`. `None`: it must be fetched with git.
pub(crate) fn borrow(info: &GitInfo) -> Option<Borrowed> {
    if info.depth != 0 || !is_object_id(&info.sha) {
        return None;
    }
    let path = PathBuf::from(decode(info.repo_url.strip_prefix("file://")?)?);
    if !path.is_absolute() || path.to_str()?.chars().any(char::is_control) {
        return None;
    }
    let git_dir = if path.join("HEAD").is_file() && path.join("objects").is_dir() {
        path
    } else {
        path.join(".git")
    };
    let objects = git_dir.join("objects");
    // Linked work trees and reftables keep their refs elsewhere.
    if !objects.is_dir() || git_dir.join("commondir").exists() || git_dir.join("reftable").exists()
    {
        return None;
    }
    let refs = select(&git_dir, &info.refspecs);
    let shallow = fs::read(git_dir.join("shallow")).ok();
    Some(Borrowed {
        objects,
        refs,
        shallow,
    })
}

/// Percent decoding, as git does for `file://`.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| {
                text.get(at + 1..at + 3)
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            })
            .flatten();
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).ok()
}

fn select(git_dir: &Path, refspecs: &[String]) -> Vec<(String, String)> {
    let mut selected = BTreeMap::new();
    let mut packed = None;
    for refspec in refspecs {
        let Some((from, to)) = refspec.trim_start_matches('+').split_once(':') else {
            continue;
        };
        if is_object_id(from) {
            selected.insert(to.to_owned(), from.to_owned());
            continue;
        }
        let packed = packed.get_or_insert_with(|| read_packed(git_dir));
        match (from.strip_suffix('*'), to.strip_suffix('*')) {
            (Some(from), Some(to)) if is_safe(from.trim_end_matches('/')) => {
                let under = packed
                    .range(from.to_owned()..)
                    .take_while(|(name, _)| name.starts_with(from));
                for (name, id) in under {
                    selected.insert(format!("{to}{}", &name[from.len()..]), id.clone());
                }
                read_loose(git_dir, from.trim_end_matches('/'), 0, &mut |name, id| {
                    selected.insert(format!("{to}{}", &name[from.len()..]), id);
                });
            }
            (None, None) if is_safe(from) => {
                if let Some(id) = read_one(git_dir, from).or_else(|| packed.get(from).cloned()) {
                    selected.insert(to.to_owned(), id);
                }
            }
            _ => {}
        }
    }
    selected
        .into_iter()
        .filter(|(name, _)| is_safe(name))
        .collect()
}

/// A whole ref name that is also safe as a path and as a line.
fn is_safe(name: &str) -> bool {
    name.starts_with("refs/")
        && !name.contains("..")
        && !name
            .chars()
            .any(|c| c.is_control() || c == ' ' || c == '\\')
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
}

fn read_packed(git_dir: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(git_dir.join("packed-refs")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(id, _)| is_object_id(id))
        .map(|(id, name)| (name.to_owned(), id.to_owned()))
        .collect()
}

fn read_one(git_dir: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(git_dir.join(name)).ok()?;
    let id = text.trim_end();
    is_object_id(id).then(|| id.to_owned())
}

fn read_loose(git_dir: &Path, folder: &str, depth: usize, found: &mut dyn FnMut(&str, String)) {
    let Ok(entries) = fs::read_dir(git_dir.join(folder)) else {
        return;
    };
    for entry in entries.flatten() {
        let Some(name) = entry
            .file_name()
            .to_str()
            .map(|name| format!("{folder}/{name}"))
        else {
            continue;
        };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < MAX_REF_DEPTH {
                read_loose(git_dir, &name, depth + 1, found);
            }
        } else if let Some(id) = read_one(git_dir, &name) {
            found(&name, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn source() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("objects")).unwrap();
        fs::create_dir_all(dir.path().join("refs/heads/feature")).unwrap();
        fs::write(dir.path().join("HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(
            dir.path().join("packed-refs"),
            format!(
                "# pack-refs with: peeled\n{ONE} refs/heads/main\n{ONE} refs/tags/v1\n^{TWO}\n"
            ),
        )
        .unwrap();
        fs::write(dir.path().join("refs/heads/main"), format!("{TWO}\n")).unwrap();
        fs::write(dir.path().join("refs/heads/feature/x"), format!("{ONE}\n")).unwrap();
        dir
    }

    fn selected(refspecs: &[&str]) -> Vec<(String, String)> {
        let dir = source();
        let refspecs: Vec<String> = refspecs.iter().map(|spec| (*spec).to_owned()).collect();
        select(dir.path(), &refspecs)
    }

    #[test]
    fn a_loose_ref_beats_the_packed_one() {
        let refs = selected(&["+refs/heads/main:refs/remotes/origin/main"]);
        assert_eq!(
            refs,
            [("refs/remotes/origin/main".to_owned(), TWO.to_owned())]
        );
    }

    #[test]
    fn a_star_selects_loose_and_packed() {
        let refs = selected(&[
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        ]);
        let names: Vec<_> = refs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "refs/remotes/origin/feature/x",
                "refs/remotes/origin/main",
                "refs/tags/v1"
            ]
        );
    }

    #[test]
    fn a_ref_that_leaves_the_repository_is_not_looked_at() {
        assert!(
            selected(&[
                "refs/heads/../../HEAD:refs/x",
                "refs/heads/main:refs/../config"
            ])
            .is_empty()
        );
    }

    #[test]
    fn only_a_whole_local_history_is_borrowed() {
        let dir = source();
        let info = GitInfo {
            repo_url: format!("file://{}", dir.path().display()),
            sha: ONE.into(),
            ..GitInfo::default()
        };
        assert_eq!(borrow(&info).unwrap().objects, dir.path().join("objects"));
        assert!(
            borrow(&GitInfo {
                depth: 1,
                ..info.clone()
            })
            .is_none()
        );
        assert!(
            borrow(&GitInfo {
                repo_url: "https://host/a".into(),
                ..info.clone()
            })
            .is_none()
        );
        assert!(
            borrow(&GitInfo {
                repo_url: "file:///nowhere/at/all".into(),
                ..info
            })
            .is_none()
        );
    }
}
