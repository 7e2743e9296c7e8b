//! Patterns for files, as `hashFiles` and the artifact actions read them: one a
//! line, `!` takes out again, `#` begins a comment, a folder means all in it.
//!
//! actions/toolkit: `@actions/glob` (`internal-pattern`, `internal-pattern-helper`).

/// Patterns that belong together; later ones win over earlier ones.
#[derive(Clone, Debug)]
pub struct Patterns(Vec<Pattern>);

#[derive(Clone, Debug)]
struct Pattern {
    is_negative: bool,
    /// Ends with a slash: matches a folder's files, not a file of that name.
    only_below: bool,
    segments: Vec<Segment>,
    /// How many segments from the first are plain names.
    literal: usize,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Segment {
    Name(String),
    Glob(Vec<char>),
    Any,
}

impl Patterns {
    /// Reads patterns; relative ones begin in the folder `root`.
    ///
    /// # Errors
    /// A pattern leads out by `..`.
    pub fn parse(text: &str, root: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim);
        let written = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        written
            .map(|line| Pattern::parse(line, root))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Where to begin looking, without folders that lie in one another.
    #[must_use]
    pub fn search_paths(&self) -> Vec<String> {
        let all: Vec<String> = self.positive().map(Pattern::search_path).collect();
        let mut paths: Vec<String> = Vec::new();
        for path in &all {
            let lies_in_another = all.iter().any(|other| {
                other != path
                    && path
                        .strip_prefix(other.trim_end_matches('/'))
                        .is_some_and(|rest| rest.starts_with('/'))
            });
            if !lies_in_another && !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        paths
    }

    /// Whether the file with this absolute path is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let path = split(path);
        self.0.iter().fold(false, |meant, pattern| {
            if pattern.is_negative {
                meant && !pattern.matches(&path)
            } else {
                meant || pattern.matches(&path)
            }
        })
    }

    /// Whether something below the folder with this absolute path could be meant.
    #[must_use]
    pub fn may_match_below(&self, folder: &str) -> bool {
        let path = split(folder);
        self.positive()
            .any(|pattern| pattern.holds(&path) || may_go_on(&pattern.segments, &path))
    }

    fn positive(&self) -> impl Iterator<Item = &Pattern> {
        self.0.iter().filter(|pattern| !pattern.is_negative)
    }
}

impl Pattern {
    fn parse(line: &str, root: &str) -> Result<Self, String> {
        let text = line.trim_start_matches('!');
        let is_negative = (line.len() - text.len()) % 2 == 1;
        let text = text.trim();
        let inside = match text.strip_prefix("./") {
            Some(rest) => rest,
            None if text == "." => "",
            None => text,
        };
        if inside.split('/').any(|part| part == "." || part == "..") {
            return Err(format!(
                "Invalid pattern '{text}'. Relative pathing '.' and '..' is not allowed."
            ));
        }
        let mut segments: Vec<Segment> = Vec::new();
        if !inside.starts_with('/') {
            segments.extend(
                split(root)
                    .into_iter()
                    .map(|name| Segment::Name(name.into())),
            );
        }
        segments.extend(split(inside).into_iter().map(Segment::parse));
        let literal = segments
            .iter()
            .take_while(|segment| matches!(segment, Segment::Name(_)))
            .count();
        Ok(Self {
            is_negative,
            only_below: inside.ends_with('/'),
            segments,
            literal,
        })
    }

    fn search_path(&self) -> String {
        let names = self.segments[..self.literal].iter().map(|segment| {
            if let Segment::Name(name) = segment {
                name.as_str()
            } else {
                ""
            }
        });
        format!("/{}", names.collect::<Vec<_>>().join("/"))
    }

    /// The pattern itself, or something in a folder that it means.
    fn matches(&self, path: &[&str]) -> bool {
        match path.split_last() {
            Some((_, folder)) if self.only_below => self.holds(folder),
            _ => self.holds(path),
        }
    }

