//! Which files an artifact holds, and packing them
//! (GitLab Runner: `commands/helpers/file_archiver.go`).

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// More files than this are no artifact but a mistake such as `/**` of a dependency tree.
const MAX_ENTRIES: usize = 1_000_000;

/// What one artifact asks for, with variables already replaced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Globs relative to the project.
    pub paths: Vec<String>,
    /// Globs taken out again.
    pub exclude: Vec<String>,
    /// Relative paths that git does not track.
    pub untracked: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    File,
    Directory,
    Link,
}

/// The files found.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    entries: BTreeMap<String, Kind>,
    /// One line per path that found something.
    pub notes: Vec<String>,
    /// One line per path that did not.
    pub warnings: Vec<String>,
}

impl Collected {
    /// Nothing to upload.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Relative paths of the regular files, in archive order.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let files = self.entries.iter().filter(|(_, kind)| **kind == Kind::File);
        files.map(|(name, _)| name.as_str())
    }

    /// Relative paths in archive order.
    #[cfg(test)]
    fn names(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }
}

/// Finds the files of `selection` below `project`. Blocks.
pub(crate) fn collect(project: &Path, selection: &Selection) -> io::Result<Collected> {
    let mut collected = Collected::default();
    for path in &selection.paths {
        let Some(relative) = relative_to(project, path) else {
            collected.warnings.push(format!(
                "{path}: artifact path is not a subpath of project directory: {}",
                project.display()
            ));
            continue;
        };
        let before = collected.entries.len();
        let mut matched = 0;
        match_path(project, &relative, &mut |entry, kind| {
            matched += 1;
            collected.entries.insert(entry.to_owned(), kind);
            if collected.entries.len() > MAX_ENTRIES {
                return Err(too_many());
            }
            Ok(())
        })
        .or_else(|error| match error.kind() {
            io::ErrorKind::InvalidInput => {
                collected.warnings.push(format!("{path}: {error}"));
                Ok(())
            }
            _ => Err(error),
        })?;
        if matched > 0 {
            collected.notes.push(format!(
                "{path}: found {matched} matching artifact files and directories"
            ));
        } else if collected.entries.len() == before {
            collected.warnings.push(format!(
                "{path}: no matching files. Ensure that the artifact path is relative to the working directory ({})",
                project.display()
            ));
        }
    }
    for path in &selection.untracked {
        if let Some(kind) = kind_of(&project.join(path)) {
            collected.entries.insert(path.clone(), kind);
        }
    }
    if !selection.untracked.is_empty() {
        collected.notes.push(format!(
            "untracked: found {} files",
            selection.untracked.len()
        ));
    }
    let excluded: Vec<GlobMatcher> = selection
        .exclude
        .iter()
        .filter_map(|glob| compile(&relative_to(project, glob)?).ok())
        .collect();
    let before = collected.entries.len();
    collected
        .entries
        .retain(|path, _| !excluded.iter().any(|glob| glob.is_match(path)));
    if collected.entries.len() < before {
        collected.notes.push(format!(
            "exclude: took out {} files",
            before - collected.entries.len()
        ));
    }
    Ok(collected)
}

fn too_many() -> io::Error {
    io::Error::other(format!("more than {MAX_ENTRIES} files match; select fewer"))
}

/// `path` relative to the project, without `.` and `..`; `None` if it leaves the project.
fn relative_to(project: &Path, path: &str) -> Option<String> {
    let inside = match path.strip_prefix('/') {
        None => path,
        Some(_) => {
            let rest = path.strip_prefix(project.to_str()?)?;
            if !rest.is_empty() && !rest.starts_with('/') {
                return None;
            }
            rest
        }
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in inside.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn compile(glob: &str) -> io::Result<GlobMatcher> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("not a valid pattern: {}", error.kind()),
            )
        })
}

type Found<'f> = &'f mut dyn FnMut(&str, Kind) -> io::Result<()>;

