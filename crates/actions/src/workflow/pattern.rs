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

/// Longer ones would only cost time.
const MAX_LENGTH: usize = 1000;

/// The patterns of one filter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    atoms: Vec<Atom>,
    takes_out: bool,
}

/// A piece of a pattern. A text fits when a way leads through all pieces.
#[derive(Clone, Debug)]
enum Atom {
    One(Set),
    Maybe(Set),
    Any(Set),
    /// `**/`: the next piece is a way around it.
    Folders,
    /// What [`Folders`](Self::Folders) leads into: anything up to a `/`.
    InFolders,
}

/// Which characters fit.
#[derive(Clone, Debug)]
enum Set {
    Char(char),
    Ranges(Vec<(char, char)>),
    NoSlash,
    All,
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
        if body.chars().count() > MAX_LENGTH {
            return Err(format!("it has more than {MAX_LENGTH} characters"));
        }
        self.patterns.push(Pattern {
            atoms: atoms(body)?,
            takes_out,
        });
        Ok(())
    }

    /// Whether the last pattern that fits lets the text in. Without one that
    /// fits it stays out.
    pub(crate) fn keep(&self, text: &str) -> bool {
        self.patterns
            .iter()
            .rev()
            .find(|pattern| pattern.fits(text))
            .is_some_and(|pattern| !pattern.takes_out)
    }
}

fn atoms(pattern: &str) -> Result<Vec<Atom>, String> {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut chars = pattern.chars().peekable();
    // Whether a name may begin here.
    let mut at_start = true;
    while let Some(c) = chars.next() {
        let starts_name = std::mem::replace(&mut at_start, c == '/');
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                if starts_name && chars.next_if_eq(&'/').is_some() {
                    atoms.extend([Atom::Folders, Atom::InFolders]);
                    at_start = true;
                } else {
                    atoms.push(Atom::Any(Set::All));
                }
            }
            '*' => atoms.push(Atom::Any(Set::NoSlash)),
            '?' | '+' => repeat(&mut atoms, c)?,
            '[' => atoms.push(Atom::One(Set::Ranges(ranges(&mut chars)?))),
            '\\' => {
                let c = chars.next().ok_or("it ends in a `\\`")?;
                atoms.push(Atom::One(Set::Char(c)));
            }
            c => atoms.push(Atom::One(Set::Char(c))),
        }
    }
    Ok(atoms)
}

/// Lets the last piece come at most once, or at least once.
fn repeat(atoms: &mut Vec<Atom>, sign: char) -> Result<(), String> {
    let last = atoms
        .pop()
        .ok_or_else(|| format!("there is nothing before the `{sign}` to repeat"))?;
    match (last, sign) {
        (Atom::One(set), '?') => atoms.push(Atom::Maybe(set)),
        (Atom::One(set), _) => atoms.extend([Atom::One(set.clone()), Atom::Any(set)]),
        (Atom::Maybe(set), '+') => atoms.push(Atom::Any(set)),
        (last, _) => atoms.push(last),
    }
    Ok(())
}

/// What stands between `[` and `]`.
fn ranges(chars: &mut impl Iterator<Item = char>) -> Result<Vec<(char, char)>, String> {
    let mut inside = Vec::new();
    loop {
        match chars.next() {
            Some(']') if !inside.is_empty() => break,
            Some(c) => inside.push(c),
            None => return Err("its `[` has no `]`".to_owned()),
        }
    }
    let mut ranges = Vec::new();
    let mut rest = inside.as_slice();
    while let [first, others @ ..] = rest {
        let (last, after) = match others {
            ['-', last, after @ ..] => (last, after),
            _ => (first, others),
        };
        if last < first {
            return Err(format!("`{first}-{last}` is no range of characters"));
        }
        ranges.push((*first, *last));
        rest = after;
    }
    Ok(ranges)
}

impl Set {
    fn has(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Ranges(ranges) => ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&c)),
            Self::NoSlash => c != '/',
            Self::All => true,
        }
    }
}

impl Pattern {
    /// Follows all ways at once, so that no pattern takes long.
    fn fits(&self, text: &str) -> bool {
        let mut ways = vec![false; self.atoms.len() + 1];
        ways[0] = true;
        self.pass_what_may_be_missing(&mut ways);
        for c in text.chars() {
            let mut next = vec![false; ways.len()];
            for (at, atom) in self.atoms.iter().enumerate().filter(|(at, _)| ways[*at]) {
                match atom {
                    Atom::One(set) | Atom::Maybe(set) => next[at + 1] |= set.has(c),
                    Atom::Any(set) => next[at] |= set.has(c),
                    Atom::Folders => {}
                    Atom::InFolders => {
                        next[at] = true;
                        next[at + 1] |= c == '/';
                    }
                }
            }
            self.pass_what_may_be_missing(&mut next);
            ways = next;
        }
        ways.last() == Some(&true)
    }

    fn pass_what_may_be_missing(&self, ways: &mut [bool]) {
        for (at, atom) in self.atoms.iter().enumerate() {
            if ways[at] {
                match atom {
                    Atom::Maybe(_) | Atom::Any(_) => ways[at + 1] = true,
                    Atom::Folders => {
                        ways[at + 1] = true;
                        ways[at + 2] = true;
                    }
                    Atom::One(_) | Atom::InFolders => {}
                }
            }
        }
    }
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
    #[case(&["a?+b"], "aaab", true)]
    #[case(&["a?+b"], "b", true)]
    #[case(&["[]x-]+"], "]-x", true)]
    #[case(&["[^a]"], "^", true)]
    #[case(&["[^a]"], "b", false)]
    #[case(&["a/**/b"], "a/b", true)]
    #[case(&["a/**/b"], "a/x/y/b", true)]
    #[case(&["a/**/b"], "a/xb", false)]
    #[case(&["a**/b"], "ax/y/b", true)]
    #[case(&["**"], "", true)]
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
    #[case("[z-a]", "`z-a` is no range of characters")]
    fn a_pattern_that_is_none_is_refused(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Patterns::default().push(text), Err(expected.to_owned()));
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = "**a".repeat(300);
        assert!(!keeps(&[&pattern], &"a".repeat(200)));
        let mut patterns = Patterns::default();
        assert_eq!(
            patterns.push(&"a".repeat(1001)),
            Err("it has more than 1000 characters".to_owned())
        );
    }
}
