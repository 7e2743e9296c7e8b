//! One level of a commit's tree, as git stores it.

/// What an entry of a tree is, by its mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EntryKind {
    File,
    Folder,
    Symlink,
    Submodule,
}

/// Looks up `name` in the content of a tree object. `Ok(None)` when it is not
/// there, `Err` when the content is no tree.
pub(crate) fn find(mut content: &[u8], name: &[u8]) -> Result<Option<(EntryKind, String)>, ()> {
    while !content.is_empty() {
        let space = content.iter().position(|&byte| byte == b' ').ok_or(())?;
        let nul = content.iter().position(|&byte| byte == 0).ok_or(())?;
        let id = content.get(nul + 1..nul + 21).ok_or(())?;
        let entry_name = content.get(space + 1..nul).ok_or(())?;
        if entry_name == name {
            let kind = match &content[..space] {
                b"40000" | b"040000" => EntryKind::Folder,
                b"120000" => EntryKind::Symlink,
                b"160000" => EntryKind::Submodule,
                mode if mode.starts_with(b"100") => EntryKind::File,
                _ => return Err(()),
            };
            let hex = id.iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok(Some((kind, hex)));
        }
        content = &content[nul + 21..];
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: &str, name: &str, byte: u8) -> Vec<u8> {
        let mut entry = format!("{mode} {name}\0").into_bytes();
        entry.extend([byte; 20]);
        entry
    }

    #[test]
    fn finds_each_kind() {
        let tree = [
            entry("100644", "a b", 1),
            entry("40000", "dir", 2),
            entry("120000", "link", 3),
            entry("160000", "sub", 4),
        ]
        .concat();
        let kind = |name: &str| find(&tree, name.as_bytes()).unwrap().map(|found| found.0);
        assert_eq!(kind("a b"), Some(EntryKind::File));
        assert_eq!(kind("dir"), Some(EntryKind::Folder));
        assert_eq!(kind("link"), Some(EntryKind::Symlink));
        assert_eq!(kind("sub"), Some(EntryKind::Submodule));
        assert_eq!(kind("a"), None);
        assert_eq!(find(&tree, b"dir").unwrap().unwrap().1, "02".repeat(20));
    }

    #[test]
    fn damaged_content_is_an_error() {
        let tree = entry("100644", "file", 1);
        assert_eq!(find(&tree[..tree.len() - 1], b"file"), Err(()));
        assert_eq!(find(b"no tree at all", b"file"), Err(()));
        assert_eq!(find(&entry("777", "file", 1), b"file"), Err(()));
    }
}