fn match_path(project: &Path, pattern: &str, found: Found<'_>) -> io::Result<()> {
    let is_glob = |part: &str| part.contains(['*', '?', '[', '{', '\\']);
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let fixed = parts.iter().take_while(|part| !is_glob(part)).count();
    let prefix = parts[..fixed].join("/");
    let mut path = project.to_owned();
    for (index, part) in parts[..fixed].iter().enumerate() {
        path.push(part);
        match kind_of(&path) {
            Some(Kind::Directory) => {}
            Some(kind) if index + 1 == parts.len() => return found(&prefix, kind),
            // A link on the way would lead to files that are not the project's.
            _ => return Ok(()),
        }
    }
    if fixed == parts.len() {
        return add_tree(project, &prefix, found);
    }
    let glob = compile(pattern)?;
    let mut folders = vec![prefix];
    while let Some(folder) = folders.pop() {
        for (name, kind) in children(project, &folder)? {
            if kind == Kind::Directory && name == ".git" {
                continue;
            }
            if glob.is_match(&name) {
                match kind {
                    Kind::Directory => add_tree(project, &name, found)?,
                    kind => found(&name, kind)?,
                }
            } else if kind == Kind::Directory {
                folders.push(name);
            }
        }
    }
    Ok(())
}

/// A directory and all in it. The empty name is the project, without its `.git`.
fn add_tree(project: &Path, name: &str, found: Found<'_>) -> io::Result<()> {
    let mut folders = vec![name.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_empty() {
            found(&folder, Kind::Directory)?;
        }
        for (name, kind) in children(project, &folder)? {
            match kind {
                Kind::Directory if name == ".git" => {}
                Kind::Directory => folders.push(name),
                kind => found(&name, kind)?,
            }
        }
    }
    Ok(())
}

fn children(project: &Path, folder: &str) -> io::Result<Vec<(String, Kind)>> {
    let entries = match fs::read_dir(project.join(folder)) {
        Ok(entries) => entries,
        // Unreadable or too deep: what cannot be reached cannot be packed.
        Err(_) => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let kind = entry.file_type()?;
        let kind = if kind.is_dir() {
            Kind::Directory
        } else if kind.is_file() {
            Kind::File
        } else if kind.is_symlink() {
            Kind::Link
        } else {
            continue;
        };
        found.push((
            if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            },
            kind,
        ));
    }
    Ok(found)
}

/// `None` for what is missing, and for pipes, sockets and devices.
fn kind_of(path: &Path) -> Option<Kind> {
    let kind = fs::symlink_metadata(path).ok()?.file_type();
    if kind.is_dir() {
        Some(Kind::Directory)
    } else if kind.is_file() {
        Some(Kind::File)
    } else if kind.is_symlink() {
        Some(Kind::Link)
    } else {
        None
    }
}

/// Packs the files into the new archive `to`. Blocks. Files that vanished meanwhile are left out.
pub(crate) fn archive(project: &Path, collected: &Collected, to: &Path) -> io::Result<()> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let mut zip = ZipWriter::new(BufWriter::with_capacity(128 * 1024, file));
    for (name, kind) in &collected.entries {
        let path = project.join(name);
        match kind {
            Kind::Directory => {
                let Ok(metadata) = fs::symlink_metadata(&path) else {
                    continue;
                };
                zip.add_directory(name.as_str(), options(&metadata))
                    .map_err(io::Error::other)?;
            }
            Kind::Link => {
                let Ok(metadata) = fs::symlink_metadata(&path) else {
                    continue;
                };
                let Ok(target) = fs::read_link(&path).map(PathBuf::into_os_string) else {
                    continue;
                };
                let Ok(target) = target.into_string() else {
                    continue;
                };
                zip.add_symlink(name.as_str(), target, options(&metadata))
                    .map_err(io::Error::other)?;
            }
            Kind::File => {
                let Ok((file, metadata)) = open(&path) else {
                    continue;
                };
                let options = options(&metadata).large_file(metadata.len() >= u64::from(u32::MAX));
                zip.start_file(name.as_str(), options)
                    .map_err(io::Error::other)?;
                io::copy(&mut BufReader::with_capacity(128 * 1024, file), &mut zip)?;
            }
        }
    }
    io::Write::flush(&mut zip.finish().map_err(io::Error::other)?)
}

