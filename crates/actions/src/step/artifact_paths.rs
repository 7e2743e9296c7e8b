//! Names and paths of named artifacts: what may be called how, and where files
//! from several places lie in one archive.
//!
//! actions/toolkit: `path-and-artifact-name-validation`; actions/upload-artifact:
//! `search.ts`.

const FORBIDDEN: &[(char, &str)] = &[
    ('"', "Double quote \""),
    (':', "Colon :"),
    ('<', "Less than <"),
    ('>', "Greater than >"),
    ('|', "Vertical bar |"),
    ('*', "Asterisk *"),
    ('?', "Question mark ?"),
    ('\r', "Carriage return \\r"),
    ('\n', "Line feed \\n"),
    ('\\', "Backslash \\"),
    ('/', "Forward slash /"),
];

/// Refuses a name that could not be a file's on every system.
///
/// # Errors
/// With the toolkit's words.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("Provided artifact name input during validation is empty".to_owned());
    }
    match FORBIDDEN
        .iter()
        .find(|(character, _)| name.contains(*character))
    {
        None => Ok(()),
        Some((_, what)) => {
            let all: Vec<&str> = FORBIDDEN.iter().map(|(_, what)| *what).collect();
            Err(format!(
                "The artifact name is not valid: {name}. Contains the following character: {what}\nInvalid characters include: {}\nThese characters are not allowed in the artifact name due to limitations with certain file systems such as NTFS. To maintain file system agnostic behavior, these characters are intentionally not allowed to prevent potential problems with downloads on different file systems.",
                all.join(", ")
            ))
        }
    }
}

/// The folder that all of these absolute paths lie in: the archive's root when
/// several paths are searched.
#[must_use]
pub fn least_common_ancestor(paths: &[String]) -> String {
    let mut split = paths.iter().map(|path| {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>()
    });
    let Some(mut common) = split.next() else {
        return "/".to_owned();
    };
    for parts in split {
        let shared = common
            .iter()
            .zip(&parts)
            .take_while(|(one, other)| one == other)
            .count();
        common.truncate(shared);
    }
    format!("/{}", common.join("/"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("coverage-linux 1.0", true)]
    #[case("", false)]
    #[case("a/b", false)]
    #[case("a:b", false)]
    #[case("a\nb", false)]
    fn names_are_good_on_every_file_system(#[case] name: &str, #[case] good: bool) {
        assert_eq!(check_name(name).is_ok(), good);
    }

    #[test]
    fn a_bad_name_is_told_with_its_character() {
        let message = check_name("a/b").unwrap_err();
        assert!(message.starts_with(
            "The artifact name is not valid: a/b. Contains the following character: Forward slash /"
        ));
    }

    #[rstest]
    #[case(&["/w/dist", "/w/docs/a.md"], "/w")]
    #[case(&["/w/dist/js", "/w/dist/css"], "/w/dist")]
    #[case(&["/w/dist", "/w/dist/js"], "/w/dist")]
    #[case(&["/w/a", "/tmp/b"], "/")]
    #[case(&["/w/dist2", "/w/dist"], "/w")]
    fn several_paths_share_a_root(#[case] paths: &[&str], #[case] root: &str) {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(least_common_ancestor(&paths), root);
    }
}
