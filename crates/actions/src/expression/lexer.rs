//! Text → tokens. Each token is checked against the one before it, so that
//! what the parser gets is well formed up to the end of the text.
//!
//! GitHub runner: `LexicalAnalyzer.cs`.

use super::node::Comparison;
use crate::value::parse_number;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum TokenKind {
    /// `(` that groups.
    StartGroup,
    /// `(` of a call.
    StartParameters,
    StartIndex,
    EndGroup,
    EndParameters,
    EndIndex,
    Separator,
    Dereference,
    Wildcard,
    Not,
    And,
    Or,
    Comparison(Comparison),
    Null,
    Boolean(bool),
    Number(f64),
    String,
    PropertyName,
    NamedValue,
    Function,
    /// Not a token, or not one that may stand here.
    Unexpected,
}

impl TokenKind {
    /// Whether a value ends with this token, so that an operator may follow.
    fn ends_value(self) -> bool {
        self.ends_container()
            || matches!(
                self,
                Self::Null | Self::Boolean(_) | Self::Number(_) | Self::String
            )
    }

    /// Whether `.` or `[` may follow: literals have no properties.
    fn ends_container(self) -> bool {
        matches!(
            self,
            Self::EndGroup
                | Self::EndParameters
                | Self::EndIndex
                | Self::Wildcard
                | Self::PropertyName
                | Self::NamedValue
        )
    }

    /// Whether a value may follow.
    fn precedes_value(self) -> bool {
        matches!(
            self,
            Self::Separator
                | Self::StartGroup
                | Self::StartParameters
                | Self::StartIndex
                | Self::Not
                | Self::And
                | Self::Or
                | Self::Comparison(_)
        )
    }

    /// Whether an expression may not end with this token.
    pub(super) fn wants_more(self) -> bool {
        self.precedes_value() || matches!(self, Self::Dereference | Self::Function)
    }
}

