//! Writing a `.git` directory by hand: what `git init` would do, without a process.

use std::fs;
use std::io;
use std::path::Path;

/// What the new repository knows.
#[derive(Debug, Default)]
pub(crate) struct DotGit<'a> {
    /// Address of `origin`.
    pub origin: &'a str,
    /// The commit of HEAD.
    pub head: &'a str,
    /// The branch that HEAD stands on, which must be among `refs`; `None`: it is detached.
    pub branch: Option<&'a str>,
    /// `(name, object id)`, whole ref names.
    pub refs: Vec<(String, String)>,
    /// Object directory to borrow from.
    pub alternate: Option<&'a Path>,
    /// Content of `shallow`.
    pub shallow: Option<Vec<u8>>,
}

impl DotGit<'_> {
    /// Writes `project/.git`.
    pub fn write(&self, project: &Path) -> io::Result<()> {
        let root = project.join(".git");
        fs::create_dir(&root)?;
        fs::create_dir(root.join("refs"))?;
        fs::create_dir(root.join("info"))?;
        fs::create_dir(root.join("objects"))?;
        if let Some(alternate) = self.alternate {
            fs::create_dir(root.join("objects/info"))?;
            let mut line = std::os::unix::ffi::OsStrExt::as_bytes(alternate.as_os_str()).to_vec();
            line.push(b'\n');
            fs::write(root.join("objects/info/alternates"), line)?;
        }
        let head = match self.branch {
            Some(branch) => format!("ref: refs/heads/{branch}\n"),
            None => format!("{}\n", self.head),
        };
        fs::write(root.join("HEAD"), head)?;
        fs::write(root.join("config"), self.config())?;
        if !self.refs.is_empty() {
            let mut refs: Vec<_> = self.refs.iter().collect();
            refs.sort();
            let mut packed = String::new();
            for (name, id) in refs {
                packed.push_str(&format!("{id} {name}\n"));
            }
            fs::write(root.join("packed-refs"), packed)?;
        }
        if let Some(shallow) = &self.shallow {
            fs::write(root.join("shallow"), shallow)?;
        }
        Ok(())
    }

    fn config(&self) -> String {
        let (version, extensions) = if self.head.len() == 64 {
            (1, "[extensions]\n\tobjectFormat = sha256\n")
        } else {
            (0, "")
        };
        let origin = self.origin.replace('\\', r"\\").replace('"', "\\\"");
        let branch = self.branch.map(|branch| {
            let branch = branch.replace('\\', r"\\").replace('"', "\\\"");
            format!("[branch \"{branch}\"]\n\tremote = origin\n\tmerge = \"refs/heads/{branch}\"\n")
        });
        let branch = branch.unwrap_or_default();
        format!(
            "[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = false\n\
             \tlogallrefupdates = true\n{extensions}[remote \"origin\"]\n\turl = \"{origin}\"\n\
             \tfetch = +refs/heads/*:refs/remotes/origin/*\n{branch}"
        )
    }
}
