//! Patterns of `changes` and `exists` against paths: Ruby's `File.fnmatch?` with
//! `FNM_PATHNAME`, `FNM_DOTMATCH` and `FNM_EXTGLOB`, as GitLab calls it.
//!
//! `**/` at the start of a part stands for any number of folders, `*` and `?` stop
//! at a `/`, `[…]` is a set of characters, `{a,b}` is one of several texts.

/// Texts that the braces of one pattern may stand for.
const MAX_ALTERNATIVES: usize = 1_000;

/// A pattern with its braces written out.
pub(crate) struct Pattern(Vec<Vec<char>>);

impl Pattern {
    /// Reads a pattern; none when its braces stand for too many texts.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut alternatives = Vec::new();
        let text: Vec<char> = text.chars().collect();
        write_out(text, &mut alternatives)?;
        Some(Self(alternatives))
    }

    /// Whether the whole path fits.
    pub(crate) fn matches(&self, path: &[char]) -> bool {
        self.0.iter().any(|pattern| fits(pattern, path))
    }
}

/// Replaces the first braces by each of their texts, then goes on with the rest.
fn write_out(pattern: Vec<char>, found: &mut Vec<Vec<char>>) -> Option<()> {
    if found.len() >= MAX_ALTERNATIVES {
        return None;
    }
    let (open, close) = match braces(&pattern) {
        Braces::Pair(open, close) => (open, close),
        Braces::None => {
            found.push(pattern);
            return Some(());
        }
        // Ruby: fits nothing.
        Braces::Unclosed => return Some(()),
    };
    for text in alternatives(&pattern[open + 1..close]) {
        let mut one = pattern[..open].to_vec();
        one.extend(text);
        one.extend(&pattern[close + 1..]);
        write_out(one, found)?;
    }
    Some(())
}

enum Braces {
    None,
    Unclosed,
    /// Where the first outer pair stands.
    Pair(usize, usize),
}

fn braces(pattern: &[char]) -> Braces {
    let mut depth = 0;
    let mut open = None;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '{' => {
                if depth == 0 {
                    open = Some(at);
                }
                depth += 1;
            }
            '}' if depth > 0 => {
                depth -= 1;
                if let (0, Some(open)) = (depth, open) {
                    return Braces::Pair(open, at);
                }
            }
            '\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    match open {
        Some(_) => Braces::Unclosed,
        None => Braces::None,
    }
}

/// What stands between the commas that are in no further braces.
fn alternatives(inside: &[char]) -> Vec<&[char]> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut at) = (0, 0, 0);
    while at < inside.len() {
        match inside[at] {
            '{' => depth += 1,
            '}' => depth -= 1,
            '\\' => at += 1,
            ',' if depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&inside[start..]);
    parts
}

/// Goes through both, part by part. After a part that does not fit, the last `**/`
/// takes one more folder.
fn fits(pattern: &[char], path: &[char]) -> bool {
    let (mut pattern, mut path) = (pattern, path);
    let mut again: Option<(&[char], &[char])> = None;
    loop {
        if pattern.starts_with(&['*', '*', '/']) {
            while pattern.starts_with(&['*', '*', '/']) {
                pattern = &pattern[3..];
            }
            again = Some((pattern, path));
        }
        if let Some(rest) = part_fits(pattern, path) {
            let beyond = after_part(path);
            match (rest.first(), beyond.first()) {
                (None, None) => return true,
                (Some(_), Some(_)) => {
                    (pattern, path) = (&rest[1..], &beyond[1..]);
                    continue;
                }
                _ => {}
            }
        }
        let Some((from, at)) = again else {
            return false;
        };
        let [_, next @ ..] = after_part(at) else {
            return false;
        };
        again = Some((from, next));
        (pattern, path) = (from, next);
    }
}

/// What follows the first part: the `/`, or nothing.
fn after_part(text: &[char]) -> &[char] {
    let end = text.iter().position(|c| *c == '/').unwrap_or(text.len());
    &text[end..]
}

fn is_end(text: &[char]) -> bool {
    matches!(text.first(), None | Some('/'))
}

/// Without the `\` that makes the next character an ordinary one.
fn unescaped(pattern: &[char]) -> &[char] {
    match pattern {
        ['\\', rest @ ..] if !rest.is_empty() => rest,
        _ => pattern,
    }
}

