//! The conditions of `rules:if` and `only:variables`.
//!
//! `$CI_COMMIT_BRANCH == "main" && $DEPLOY =~ /^(yes|on)$/i`
//!
//! Follows GitLab's evaluator (`lib/gitlab/ci/pipeline/expression`), also where
//! it surprises: values are never expanded, and inside `&&` and `||` an empty
//! text counts as true, while the result as a whole counts as false when blank.

mod evaluate;
mod lexer;
mod parser;
mod pattern;

use regex::Regex;

pub(crate) use pattern::{compile, delimited};

/// Why a text is not a condition. GitLab reports every one of these as
/// `invalid expression syntax`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExpressionError {
    /// Something that begins no token: a number, `!x`, `${X}`, a bare word.
    #[error("unknown lexeme found at character {0}")]
    UnknownLexeme(usize),
    /// A hundred tokens or more.
    #[error("too many tokens")]
    TooManyTokens,
    /// A regular expression that RE2 would refuse, or that is too large.
    #[error("invalid regular expression")]
    InvalidRegex,
    /// A `)` without its `(`, or the other way round.
    #[error("unmatched parenthesis")]
    UnmatchedParenthesis,
    /// An operator without a value on one of its sides.
    #[error("an operator lacks an operand")]
    MissingOperand,
    /// Values without an operator between them.
    #[error("values without an operator between them")]
    MissingOperator,
    /// No value at all.
    #[error("empty expression")]
    Empty,
}

/// A condition, checked and with its regular expressions compiled.
#[derive(Clone, Debug)]
pub struct Expression {
    root: Term,
}

impl Expression {
    /// Whether the condition holds. `variables` gives a variable's raw value,
    /// none when it is not defined.
    pub fn is_true(&self, variables: &dyn Fn(&str) -> Option<String>) -> bool {
        evaluate::evaluate(&self.root, variables).is_present()
    }

    /// What the condition is worth before it is judged.
    pub fn outcome(&self, variables: &dyn Fn(&str) -> Option<String>) -> Outcome {
        match evaluate::evaluate(&self.root, variables) {
            evaluate::Value::Null => Outcome::Null,
            evaluate::Value::Bool(value) => Outcome::Bool(value),
            evaluate::Value::Text(text) => Outcome::Text(text.into_owned()),
            evaluate::Value::Regex(regex) => Outcome::Text(regex.as_str().to_owned()),
        }
    }
}

/// What a condition is worth. A rule applies unless this is null, false or a
/// blank text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// `null`, or a variable that is not defined.
    Null,
    /// A comparison or match.
    Bool(bool),
    /// A text, a variable's value, or the source of a regular expression.
    Text(String),
}

/// Reads a condition.
///
/// # Errors
///
/// See [`ExpressionError`]; `$[[ inputs.x ]]` must have been replaced before.
pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
    let root = parser::parse(lexer::tokens(text)?)?;
    Ok(Expression { root })
}

