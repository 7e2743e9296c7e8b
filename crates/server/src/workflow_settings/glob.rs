//! Patterns of branches and workflow files: `*` is any text without a slash, `**`
//! any text, `?` one letter that is no slash; everything else is itself.

/// How exactly a pattern says what it means, the widest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Narrowness {
    /// With so many letters that are fixed.
    Pattern(usize),
    /// Only itself.
    Literal,
}

/// Of a pattern.
pub(super) fn narrowness(pattern: &str) -> Narrowness {
    let is_wild = |letter: &char| matches!(letter, '*' | '?');
    if pattern.chars().any(|letter| is_wild(&letter)) {
        Narrowness::Pattern(pattern.chars().filter(|letter| !is_wild(letter)).count())
    } else {
        Narrowness::Literal
    }
}

/// Whether a text is of a pattern. Takes time in proportion to both lengths.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern = tokens(pattern);
    let text: Vec<char> = text.chars().collect();
    // For each place of the text, whether the tokens so far lead there.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for token in pattern {
        let mut next = vec![false; text.len() + 1];
        next[0] = reached[0] && matches!(token, Token::Any | Token::AnyInSegment);
        for (at, letter) in (1..).zip(&text) {
            next[at] = match token {
                Token::Any => reached[at] || next[at - 1],
                Token::AnyInSegment => reached[at] || (next[at - 1] && *letter != '/'),
                Token::OneInSegment => reached[at - 1] && *letter != '/',
                Token::Letter(own) => reached[at - 1] && *letter == own,
            };
        }
        reached = next;
    }
    reached[text.len()]
}

#[derive(Clone, Copy)]
enum Token {
    Any,
    AnyInSegment,
    OneInSegment,
    Letter(char),
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        tokens.push(match letter {
            '*' if letters.peek() == Some(&'*') => {
                while letters.next_if_eq(&'*').is_some() {}
                Token::Any
            }
            '*' => Token::AnyInSegment,
            '?' => Token::OneInSegment,
            other => Token::Letter(other),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("main", "main", true)]
    #[case("main", "Main", false)]
    #[case("main", "main2", false)]
    #[case("release/*", "release/v2", true)]
    #[case("release/*", "release/", true)]
    #[case("release/*", "release/v2/fix", false)]
    #[case("release/**", "release/v2/fix", true)]
    #[case("**", "a/b/c", true)]
    #[case("*", "a/b", false)]
    #[case("*", "", true)]
    #[case("deploy-*.yaml", "deploy-web.yaml", true)]
    #[case("deploy-*.yaml", "deploy-web.yml", false)]
    #[case("v?", "v2", true)]
    #[case("v?", "v", false)]
    #[case("v?x", "v/x", false)]
    #[case("**/x", "a/b/x", true)]
    #[case("a*b*c", "aXbYc", true)]
    #[case("[ab]", "a", false)]
    #[case("ä*", "äé", true)]
    fn a_star_stops_at_a_slash(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(matches(pattern, text), expected);
    }

    #[test]
    fn more_fixed_letters_are_narrower() {
        let wide_to_narrow = ["**", "release/*", "release/v*", "release/v2"];
        let ranks = wide_to_narrow.map(narrowness);
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = "*a".repeat(100) + "b";
        assert!(!matches(&pattern, &"a".repeat(255)));
    }
}