/// Opens a regular file, never what a link leads to.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((file, metadata))
}

fn options(metadata: &Metadata) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .unix_permissions(metadata.mode() & 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::symlink;

    fn project() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in [
            ("a.txt", "a"),
            (".hidden", "h"),
            ("out/b.o", "b"),
            ("out/deep/c.o", "c"),
            ("out/deep/.d", "d"),
            (".git/config", "secret"),
            ("x/y/z.log", "z"),
        ] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        symlink("/etc", dir.path().join("etc")).unwrap();
        symlink("..", dir.path().join("x/loop")).unwrap();
        dir
    }

    fn select(paths: &[&str], exclude: &[&str]) -> (Vec<String>, Vec<String>) {
        let dir = project();
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let selection = Selection {
            paths: owned(paths),
            exclude: owned(exclude),
            untracked: vec![],
        };
        let collected = collect(dir.path(), &selection).unwrap();
        (
            collected
                .names()
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            collected.warnings,
        )
    }

    #[rstest]
    #[case(&["out/"], &["out", "out/b.o", "out/deep", "out/deep/.d", "out/deep/c.o"])]
    #[case(&["./out/b.o"], &["out/b.o"])]
    #[case(&["**/*.o"], &["out/b.o", "out/deep/c.o"])]
    #[case(&["out/*.o"], &["out/b.o"])]
    #[case(&["*.{txt,md}"], &["a.txt"])]
    #[case(&["x/../a.txt"], &["a.txt"])]
    #[case(&["etc"], &["etc"])]
    #[case(&["etc/passwd"], &[])]
    #[case(&["etc/*"], &[])]
    #[case(&["**/loop/**"], &[])]
    #[case(&["../*"], &[])]
    #[case(&["/"], &[])]
    #[case(&["/etc/passwd"], &[])]
    #[case(&["[a"], &[])]
    fn paths_stay_in_the_project(#[case] paths: &[&str], #[case] expected: &[&str]) {
        let (names, warnings) = select(paths, &[]);
        assert_eq!(names, expected);
        assert_eq!(warnings.is_empty(), !expected.is_empty());
    }

    #[test]
    fn everything_means_the_project_without_its_history() {
        let (names, _) = select(&["."], &[]);
        assert!(names.contains(&".hidden".to_owned()));
        assert!(names.contains(&"x/loop".to_owned()));
        assert!(!names.iter().any(|name| name.starts_with(".git")));
        assert_eq!(select(&["**/*"], &[]).0, names);
    }

    #[test]
    fn a_double_star_also_excludes_the_first_level() {
        let (names, _) = select(&["out"], &["out/**/*.o"]);
        assert_eq!(names, ["out", "out/deep", "out/deep/.d"]);
    }

    #[test]
    fn an_absolute_path_inside_the_project_counts() {
        let dir = project();
        let selection = Selection {
            paths: vec![dir.path().join("a.txt").to_str().unwrap().to_owned()],
            ..Selection::default()
        };
        assert_eq!(collect(dir.path(), &selection).unwrap().names(), ["a.txt"]);
    }

    #[test]
    fn the_archive_holds_links_as_links() {
        let dir = project();
        let selection = Selection {
            paths: vec!["etc".into(), "out/b.o".into()],
            ..Selection::default()
        };
        let collected = collect(dir.path(), &selection).unwrap();
        let to = dir.path().join("archive.zip");
        archive(dir.path(), &collected, &to).unwrap();
        let mut zip = zip::ZipArchive::new(File::open(to).unwrap()).unwrap();
        let mut link = zip.by_name("etc").unwrap();
        assert!(link.is_symlink());
        let mut target = String::new();
        io::Read::read_to_string(&mut link, &mut target).unwrap();
        assert_eq!(target, "/etc");
    }
}
