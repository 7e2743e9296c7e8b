//! RE2's regular expressions on Rust's engine.
//!
//! Both are linear in time and nearly one language; this translates the rest,
//! so that a pattern means here what it means to GitLab.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// Bytes a compiled expression may take.
const SIZE_LIMIT: usize = 1 << 20;

/// RE2 refuses larger counts in `{n,m}`.
const MAX_REPEAT: u32 = 1000;

/// Splits `/body/flags`. None if the text is not written so.
pub(crate) fn delimited(text: &str) -> Option<(&str, &str)> {
    let (body, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    let is_pattern = flags.chars().all(|flag| "ismU".contains(flag)) && !body.contains('\n');
    is_pattern.then_some((body, flags))
}

/// Compiles RE2's syntax with flags of `ismU`. None for what RE2 refuses and
/// for what would take too much memory.
pub(crate) fn compile(body: &str, flags: &str) -> Option<Regex> {
    let mut pattern = String::with_capacity(body.len() + 8);
    for flag in ['i', 's', 'm', 'U'] {
        if flags.contains(flag) {
            pattern.push_str(&format!("(?{flag})"));
        }
    }
    Translation {
        rest: body.chars().peekable(),
        pattern: &mut pattern,
    }
    .run()?;
    RegexBuilder::new(&pattern)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .ok()
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    pattern: &'a mut String,
}

impl Translation<'_> {
    fn run(&mut self) -> Option<()> {
        // RE2 does not stack quantifiers: `a**` is an error.
        let mut after_quantifier = false;
        while let Some(c) = self.rest.next() {
            let is_quantifier = match c {
                '*' | '+' | '?' => {
                    self.pattern.push(c);
                    true
                }
                '{' => self.braces()?,
                '\\' => {
                    self.escape(Place::Outside)?;
                    false
                }
                '[' => {
                    self.class()?;
                    false
                }
                '(' => {
                    self.pattern.push(c);
                    self.group_flags()?;
                    false
                }
                _ => {
                    self.pattern.push(c);
                    false
                }
            };
            if is_quantifier {
                if after_quantifier {
                    return None;
                }
                if self.rest.next_if_eq(&'?').is_some() {
                    self.pattern.push('?');
                }
            }
            after_quantifier = is_quantifier;
        }
        Some(())
    }

    /// `{2}`, `{2,}`, `{2,3}`; anything else is a brace to be matched.
    fn braces(&mut self) -> Option<bool> {
        let inside: String = self.rest.clone().take_while(|&c| c != '}').collect();
        let (low, high) = inside.split_once(',').unwrap_or((&inside, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_closed = self.rest.clone().nth(inside.chars().count()) == Some('}');
        if low.is_empty() || !are_digits(low) || !are_digits(high) || !is_closed {
            self.pattern.push_str("\\{");
            return Some(false);
        }
        for bound in [low, high].into_iter().filter(|bound| !bound.is_empty()) {
            if bound.parse::<u32>().ok()? > MAX_REPEAT {
                return None;
            }
        }
        self.pattern.push('{');
        self.pattern.push_str(&inside);
        self.pattern.push('}');
        self.rest.nth(inside.len());
        Some(true)
    }

    /// Flags that only the other engine knows are refused.
    fn group_flags(&mut self) -> Option<()> {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('?') {
            return Some(());
        }
        let known = ahead
            .take_while(|c| c.is_ascii_alphabetic())
            .all(|flag| "imsUP".contains(flag));
        if !known {
            return None;
        }
        self.rest.next();
        self.pattern.push('?');
        Some(())
    }

    /// `[…]`: `[`, `&`, `~` and `--` mean themselves in RE2.
    fn class(&mut self) -> Option<()> {
        self.pattern.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.pattern.push('^');
        }
        if self.rest.next_if_eq(&']').is_some() {
            self.pattern.push_str("\\]");
        }
        loop {
            match self.rest.next()? {
                ']' => {
                    self.pattern.push(']');
                    return Some(());
                }
                '[' if self.rest.peek() == Some(&':') => {
                    self.pattern.push('[');
                    loop {
                        let c = self.rest.next()?;
                        self.pattern.push(c);
                        if c == ']' {
                            break;
                        }
                    }
                }
                '\\' => self.escape(Place::InClass)?,
                '-' if self.rest.next_if_eq(&'-').is_some() => self.pattern.push_str("-\\-"),
                c @ ('[' | '&' | '~') => {
                    self.pattern.push('\\');
                    self.pattern.push(c);
                }
                c => self.pattern.push(c),
            }
        }
    }

    /// What follows a backslash. RE2's `\d`, `\s`, `\w` and `\b` know ASCII only.
    fn escape(&mut self, place: Place) -> Option<()> {
        let c = self.rest.next()?;
        match (c, place) {
            ('Q', Place::Outside) => self.quoted(),
            ('d', _) => self.pattern.push_str("[0-9]"),
            ('D', _) => self.pattern.push_str("[^0-9]"),
            ('s', _) => self.pattern.push_str("[\\t\\n\\f\\r ]"),
            ('S', _) => self.pattern.push_str("[^\\t\\n\\f\\r ]"),
            ('w', _) => self.pattern.push_str("[0-9A-Za-z_]"),
            ('W', _) => self.pattern.push_str("[^0-9A-Za-z_]"),
            ('b', Place::Outside) => self.pattern.push_str("(?-u:\\b)"),
            ('<' | '>', _) => self.pattern.push(c),
            ('0'..='7', _) => self.octal(c)?,
            ('u' | 'U', _) => return None,
            _ => {
                self.pattern.push('\\');
                self.pattern.push(c);
            }
        }
        Some(())
    }

    /// Everything up to `\E` as it stands.
    fn quoted(&mut self) {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                break;
            }
            text.push(c);
        }
        self.pattern.push_str(&regex::escape(&text));
    }

    /// `\0`, `\07`, `\101`. `\1` alone would be a back-reference, which RE2 lacks.
    fn octal(&mut self, first: char) -> Option<()> {
        let mut digits = String::from(first);
        while digits.len() < 3 {
            let Some(digit) = self.rest.next_if(|c| matches!(c, '0'..='7')) else {
                break;
            };
            digits.push(digit);
        }
        if first != '0' && digits.len() == 1 {
            return None;
        }
        let code = u32::from_str_radix(&digits, 8).ok()?;
        self.pattern.push_str(&format!("\\x{{{code:x}}}"));
        Some(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    InClass,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{compile, delimited};

    #[rstest]
    #[case("^\\w+$", "abc_1", true)]
    #[case("^\\w+$", "é", false)]
    #[case("^\\d$", "٣", false)]
    #[case("^[\\w-]+$", "a-b", true)]
    #[case("^[\\w-]+$", "a.b", false)]
    #[case("^[^\\d]$", "5", false)]
    #[case("\\bmain\\b", "the main line", true)]
    #[case("a\\sb", "a\u{b}b", false)]
    #[case("^\\Qa.b\\E$", "a.b", true)]
    #[case("^\\Qa.b\\E$", "axb", false)]
    #[case("^\\Qa.b", "a.b", true)]
    #[case("^a{2}$", "aa", true)]
    #[case("^a{,2}$", "a{,2}", true)]
    #[case("^\\${X}$", "${X}", true)]
    #[case("^{$", "{", true)]
    #[case("^[a&&b]+$", "a&b", true)]
    #[case("^[[]$", "[", true)]
    #[case("^[]]$", "]", true)]
    #[case("^[+--]$", ",", true)]
    #[case("^[[:alpha:]]$", "x", true)]
    #[case("^\\<a\\>$", "<a>", true)]
    #[case("^\\101\\0$", "A\0", true)]
    #[case("^\\x41$", "A", true)]
    #[case("(?i)ABC", "abc", true)]
    #[case("(?P<name>a)(?:b)(?i:C)", "abc", true)]
    #[case("a+?b", "aab", true)]
    #[case("", "", true)]
    fn means_what_it_means_to_re2(#[case] body: &str, #[case] text: &str, #[case] matches: bool) {
        let regex = compile(body, "").unwrap();
        assert_eq!(regex.is_match(text), matches, "{regex}");
    }

    #[rstest]
    #[case("a**")]
    #[case("a{2}*")]
    #[case("*a")]
    #[case("a{1001}")]
    #[case("(a")]
    #[case("a)")]
    #[case("[a")]
    #[case("(?=a)")]
    #[case("(?<!a)b")]
    #[case("(a)\\1")]
    #[case("(?x)a")]
    #[case("\\u0041")]
    #[case("\\h")]
    #[case("a\\")]
    fn what_re2_refuses_is_refused(#[case] body: &str) {
        assert!(compile(body, "").is_none());
    }

    #[rstest]
    #[case("/a/", Some(("a", "")))]
    #[case("//", Some(("", "")))]
    #[case("/a/b/is", Some(("a/b", "is")))]
    #[case("/a/x", None)]
    #[case("/", None)]
    #[case("a/", None)]
    #[case("/a\nb/", None)]
    fn a_pattern_stands_between_slashes(#[case] text: &str, #[case] parts: Option<(&str, &str)>) {
        assert_eq!(delimited(text), parts);
    }

    #[rstest]
    #[case("i", "A", true)]
    #[case("", "A", false)]
    #[case("iii", "A", true)]
    #[case("U", "a", true)]
    fn flags_may_repeat(#[case] flags: &str, #[case] text: &str, #[case] matches: bool) {
        assert_eq!(compile("^a$", flags).unwrap().is_match(text), matches);
    }
}
