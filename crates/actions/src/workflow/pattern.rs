//! Patterns of branches, tags and paths, in the order of a filter.
//!
//! | written | fits |
//! |---|---|
//! | `*` | any characters but `/` |
//! | `**` | any characters |
//! | `**/` | any number of directories, also none |
//! | `?`, `+` | the character before it, at most or at least once |
//! | `[0-9a-z]` | one of these characters |
//! | `!` at the start | takes out what earlier patterns let in |
//! | `\` | makes the next character an ordinary one |

use regex::Regex;

/// The patterns of one filter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    regex: Regex,
    takes_out: bool,
}

impl Patterns {
    /// Adds a pattern behind the others.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), String> {
        let (takes_out, body) = match text.strip_prefix('!') {
            Some(body) => (true, body),
            None => (false, text),
        };
        let source = regex_source(body)?;
        let regex = Regex::new(&source)
            .map_err(|_| "its range of characters is not one, or it is too long".to_owned())?;
        self.patterns.push(Pattern { regex, takes_out });
        Ok(())
    }

    /// Whether the last pattern that fits lets the text in. Without one that
    /// fits it stays out.
    pub(crate) fn keep(&self, text: &str) -> bool {
        self.patterns
            .iter()
            .rev()
            .find(|pattern| pattern.regex.is_match(text))
            .is_some_and(|pattern| !pattern.takes_out)
    }
}

fn regex_source(pattern: &str) -> Result<String, String> {
    let mut atoms: Vec<String> = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                let starts_name = atoms.last().is_none_or(|atom| atom == "/");
                if starts_name && chars.next_if_eq(&'/').is_some() {
                    atoms.push("(?:.*/)?".to_owned());
                } else {
                    atoms.push(".*".to_owned());
                }
            }
            '*' => atoms.push("[^/]*".to_owned()),
            '?' | '+' => {
                let Some(atom) = atoms.last_mut() else {
                    return Err(format!("there is nothing before the `{c}` to repeat"));
                };
                *atom = format!("(?:{atom}){c}");
            }
            '[' => {
                let mut class = String::new();
                loop {
                    match chars.next() {
                        Some(']') if !class.is_empty() => break,
                        Some(c @ ('[' | ']' | '\\' | '^' | '&' | '~')) => {
                            class.push('\\');
                            class.push(c);
                        }
                        Some(c) => class.push(c),
                        None => return Err("its `[` has no `]`".to_owned()),
                    }
                }
                atoms.push(format!("[{class}]"));
            }
            '\\' => {
                let c = chars.next().ok_or("it ends in a `\\`")?;
                atoms.push(regex::escape(c.encode_utf8(&mut [0; 4])));
            }
            c => atoms.push(regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    Ok(format!("(?s)^(?:{})$", atoms.concat()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn keeps(patterns: &[&str], text: &str) -> bool {
        let mut list = Patterns::default();
        for pattern in patterns {
            list.push(pattern).expect("it is a pattern");
        }
        list.keep(text)
    }

    /// The examples of GitHub's page on filter patterns, and where they end.
    #[rstest]
    #[case(&["feature/*"], "feature/my-branch", true)]
    #[case(&["feature/*"], "feature/beta/my-branch", false)]
    #[case(&["feature/**"], "feature/beta-a/my-branch", true)]
    #[case(&["main"], "main", true)]
    #[case(&["main"], "mainly", false)]
    #[case(&["*"], "releases", true)]
    #[case(&["*"], "releases/1", false)]
    #[case(&["**"], "every/branch/there-is", true)]
    #[case(&["*feature"], "ver-10-feature", true)]
    #[case(&["v2*"], "v2.9", true)]
    #[case(&["v[12].[0-9]+.[0-9]+"], "v1.10.1", true)]
    #[case(&["v[12].[0-9]+.[0-9]+"], "v3.1.0", false)]
    #[case(&["*.jsx?"], "page.js", true)]
    #[case(&["*.jsx?"], "page.jsxx", false)]
    #[case(&["**.js"], "src/js/app.js", true)]
    #[case(&["docs/**/*.md"], "docs/hello.md", true)]
    #[case(&["docs/**/*.md"], "docs/a/markdown/file.md", true)]
    #[case(&["**/docs/**"], "docs/hello.md", true)]
    #[case(&["**/docs/**"], "dir/docs/my-file.txt", true)]
    #[case(&["**/README.md"], "js/README.md", true)]
    #[case(&["**/*src/**"], "my-src/code/js/app.js", true)]
    #[case(&["**/*-post.md"], "path/their-post.md", true)]
    #[case(&["a.b"], "axb", false)]
    #[case(&[r"a\*"], "a*", true)]
    #[case(&[r"a\*"], "ab", false)]
    #[case(&["*.md", "!README.md"], "README.md", false)]
    #[case(&["*.md", "!README.md", "README*"], "README.md", true)]
    #[case(&["!README.md"], "hello.md", false)]
    fn the_last_pattern_that_fits_decides(
        #[case] patterns: &[&str],
        #[case] text: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(keeps(patterns, text), expected);
    }

    #[rstest]
    #[case("?", "there is nothing before the `?` to repeat")]
    #[case("a[b", "its `[` has no `]`")]
    #[case("a\\", "it ends in a `\\`")]
    #[case("[z-a]", "its range of characters is not one, or it is too long")]
    fn a_pattern_that_is_none_is_refused(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Patterns::default().push(text), Err(expected.to_owned()));
    }
}