    /// The path itself, or a folder that it lies in, has the name.
    fn holds(&self, path: &[&str]) -> bool {
        (0..=path.len()).any(|length| matches(&self.segments, &path[..length]))
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        if text == "**" {
            return Self::Any;
        }
        match literal(text) {
            Some(name) => Self::Name(name),
            None => Self::Glob(text.chars().collect()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(expected) => expected == name,
            Self::Glob(glob) => glob_matches(glob, &name.chars().collect::<Vec<_>>()),
            Self::Any => true,
        }
    }
}

/// The name that a segment without wildcards stands for.
fn literal(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek().is_some() => name.extend(characters.next()),
            '*' | '?' => return None,
            '[' if text.contains(']') => return None,
            other => name.push(other),
        }
    }
    Some(name)
}

/// Whether a name without slashes, such as an artifact's, is meant by a pattern
/// with `*`, `?`, `[…]`, `{a,b}`, and `!` before it for the opposite.
#[must_use]
pub fn name_matches(pattern: &str, name: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix('!') {
        return !name_matches(rest, name);
    }
    let name: Vec<char> = name.chars().collect();
    let patterns = expand_braces(pattern);
    patterns
        .iter()
        .any(|pattern| glob_matches(&pattern.chars().collect::<Vec<_>>(), &name))
}

/// `a{b,c}d` as `abd` and `acd`; braces that list nothing stay.
fn expand_braces(pattern: &str) -> Vec<String> {
    let expanded = pattern.find('}').and_then(|end| {
        // The innermost pair closes first.
        let start = pattern[..end].rfind('{')?;
        let inside = &pattern[start + 1..end];
        inside.contains(',').then(|| {
            let parts = inside.split(',');
            parts
                .flat_map(|part| {
                    let whole = format!("{}{part}{}", &pattern[..start], &pattern[end + 1..]);
                    expand_braces(&whole)
                })
                .collect()
        })
    });
    expanded.unwrap_or_else(|| vec![pattern.to_owned()])
}

