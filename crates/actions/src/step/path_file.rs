//! The file behind `GITHUB_PATH`: folders that later steps find first.
//!
//! GitHub runner: `AddPathFileCommand`.

/// The folders of the file in its order; blank lines are none.
pub fn parse(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.is_empty())
}

/// Folders that steps put before `PATH`.
#[derive(Clone, Debug, Default)]
pub struct AddedPath(Vec<String>);

impl AddedPath {
    /// Adds a folder, which is looked into before all others.
    pub fn add(&mut self, folder: &str) {
        self.0.retain(|known| known != folder);
        self.0.push(folder.to_owned());
    }

    /// The whole `PATH`.
    #[must_use]
    pub fn before(&self, path: &str) -> String {
        let added = self.0.iter().rev().map(String::as_str);
        let rest = (!path.is_empty()).then_some(path);
        added.chain(rest).collect::<Vec<_>>().join(":")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_added_last_comes_first() {
        let mut added = AddedPath::default();
        for folder in parse("/a\r\n\n/b\n/a\n") {
            added.add(folder);
        }
        assert_eq!(added.before("/usr/bin:/bin"), "/a:/b:/usr/bin:/bin");
    }
}
