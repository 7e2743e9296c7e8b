//! Looking at `.gitmodules` before git does anything with it. A submodule
//! whose name, path or address could be taken for an option, leave the
//! work tree or run a command fails the job first.

/// How deep `recursive` goes.
pub(crate) const MAX_DEPTH: usize = 8;

/// What `GIT_SUBMODULE_STRATEGY` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategy {
    /// Leave them alone.
    Nothing,
    /// Those of the project.
    Normal,
    /// Theirs too.
    Recursive,
}

impl Strategy {
    pub fn of(word: &str) -> Result<Self, String> {
        match word {
            "" | "none" => Ok(Self::Nothing),
            "normal" => Ok(Self::Normal),
            "recursive" => Ok(Self::Recursive),
            other => Err(format!(
                "GIT_SUBMODULE_STRATEGY is {other:?}; use one of \"none\", \"normal\", \"recursive\""
            )),
        }
    }
}

/// Checks the listing of `git config --file .gitmodules -z --list` and answers with the paths.
pub(crate) fn check(listing: &[u8]) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    for entry in listing
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
    {
        let entry = String::from_utf8_lossy(entry);
        let (key, value) = entry.split_once('\n').unwrap_or((&entry, ""));
        let Some((name, setting)) = key
            .strip_prefix("submodule.")
            .and_then(|rest| rest.rsplit_once('.'))
        else {
            continue;
        };
        let refuse = |why: &str| Err(format!("submodule {name:?} is refused: {why}"));
        if name.split(['/', '\\']).any(|part| part == "..") {
            return refuse("its name contains \"..\"");
        }
        match setting {
            "path" if value.starts_with('-') => return refuse("its path looks like an option"),
            "path" if value.starts_with('/') => return refuse("its path is absolute"),
            "path"
                if value
                    .split(['/', '\\'])
                    .any(|part| matches!(part, ".." | ".git")) =>
            {
                return refuse("its path leaves the work tree");
            }
            "path" => paths.push(value.to_owned()),
            "url" if value.trim_start().starts_with('-') => {
                return refuse("its address looks like an option");
            }
            "url" if value.contains("://-") || value.contains("::") || value.contains('\n') => {
                return refuse("its address could run a command");
            }
            "update" if value.starts_with('!') => return refuse("it asks to run a command"),
            _ => {}
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn an_honest_submodule_passes() {
        let listing = b"submodule.lib.path\nvendor/lib\0submodule.lib.url\n../lib.git\0";
        assert_eq!(check(listing).unwrap(), ["vendor/lib"]);
    }

    #[rstest]
    #[case("submodule.x.url\n--upload-pack=touch /tmp/x\0")]
    #[case("submodule.x.url\n-u./payload\0")]
    #[case("submodule.x.url\next::sh -c id\0")]
    #[case("submodule.x.url\nssh://-oProxyCommand=id/x\0")]
    #[case("submodule.x.path\n../outside\0")]
    #[case("submodule.x.path\na/../../b\0")]
    #[case("submodule.x.path\n/etc\0")]
    #[case("submodule.x.path\n-x\0")]
    #[case("submodule.x.path\na/.git/hooks\0")]
    #[case("submodule.../../evil.path\nx\0")]
    #[case("submodule.x.update\n!id\0")]
    fn a_hostile_submodule_is_refused(#[case] listing: &str) {
        assert!(
            check(listing.as_bytes())
                .unwrap_err()
                .contains("is refused")
        );
    }
}
