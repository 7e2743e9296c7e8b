//! Files that match patterns, in the order in which `@actions/glob` finds them:
//! depth first, each folder's entries by name.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use tappet_actions::step::glob::Patterns;

/// More files than this are a mistake such as `/**`.
const MAX_FILES: usize = 1_000_000;

/// How to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Go where links lead.
    pub follow_links: bool,
    /// Look at names that begin with a dot.
    pub hidden: bool,
}

/// All that match and are no folders. Blocks.
pub(super) fn files(patterns: &Patterns, options: Options) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut stack: Vec<(PathBuf, Vec<PathBuf>)> = patterns
        .search_paths()
        .into_iter()
        .rev()
        .map(|path| (PathBuf::from(path), Vec::new()))
        .collect();
    while let Some((path, parents)) = stack.pop() {
        let text = path.to_string_lossy();
        let may_hold = patterns.may_match_below(&text);
        let matches = patterns.matches(&text);
        if !matches && !may_hold {
            continue;
        }
        let name = path.file_name().map(|name| name.to_string_lossy());
        if !options.hidden && name.is_some_and(|name| name.starts_with('.')) {
            continue;
        }
        let metadata = if options.follow_links {
            // A link to nothing is left out.
            fs::metadata(&path)
        } else {
            fs::symlink_metadata(&path)
        };
        let Ok(metadata) = metadata else { continue };
        if !metadata.is_dir() {
            if matches && seen.insert(path.clone()) {
                found.push(path);
            }
            if found.len() > MAX_FILES {
                return Err(io::Error::other(format!(
                    "more than {MAX_FILES} files match; select fewer"
                )));
            }
            continue;
        }
        let mut parents = parents;
        if options.follow_links {
            let real = path.canonicalize()?;
            if parents.contains(&real) {
                continue;
            }
            parents.push(real);
        }
        // What cannot be read cannot match.
        let Ok(entries) = fs::read_dir(&path) else {
            continue;
        };
        let mut names: Vec<_> = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<_>>()?;
        names.sort_unstable();
        let children = names.iter().rev();
        stack.extend(children.map(|name| (path.join(name), parents.clone())));
    }
    Ok(found)
}