/// A token and its bytes in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    last: Option<TokenKind>,
    /// Brackets still open.
    unclosed: Vec<TokenKind>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            last: None,
            unclosed: Vec::new(),
        }
    }

    pub(super) fn has_unclosed(&self) -> bool {
        !self.unclosed.is_empty()
    }

    /// The next token, none at the end of the text.
    pub(super) fn next(&mut self) -> Option<Token> {
        self.at = skip_blanks(self.text, self.at);
        let start = self.at;
        let letter = self.text[start..].chars().next()?;
        self.at += letter.len_utf8();
        let kind = self.read(letter, start);
        let kind = if self.may_follow(kind) {
            self.track_brackets(kind)
        } else {
            TokenKind::Unexpected
        };
        self.last = Some(kind);
        Some(Token {
            kind,
            start,
            end: self.at,
        })
    }

    /// Reads the token that starts with this letter, which was taken.
    fn read(&mut self, letter: char, start: usize) -> TokenKind {
        match letter {
            '(' if self.last == Some(TokenKind::Function) => TokenKind::StartParameters,
            '(' => TokenKind::StartGroup,
            ')' if self.unclosed.last() == Some(&TokenKind::StartParameters) => {
                TokenKind::EndParameters
            }
            ')' => TokenKind::EndGroup,
            '[' => TokenKind::StartIndex,
            ']' => TokenKind::EndIndex,
            ',' => TokenKind::Separator,
            '*' => TokenKind::Wildcard,
            '\'' => self.string(),
            '!' | '>' | '<' | '=' | '&' | '|' => self.operator(letter),
            '.' if !self.value_may_follow() => TokenKind::Dereference,
            '.' | '-' | '+' | '0'..='9' => self.number(start),
            _ => self.keyword(start),
        }
    }

    fn value_may_follow(&self) -> bool {
        self.last.is_none_or(TokenKind::precedes_value)
    }

    fn may_follow(&self, kind: TokenKind) -> bool {
        let after = |allowed: fn(TokenKind) -> bool| self.last.is_some_and(allowed);
        match kind {
            TokenKind::Unexpected => false,
            TokenKind::StartGroup
            | TokenKind::Not
            | TokenKind::Null
            | TokenKind::Boolean(_)
            | TokenKind::Number(_)
            | TokenKind::String
            | TokenKind::Function
            | TokenKind::NamedValue => self.value_may_follow(),
            TokenKind::StartIndex | TokenKind::Dereference => after(TokenKind::ends_container),
            TokenKind::EndParameters => {
                after(|last| last.ends_value() || last == TokenKind::StartParameters)
            }
            TokenKind::EndGroup
            | TokenKind::EndIndex
            | TokenKind::Separator
            | TokenKind::And
            | TokenKind::Or
            | TokenKind::Comparison(_) => after(TokenKind::ends_value),
            TokenKind::Wildcard => {
                after(|last| matches!(last, TokenKind::StartIndex | TokenKind::Dereference))
            }
            TokenKind::PropertyName => after(|last| last == TokenKind::Dereference),
            TokenKind::StartParameters => after(|last| last == TokenKind::Function),
        }
    }

    /// Opens and closes brackets; one that closes another kind, and a comma
    /// outside a call, are unexpected.
    fn track_brackets(&mut self, kind: TokenKind) -> TokenKind {
        let opener = match kind {
            TokenKind::StartGroup | TokenKind::StartIndex | TokenKind::StartParameters => {
                self.unclosed.push(kind);
                return kind;
            }
            TokenKind::EndGroup => TokenKind::StartGroup,
            TokenKind::EndIndex => TokenKind::StartIndex,
            TokenKind::EndParameters | TokenKind::Separator => TokenKind::StartParameters,
            _ => return kind,
        };
        if self.unclosed.last() != Some(&opener) {
            return TokenKind::Unexpected;
        }
        if kind != TokenKind::Separator {
            self.unclosed.pop();
        }
        kind
    }

    fn skip_to_boundary(&mut self, and_dots: bool) {
        let rest = &self.text[self.at..];
        let end = rest.find(|letter| is_boundary(letter) && !(and_dots && letter == '.'));
        self.at += end.unwrap_or(rest.len());
    }

    fn number(&mut self, start: usize) -> TokenKind {
        self.skip_to_boundary(true);
        let number = parse_number(&self.text[start..self.at]);
        if number.is_nan() {
            return TokenKind::Unexpected;
        }
        TokenKind::Number(number)
    }

    /// A string; `''` in it is one quote.
    fn string(&mut self) -> TokenKind {
        loop {
            let Some(quote) = self.text[self.at..].find('\'') else {
                self.at = self.text.len();
                return TokenKind::Unexpected;
            };
            self.at += quote + 1;
            if !self.text[self.at..].starts_with('\'') {
                return TokenKind::String;
            }
            self.at += 1;
        }
    }

    fn operator(&mut self, letter: char) -> TokenKind {
        let second = self.text.as_bytes().get(self.at).copied();
        let double = match (letter, second) {
            ('!', Some(b'=')) => Some(TokenKind::Comparison(Comparison::NotEqual)),
            ('>', Some(b'=')) => Some(TokenKind::Comparison(Comparison::GreaterOrEqual)),
            ('<', Some(b'=')) => Some(TokenKind::Comparison(Comparison::LessOrEqual)),
            ('=', Some(b'=')) => Some(TokenKind::Comparison(Comparison::Equal)),
            ('&', Some(b'&')) => Some(TokenKind::And),
            ('|', Some(b'|')) => Some(TokenKind::Or),
            _ => None,
        };
        if let Some(kind) = double {
            self.at += 1;
            return kind;
        }
        match letter {
            '!' => TokenKind::Not,
            '>' => TokenKind::Comparison(Comparison::Greater),
            '<' => TokenKind::Comparison(Comparison::Less),
            _ => {
                self.skip_to_boundary(false);
                TokenKind::Unexpected
            }
        }
    }

    fn keyword(&mut self, start: usize) -> TokenKind {
        self.skip_to_boundary(false);
        let word = &self.text[start..self.at];
        if !is_name(word) {
            return TokenKind::Unexpected;
        }
        if self.last == Some(TokenKind::Dereference) {
            return TokenKind::PropertyName;
        }
        match word {
            "null" => TokenKind::Null,
            "true" => TokenKind::Boolean(true),
            "false" => TokenKind::Boolean(false),
            "NaN" => TokenKind::Number(f64::NAN),
            "Infinity" => TokenKind::Number(f64::INFINITY),
            _ => {
                let next = skip_blanks(self.text, self.at);
                if self.text[next..].starts_with('(') {
                    TokenKind::Function
                } else {
                    TokenKind::NamedValue
                }
            }
        }
    }
}

fn skip_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

fn is_boundary(letter: char) -> bool {
    matches!(
        letter,
        '(' | '[' | ')' | ']' | ',' | '.' | '!' | '>' | '<' | '=' | '&' | '|'
    ) || letter.is_whitespace()
}

fn is_name(word: &str) -> bool {
    let [first, rest @ ..] = word.as_bytes() else {
        return false;
    };
    (first.is_ascii_alphabetic() || *first == b'_')
        && rest
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