fn split(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

fn matches(segments: &[Segment], path: &[&str]) -> bool {
    match segments.split_first() {
        None => path.is_empty(),
        Some((Segment::Any, rest)) => {
            (0..=path.len()).any(|skipped| matches(rest, &path[skipped..]))
        }
        Some((segment, rest)) => path
            .split_first()
            .is_some_and(|(name, path)| segment.matches(name) && matches(rest, path)),
    }
}

/// Whether more names behind `path` could make it match.
fn may_go_on(segments: &[Segment], path: &[&str]) -> bool {
    match (segments.split_first(), path.split_first()) {
        (None, _) => false,
        (Some(_), None) | (Some((Segment::Any, _)), _) => true,
        (Some((segment, rest)), Some((name, path))) => {
            segment.matches(name) && may_go_on(rest, path)
        }
    }
}

/// `*`, `?` and `[…]` within one name.
fn glob_matches(glob: &[char], name: &[char]) -> bool {
    // Where the last `*` stands, and what it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut position) = (0, 0);
    while position < name.len() {
        let step = match glob.get(at) {
            Some('*') => {
                star = Some((at, position));
                at += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => class(&glob[at..], name[position]),
            Some('\\') if glob.get(at + 1) == Some(&name[position]) => Some(2),
            Some(character) if *character == name[position] => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(step), _) => {
                at += step;
                position += 1;
            }
            (None, Some((after, taken))) => {
                star = Some((after, taken + 1));
                at = after + 1;
                position = taken + 1;
            }
            (None, None) => return false,
        }
    }
    glob[at..].iter().all(|character| *character == '*')
}

/// The length of the class at the beginning of `glob` when the character is in it.
fn class(glob: &[char], character: char) -> Option<usize> {
    let Some(end) = glob.iter().skip(2).position(|end| *end == ']') else {
        return (character == '[').then_some(1);
    };
    let end = end + 2;
    let mut members = &glob[1..end];
    let is_negative = matches!(members.first(), Some('!' | '^'));
    if is_negative {
        members = &members[1..];
    }
    let mut found = false;
    while let Some((first, rest)) = members.split_first() {
        if let ['-', last, rest @ ..] = rest {
            found |= (*first..=*last).contains(&character);
            members = rest;
        } else {
            found |= *first == character;
            members = rest;
        }
    }
    (found != is_negative).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("*.txt", "/w/a.txt", true)]
    #[case("*.txt", "/w/.a.txt", true)]
    #[case("*.txt", "/w/sub/a.txt", false)]
    #[case("*", "/w/sub/deep/a.txt", true)]
    #[case("**/*.txt", "/w/a.txt", true)]
    #[case("**/*.txt", "/w/sub/deep/a.txt", true)]
    #[case("dist", "/w/dist/js/a.js", true)]
    #[case("dist/", "/w/dist/a.js", true)]
    #[case("dist/", "/w/dist", false)]
    #[case("./dist", "/w/dist/a.js", true)]
    #[case(".", "/w/a", true)]
    #[case("/tmp/x", "/tmp/x", true)]
    #[case("/tmp/x", "/w/tmp/x", false)]
    #[case("a?c", "/w/abc", true)]
    #[case("a?c", "/w/ac", false)]
    #[case("[ab].c", "/w/b.c", true)]
    #[case("[!ab].c", "/w/b.c", false)]
    #[case("[0-9]*", "/w/7up", true)]
    #[case("a\\*b", "/w/a*b", true)]
    #[case("a\\*b", "/w/axb", false)]
    #[case("{a,b}", "/w/a", false)]
    #[case("{a,b}", "/w/{a,b}", true)]
    #[case("a*b*c", "/w/aXbYbZc", true)]
    #[case("dist\n!dist/*.map", "/w/dist/a.map", false)]
    #[case("dist\n!dist/*.map", "/w/dist/a.js", true)]
    #[case("dist\n!dist\ndist/keep", "/w/dist/keep", true)]
    #[case("!!a", "/w/a", true)]
    #[case("# a\n\n  a  ", "/w/a", true)]
    fn files_are_meant_or_not(#[case] text: &str, #[case] path: &str, #[case] meant: bool) {
        assert_eq!(Patterns::parse(text, "/w").unwrap().matches(path), meant);
    }

    #[rstest]
    #[case("*.lock", "/w", true)]
    #[case("*.lock", "/w/node_modules", false)]
    #[case("sub/**/x", "/w/sub/deep", true)]
    #[case("sub/", "/w/sub", true)]
    #[case("sub/*/x", "/w/other", false)]
    fn folders_that_cannot_hold_a_match_are_left_alone(
        #[case] text: &str,
        #[case] folder: &str,
        #[case] may: bool,
    ) {
        let patterns = Patterns::parse(text, "/w").unwrap();
        assert_eq!(patterns.may_match_below(folder), may);
    }

    #[rstest]
    #[case("dist", &["/w/dist"])]
    #[case("dist/**/*.js", &["/w/dist"])]
    #[case("dist\ndocs\n!dist/x", &["/w/dist", "/w/docs"])]
    #[case("dist/js\ndist", &["/w/dist"])]
    #[case("dist2\ndist", &["/w/dist2", "/w/dist"])]
    #[case("*\ndist", &["/w"])]
    fn the_search_begins_where_the_wildcards_begin(#[case] text: &str, #[case] paths: &[&str]) {
        assert_eq!(Patterns::parse(text, "/w").unwrap().search_paths(), paths);
    }

    #[rstest]
    #[case("logs-*", "logs-linux", true)]
    #[case("logs-*", "coverage", false)]
    #[case("{logs,cov}-*", "cov-1", true)]
    #[case("{a,b{c,d}}", "bd", true)]
    #[case("{a}", "{a}", true)]
    #[case("!logs-*", "coverage", true)]
    fn artifacts_are_meant_by_name(#[case] pattern: &str, #[case] name: &str, #[case] meant: bool) {
        assert_eq!(name_matches(pattern, name), meant);
    }

    #[test]
    fn a_pattern_that_climbs_is_refused() {
        assert_eq!(
            Patterns::parse("../x", "/w").unwrap_err(),
            "Invalid pattern '../x'. Relative pathing '.' and '..' is not allowed."
        );
    }
}