/// Whether the first part of the path fits the first one of the pattern; gives what
/// of the pattern is left.
fn part_fits<'a>(pattern: &'a [char], path: &[char]) -> Option<&'a [char]> {
    let (mut pattern, mut path) = (pattern, path);
    let mut star: Option<(&[char], &[char])> = None;
    loop {
        let step = match pattern.first() {
            Some('*') => {
                while pattern.first() == Some(&'*') {
                    pattern = &pattern[1..];
                }
                if is_end(unescaped(pattern)) {
                    return Some(unescaped(pattern));
                }
                if is_end(path) {
                    return None;
                }
                star = Some((pattern, path));
                continue;
            }
            Some('?' | '[') if is_end(path) => return None,
            Some('?') => Some(&pattern[1..]),
            Some('[') => set_fits(&pattern[1..], path[0]),
            _ => {
                let literal = unescaped(pattern);
                if is_end(path) {
                    return is_end(literal).then_some(literal);
                }
                (!is_end(literal) && literal[0] == path[0]).then(|| &literal[1..])
            }
        };
        match (step, star) {
            (Some(rest), _) => (pattern, path) = (rest, &path[1..]),
            (None, Some((from, at))) => {
                star = Some((from, &at[1..]));
                (pattern, path) = (from, &at[1..]);
            }
            (None, None) => return None,
        }
    }
}

/// Whether a character is in the set that begins here; gives what follows the set.
fn set_fits(set: &[char], c: char) -> Option<&[char]> {
    let (negated, mut set) = match set {
        ['!' | '^', rest @ ..] => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    loop {
        let first = match set {
            [] => return None,
            [']', rest @ ..] => return (found != negated).then_some(rest),
            _ => unescaped(set),
        };
        let (low, rest) = first.split_first()?;
        match rest {
            ['-', last @ ..] if last.first() != Some(&']') => {
                let (high, rest) = unescaped(last).split_first()?;
                found |= (*low..=*high).contains(&c) || *high == c || *low == c;
                set = rest;
            }
            _ => {
                found |= *low == c;
                set = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        Pattern::new(pattern).unwrap().matches(&path)
    }

    /// Ruby 3.1 says so.
    #[rstest]
    #[case("**/*.rb", "x.rb", true)]
    #[case("**/*.rb", "a/x.rb", true)]
    #[case("**/*.rb", "a/.b/x.rb", true)]
    #[case("*.rb", "a/x.rb", false)]
    #[case("a/**", "a/b", true)]
    #[case("a/**", "a/b/c", false)]
    #[case("a/**/*", "a/c", true)]
    #[case("a/**/*", "a/b/c", true)]
    #[case("a/**/*", "a", false)]
    #[case("**", "a/b", false)]
    #[case("**/**", "a/b", true)]
    #[case("a/*", "a/.h", true)]
    #[case("*.{js,ts}", "a.ts", true)]
    #[case("*.{js,ts}", "a.rs", false)]
    #[case("{a,b{c,d}}/e", "bd/e", true)]
    #[case("{a,b{c,d}}/e", "b/e", false)]
    #[case("{,x/}y", "x/y", true)]
    #[case("{,x/}y", "y", true)]
    #[case("a{b", "a{b", false)]
    #[case("a}b", "a}b", true)]
    #[case("{a,{b}", "a", false)]
    #[case("{a,b}}", "a}", true)]
    #[case("{}", "", true)]
    #[case(r"a\{b,c\}", "a{b,c}", true)]
    #[case("a?c", "abc", true)]
    #[case("a?c", "a/c", false)]
    #[case("a*c", "a/c", false)]
    #[case("./a", "a", false)]
    #[case("a", "a/b", false)]
    #[case("[a-c]x", "bx", true)]
    #[case("[!a-c]x", "bx", false)]
    #[case("[^a-c]x", "dx", true)]
    #[case("[a-]x", "-x", true)]
    #[case(r"[\]]x", "]x", true)]
    #[case("[ab", "a", false)]
    #[case("a[/]b", "a/b", false)]
    #[case(r"\*", "*", true)]
    #[case(r"\*", "a", false)]
    #[case("**/a/**/b", "x/a/y/z/b", true)]
    #[case("**/a/**/b", "x/a/y/z/c", false)]
    #[case("**/a/b", "a/a/b", true)]
    #[case("a**/b", "ax/b", true)]
    #[case("a**/b", "ax/y/b", false)]
    #[case("ä?", "äö", true)]
    #[case("*a*b*c", "xaybzc", true)]
    #[case("*a*b*c", "xaybz", false)]
    #[case("", "", true)]
    #[case("", "a", false)]
    #[case("docs/", "docs/a", false)]
    fn as_ruby_does(#[case] pattern: &str, #[case] path: &str, #[case] expected: bool) {
        assert_eq!(matches(pattern, path), expected, "{pattern} and {path}");
    }

    #[test]
    fn braces_that_multiply_past_all_bounds_are_no_pattern() {
        assert!(Pattern::new(&"{a,b}".repeat(30)).is_none());
        assert!(Pattern::new(&"{a,b}".repeat(9)).is_some());
    }
}