/// A value or an operator with its operands.
#[derive(Clone, Debug)]
enum Term {
    Variable(String),
    Text(String),
    Regex(Box<Regex>),
    Bool(bool),
    Null,
    Operation(Operator, Box<(Term, Term)>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operator {
    Equals,
    NotEquals,
    Matches,
    NotMatches,
    And,
    Or,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::parse;

    fn variable(name: &str) -> Option<String> {
        let value = match name {
            "E" => "",
            "P" => "x",
            "S" => "  ",
            "T" => "abcde",
            "PAT" => "/^ab.*/",
            "PATI" => "/^AB/i",
            "ONECHAR" => "/b/",
            "BROKEN" => "/ab(/",
            "N" => "null",
            "TR" => "true",
            "F" => "feature/x",
            "ONE" => "1",
            "Q" => "$P",
            "LINES" => "one\ntwo",
            _ => return None,
        };
        Some(value.to_owned())
    }

    /// GitLab's outcome: `incl`, `never` or `error`.
    fn outcome(text: &str) -> &'static str {
        match parse(text) {
            Ok(expression) if expression.is_true(&variable) => "incl",
            Ok(_) => "never",
            Err(_) => "error",
        }
    }

    #[rstest]
    #[case("$E && $P", "incl")]
    #[case("$E || $P", "never")]
    #[case("$S", "never")]
    #[case("$T =~ /a/", "error")]
    #[case("$T =~ $UNDEF", "never")]
    #[case("$T !~ $UNDEF", "incl")]
    #[case("$UNDEF =~ /^$/", "incl")]
    #[case("$T =~ \"zabcdez\"", "incl")]
    #[case("\"23\" =~ \"1234\"", "incl")]
    #[case("$TR == true", "incl")]
    #[case("$ONE == true", "never")]
    #[case("!$P", "error")]
    #[case("$ONE == 1", "error")]
    #[case("$ONE == \"1\" == \"true\"", "incl")]
    #[case("$P == \"a\\\"b\"", "error")]
    #[case("\"$P\" == \"x\"", "never")]
    fn where_other_evaluators_differ_from_gitlab(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(outcome(text), expected);
    }

    #[rstest]
    #[case("$P || $E", "incl")]
    #[case("$E == \"\"", "incl")]
    #[case("$UNDEF == \"\"", "never")]
    #[case("$UNDEF", "never")]
    #[case("$UNDEF == null", "incl")]
    #[case("$N == null", "never")]
    #[case("$T =~ /ab/", "incl")]
    #[case("$T =~ $PAT", "incl")]
    #[case("$T =~ $PATI", "incl")]
    #[case("$UNDEF =~ /x./", "never")]
    #[case("$UNDEF !~ /x./", "incl")]
    #[case("\"23\" =~ /1234/", "never")]
    #[case("$F =~ /^feature\\/.*/", "incl")]
    #[case("$F =~ /^FEATURE\\/x$/i", "incl")]
    #[case("$TR == \"true\"", "incl")]
    #[case("true", "incl")]
    #[case("false", "never")]
    #[case("${P} == \"x\"", "error")]
    #[case("$P == 'x'", "incl")]
    #[case("$P == x", "error")]
    #[case("$P = \"x\"", "error")]
    #[case("$P == \"x\" && ($UNDEF || $T =~ /^ab/)", "incl")]
    #[case("$P == \"x\" || $UNDEF && $UNDEF", "incl")]
    #[case("$P == \"it's\"", "never")]
    #[case("$Q == \"x\"", "never")]
    #[case("$T =~ /ab(/", "error")]
    #[case("$T =~ /ab(?=c)/", "error")]
    #[case("$T =~ /AB.*/is", "incl")]
    #[case("nullish", "error")]
    #[case("$P == \"x\" &&", "error")]
    #[case("== \"x\"", "error")]
    #[case("($P", "error")]
    #[case("$P)", "error")]
    #[case("$T =~ /^ab/ && $T !~ /zz/", "incl")]
    #[case("$P \"x\"", "error")]
    #[case("'a' == \"a\"", "incl")]
    #[case("$P == \"x\" # comment", "error")]
    fn where_all_evaluators_agree(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(outcome(text), expected);
    }

    #[rstest]
    #[case("$Q == '$P'", "incl")]
    #[case("$UNDEF && $P", "never")]
    #[case("$UNDEF || $P", "incl")]
    #[case("$P && $UNDEF", "never")]
    #[case("$P && $E", "never")]
    #[case("$E && $UNDEF || $P", "incl")]
    #[case("null == null", "incl")]
    #[case("null", "never")]
    #[case("''", "never")]
    #[case("true == 'true'", "incl")]
    #[case("'false' == false", "incl")]
    #[case("$UNDEF == false", "never")]
    #[case("$P != 'x'", "never")]
    #[case("$UNDEF != null", "never")]
    #[case("$UNDEF != 'x'", "incl")]
    #[case("$P == 'x' == $P", "never")]
    #[case("$T != 'a' && $T != 'b'", "incl")]
    fn equality_and_truth(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(outcome(text), expected);
    }

    #[rstest]
    #[case("$T =~ $ONECHAR", "incl")]
    #[case("$T =~ $BROKEN", "never")]
    #[case("'b(' =~ $BROKEN", "incl")]
    #[case("$UNDEF =~ 'abc'", "incl")]
    #[case("$T !~ 'zabcdez'", "never")]
    #[case("$T =~ null", "never")]
    #[case("$T !~ null", "incl")]
    #[case("true =~ /tru/", "incl")]
    #[case("$LINES =~ /^two$/", "never")]
    #[case("$LINES =~ /^two$/m", "incl")]
    #[case("$LINES =~ /one.two/", "never")]
    #[case("$LINES =~ /one.two/s", "incl")]
    #[case("$T =~ /a.*/ii", "incl")]
    #[case("$T =~ /ab/x", "error")]
    #[case("$F =~ /re\\/x/", "incl")]
    #[case("$F =~ /x\\//", "never")]
    #[case("/ab/", "incl")]
    fn matching(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(outcome(text), expected);
    }

    #[rstest]
    #[case("($P)", "incl")]
    #[case("(($P == 'x'))", "incl")]
    #[case("($UNDEF || $P) && ($UNDEF || $UNDEF)", "never")]
    #[case("$P\n  && $T", "incl")]
    #[case("$P=='x'&&$T!='x'", "incl")]
    #[case("", "error")]
    #[case("   ", "error")]
    #[case("()", "error")]
    #[case("$P ==", "error")]
    #[case("(", "error")]
    #[case(")", "error")]
    #[case("$P == == 'x'", "error")]
    #[case("trueish", "error")]
    #[case("$", "error")]
    #[case("$[[ inputs.x ]] == 'x'", "error")]
    #[case("'open", "error")]
    #[case("\"a\nb\" == 'x'", "error")]
    #[case("/open", "error")]
    #[case("$P & $T", "error")]
    #[case("ü", "error")]
    fn structure(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(outcome(text), expected);
    }

    #[test]
    fn a_value_may_stand_on_either_side_of_its_operator_as_in_gitlabs_parser() {
        assert_eq!(outcome("$P 'x' =="), "incl");
    }

    #[test]
    fn ninety_nine_tokens_are_the_most() {
        let ands = |count: usize| vec!["$P"; count].join(" && ");
        assert_eq!(outcome(&ands(50)), "incl");
        assert_eq!(outcome(&format!("({})", ands(49))), "incl");
        assert_eq!(outcome(&format!("{} ||", ands(50))), "error");
        assert_eq!(
            parse(&ands(51)).err(),
            Some(super::ExpressionError::TooManyTokens)
        );
        assert_eq!(outcome(&"(".repeat(100_000)), "error");
    }

    #[test]
    fn a_regex_that_would_eat_memory_is_refused() {
        assert_eq!(outcome("$T =~ /((\\pL{500}){500}){500}/"), "error");
    }
}
