//! One level of a commit's tree, as git stores it.

/// What an entry of a tree is, by its mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EntryKind {
    File,
    Folder,
    Symlink,
    Submodule,
}

/// One entry of a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry<'a> {
    pub kind: EntryKind,
    /// Any bytes but NUL and `/`.
    pub name: &'a [u8],
    /// Of what it leads to, raw.
    id: &'a [u8],
}

impl Entry<'_> {
    /// The id in hex.
    pub fn id(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The entries of a tree object in git's order; `Err` when the content is no tree.
pub(crate) fn entries(mut content: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, ()>> {
    std::iter::from_fn(move || {
        if content.is_empty() {
            return None;
        }
        let entry = first(content);
        content = match &entry {
            Some((_, rest)) => rest,
            None => &[],
        };
        Some(entry.map(|(entry, _)| entry).ok_or(()))
    })
}

fn first(content: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let space = content.iter().position(|&byte| byte == b' ')?;
    let nul = content.iter().position(|&byte| byte == 0)?;
    let id = content.get(nul + 1..nul + 21)?;
    let name = content.get(space + 1..nul)?;
    let kind = match &content[..space] {
        b"40000" | b"040000" => EntryKind::Folder,
        b"120000" => EntryKind::Symlink,
        b"160000" => EntryKind::Submodule,
        mode if mode.starts_with(b"100") => EntryKind::File,
        _ => return None,
    };
    Some((Entry { kind, name, id }, &content[nul + 21..]))
}

/// Looks up `name` in the content of a tree object. `Ok(None)` when it is not
/// there, `Err` when the content is no tree.
pub(crate) fn find(content: &[u8], name: &[u8]) -> Result<Option<(EntryKind, String)>, ()> {
    for entry in entries(content) {
        let entry = entry?;
        if entry.name == name {
            return Ok(Some((entry.kind, entry.id())));
        }
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
