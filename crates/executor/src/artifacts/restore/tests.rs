//! Archives that only an attacker would make, and honest ones.

use super::*;
use rstest::rstest;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

enum Item {
    File(&'static str, Vec<u8>, u32),
    Link(&'static str, &'static str),
}

fn file(name: &'static str) -> Item {
    Item::File(name, b"content".to_vec(), 0o644)
}

fn pack(items: &[Item]) -> Vec<u8> {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    for item in items {
        match item {
            Item::File(name, content, mode) => {
                let options = SimpleFileOptions::default().unix_permissions(*mode);
                zip.start_file(*name, options).unwrap();
                zip.write_all(content).unwrap();
            }
            Item::Link(name, target) => {
                zip.add_symlink(*name, *target, SimpleFileOptions::default())
                    .unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Unpacks into `<outer>/project` and answers with the outer directory.
fn unpack(
    bytes: &[u8],
    limits: &Limits,
) -> (
    tempfile::TempDir,
    Result<(usize, Vec<String>), RestoreError>,
) {
    let outer = tempfile::tempdir().unwrap();
    let archive = outer.path().join("archive.zip");
    fs::write(&archive, bytes).unwrap();
    let project = outer.path().join("project");
    fs::create_dir(&project).unwrap();
    let result = restore(&archive, &project, limits);
    (outer, result)
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[rstest]
#[case::parent(vec![file("../x")])]
#[case::parent_inside(vec![file("a/../../x")])]
#[case::absolute(vec![file("/tmp/tappet-restore-test")])]
#[case::drive(vec![file("C:/x")])]
#[case::backslash(vec![file("..\\x")])]
#[case::dot(vec![file("./x")])]
#[case::through_a_link(vec![Item::Link("l", "/tmp"), file("l/x")])]
#[case::through_an_inner_link(vec![Item::Link("a/l", "../.."), file("a/l/b/x")])]
#[case::file_as_directory(vec![file("a"), file("a/b")])]
fn an_archive_that_leaves_the_project_is_refused_unwritten(#[case] items: Vec<Item>) {
    let mut items = items;
    items.insert(0, file("first"));
    let (outer, result) = unpack(&pack(&items), &Limits::default());
    assert!(
        matches!(result, Err(RestoreError::Refused(_))),
        "{result:?}"
    );
    assert_eq!(count(&outer.path().join("project")), 0);
    assert_eq!(count(outer.path()), 2);
}

/// Patches the external attributes of the only entry in the central directory.
fn with_mode(mut bytes: Vec<u8>, mode: u32) -> Vec<u8> {
    let at = bytes
        .windows(4)
        .rposition(|window| window == b"PK\x01\x02")
        .unwrap();
    bytes[at + 38..at + 42].copy_from_slice(&(mode << 16).to_le_bytes());
    bytes
}

#[rstest]
#[case::device(libc::S_IFCHR)]
#[case::block(libc::S_IFBLK)]
#[case::pipe(libc::S_IFIFO)]
#[case::socket(libc::S_IFSOCK)]
fn a_special_file_is_refused(#[case] kind: u32) {
    let (_outer, result) = unpack(
        &with_mode(pack(&[file("x")]), kind | 0o666),
        &Limits::default(),
    );
    assert!(
        matches!(result, Err(RestoreError::Refused(_))),
        "{result:?}"
    );
}

#[test]
fn setuid_does_not_survive() {
    let (outer, result) = unpack(
        &with_mode(pack(&[file("x")]), libc::S_IFREG | 0o6755),
        &Limits::default(),
    );
    result.unwrap();
    let mode = fs::metadata(outer.path().join("project/x"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7000, 0);
    assert_eq!(mode & 0o100, 0o100);
}

#[test]
fn a_link_already_in_the_checkout_is_not_written_through() {
    let outer = tempfile::tempdir().unwrap();
    let (project, outside) = (outer.path().join("project"), outer.path().join("outside"));
    fs::create_dir(&project).unwrap();
    fs::create_dir(&outside).unwrap();
    symlink(&outside, project.join("out")).unwrap();
    fs::write(outer.path().join("victim"), "old").unwrap();
    symlink("../victim", project.join("file")).unwrap();
    let archive = outer.path().join("a.zip");
    fs::write(&archive, pack(&[file("file")])).unwrap();
    restore(&archive, &project, &Limits::default()).unwrap();
    assert_eq!(fs::read(outer.path().join("victim")).unwrap(), b"old");
    assert_eq!(fs::read(project.join("file")).unwrap(), b"content");
    fs::write(&archive, pack(&[file("out/x")])).unwrap();
    restore(&archive, &project, &Limits::default()).unwrap_err();
    assert_eq!(count(&outside), 0);
}

#[test]
fn too_many_entries_are_refused() {
    let limits = Limits {
        entries: 1,
        ..Limits::default()
    };
    let (_outer, result) = unpack(&pack(&[file("a"), file("b")]), &limits);
    assert!(matches!(result, Err(RestoreError::Refused(_))));
}

#[test]
fn a_bomb_is_refused_by_its_ratio() {
    let zeros = Item::File("zeros", vec![0; 4 << 20], 0o644);
    let limits = Limits {
        ratio_from: 1 << 20,
        ratio: 100,
        ..Limits::default()
    };
    let (outer, result) = unpack(&pack(&[zeros]), &limits);
    assert!(matches!(result, Err(RestoreError::Refused(_))));
    assert_eq!(count(&outer.path().join("project")), 0);
}

#[test]
fn an_entry_that_lies_about_its_size_writes_no_more_than_it_said() {
    let mut bytes = pack(&[Item::File("x", vec![0; 1 << 20], 0o644)]);
    let at = bytes
        .windows(4)
        .rposition(|window| window == b"PK\x01\x02")
        .unwrap();
    bytes[at + 24..at + 28].copy_from_slice(&10u32.to_le_bytes());
    let (outer, result) = unpack(&bytes, &Limits::default());
    assert!(result.is_err());
    let written = fs::metadata(outer.path().join("project/x")).map_or(0, |file| file.len());
    assert!(written <= 11, "{written}");
}

#[test]
fn names_that_differ_only_in_case_are_both_kept() {
    let (outer, result) = unpack(&pack(&[file("README"), file("readme")]), &Limits::default());
    assert_eq!(result.unwrap().0, 2);
    assert_eq!(count(&outer.path().join("project")), 2);
}

#[test]
fn files_links_and_modes_come_back_and_repositories_stay() {
    let items = [
        Item::File("bin/run", b"#!/bin/sh".to_vec(), 0o755),
        Item::Link("current", "bin/run"),
        file("sub/.git/hooks/post-checkout"),
    ];
    let (outer, result) = unpack(&pack(&items), &Limits::default());
    let (files, skipped) = result.unwrap();
    assert_eq!((files, skipped.len()), (2, 1));
    let project = outer.path().join("project");
    assert_eq!(
        fs::read_link(project.join("current")).unwrap(),
        Path::new("bin/run")
    );
    assert_eq!(
        fs::metadata(project.join("bin/run"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o755
    );
    assert!(!project.join("sub").exists());
}

#[test]
fn garbage_is_an_error() {
    assert!(unpack(b"not a zip", &Limits::default()).1.is_err());
}
