//! References to variables inside texts and inside other variables.
//!
//! Two of GitLab's engines: [`expand`], [`expand_existing`] and [`expand_nested`]
//! for one text (`lib/expand_variables.rb`), [`expand_collection`] for all variables of a
//! job together (`lib/gitlab/ci/variables/collection.rb`).

mod nested;
mod order;

use std::collections::HashMap;

use tappet_model::{Variable, VariableKind};

pub use nested::expand_nested;

/// Bytes that all expanded values of one collection may have together.
const MAX_EXPANDED_BYTES: usize = 8 * 1024 * 1024;

/// Why variables cannot be expanded in each other.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExpansionError {
    /// Variables that refer to each other in circles; GitLab's words.
    #[error("circular variable reference detected: {}", circles(.names))]
    CircularReference {
        /// The names of each circle.
        names: Vec<Vec<String>>,
    },
    /// Values that multiply each other past all bounds.
    #[error("variable `{key}` grows too big when it is expanded: refer to fewer variables in it")]
    TooBig {
        /// The variable at which the bound was crossed.
        key: String,
    },
}

fn circles(names: &[Vec<String>]) -> String {
    let circles: Vec<String> = names.iter().map(|names| format!("{names:?}")).collect();
    circles.join(", ")
}

/// Replaces `$NAME`, `${NAME}` and `%NAME%`; a name that `lookup` does not know
/// disappears. There is no escape: `$$NAME` is a `$` and the value.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    replace(text, |_, name| lookup(name).unwrap_or_default())
}

/// Like [`expand`], but an unknown name stays as it is written.
pub fn expand_existing(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    replace(text, |written, name| {
        lookup(name).unwrap_or_else(|| written.to_owned())
    })
}

fn replace(text: &str, value: impl Fn(&str, &str) -> String) -> String {
    let mut expanded = String::with_capacity(text.len());
    for piece in Pieces::new(text, Escapes::No) {
        match piece {
            Piece::Text(text) => expanded.push_str(text),
            Piece::Reference { written, name } => expanded.push_str(&value(written, name)),
        }
    }
    expanded
}

/// Expands the variables of a job in each other, for its runner.
///
/// The result is in the order in which values depend on each other, otherwise
/// as given. Of several variables with one key, all stay and references see the
/// last one before them, so a later one may extend an earlier one. Left as
/// written, for the runner to expand, are `$$` and `%%`, unknown names, a
/// variable's reference to itself, and references to raw and file variables.
/// The value of a raw variable is never expanded.
///
/// # Errors
///
/// See [`ExpansionError`].
pub fn expand_collection(variables: Vec<Variable>) -> Result<Vec<Variable>, ExpansionError> {
    if !variables.iter().any(may_refer) {
        return Ok(variables);
    }
    let order = order::by_dependency(&variables).map_err(|circles| {
        let names = |circle: Vec<usize>| {
            let keys = circle.into_iter().map(|at| variables[at].key.clone());
            keys.collect()
        };
        ExpansionError::CircularReference {
            names: circles.into_iter().map(names).collect(),
        }
    })?;

    let mut expanded: Vec<Option<String>> = vec![None; variables.len()];
    let mut latest: HashMap<&str, usize> = HashMap::with_capacity(variables.len());
    let mut bytes = 0;
    for &at in &order {
        let variable = &variables[at];
        if may_refer(variable) {
            let mut value = String::new();
            for piece in Pieces::new(&variable.value, Escapes::Doubled) {
                value.push_str(match piece {
                    Piece::Text(text) => text,
                    Piece::Reference { written, name } => match latest.get(name) {
                        Some(&other) if is_inlined(&variables[other]) => {
                            expanded[other].as_ref().unwrap_or(&variables[other].value)
                        }
                        _ => written,
                    },
                });
                if bytes + value.len() > MAX_EXPANDED_BYTES {
                    let key = variable.key.clone();
                    return Err(ExpansionError::TooBig { key });
                }
            }
            bytes += value.len();
            expanded[at] = Some(value);
        }
        latest.insert(&variable.key, at);
    }
    drop(latest);

    let mut variables: Vec<Option<Variable>> = variables.into_iter().map(Some).collect();
    let ordered = order.into_iter().filter_map(|at| {
        let variable = variables[at].take()?;
        let value = expanded[at].take();
        Some(match value {
            Some(value) => Variable { value, ..variable },
            None => variable,
        })
    });
    Ok(ordered.collect())
}

/// Whether the value has to be looked through at all.
fn may_refer(variable: &Variable) -> bool {
    !variable.raw && variable.value.contains(['$', '%'])
}

/// Whether references to the variable take its value now. A raw value would be
/// expanded once more by the runner, and a file's must become a path there.
fn is_inlined(variable: &Variable) -> bool {
    !variable.raw && variable.kind == VariableKind::EnvVar
}

/// Whether `$$` and `%%` stand for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    No,
    Doubled,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Reference { written: &'a str, name: &'a str },
}

/// A text cut into references and what is between them.
struct Pieces<'a> {
    rest: &'a str,
    escapes: Escapes,
}

impl<'a> Pieces<'a> {
    fn new(rest: &'a str, escapes: Escapes) -> Self {
        Self { rest, escapes }
    }

    fn cut(&mut self, length: usize) -> &'a str {
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        piece
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let bytes = self.rest.as_bytes();
        let mut at = 0;
        while let Some(found) = self.rest[at..].find(['$', '%']) {
            at += found;
            if self.escapes == Escapes::Doubled && bytes.get(at + 1) == Some(&bytes[at]) {
                at += 2;
                continue;
            }
            let Some((length, name)) = reference(&self.rest[at..]) else {
                at += 1;
                continue;
            };
            if at > 0 {
                return Some(Piece::Text(self.cut(at)));
            }
            let written = self.cut(length);
            return Some(Piece::Reference { written, name });
        }
        let length = self.rest.len();
        Some(Piece::Text(self.cut(length)))
    }
}

/// A reference at the start of a text: its length and the name.
fn reference(text: &str) -> Option<(usize, &str)> {
    if let Some(rest) = text.strip_prefix("${") {
        let name = name(rest)?;
        return rest[name.len()..]
            .starts_with('}')
            .then_some((name.len() + 3, name));
    }
    let rest = &text[1..];
    let name = name(rest)?;
    if text.starts_with('$') {
        return Some((name.len() + 1, name));
    }
    rest[name.len()..]
        .starts_with('%')
        .then_some((name.len() + 2, name))
}

fn name(text: &str) -> Option<&str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let end = text.bytes().position(|byte| !is_word(byte));
    let name = &text[..end.unwrap_or(text.len())];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "A" => Some("hello".to_owned()),
            "EMPTY" => Some(String::new()),
            "R" => Some("$A".to_owned()),
            _ => None,
        }
    }

    #[rstest]
    #[case("plain", "plain", "plain")]
    #[case("$A ${A} %A%", "hello hello hello", "hello hello hello")]
    #[case("a${A}b$A-c", "ahellobhello-c", "ahellobhello-c")]
    #[case("$UNDEF|${UNDEF}|%UNDEF%", "||", "$UNDEF|${UNDEF}|%UNDEF%")]
    #[case("[$EMPTY]", "[]", "[]")]
    #[case("$R", "$A", "$A")]
    #[case("$$A %%A%%", "$hello %hello%", "$hello %hello%")]
    #[case(
        "$1 ${} $ % 5% ${A %A $-",
        "$1 ${} $ % 5% ${A %A $-",
        "$1 ${} $ % 5% ${A %A $-"
    )]
    #[case("%A$A%", "%Ahello%", "%Ahello%")]
    #[case("é$Aé", "éhelloé", "éhelloé")]
    fn texts(#[case] text: &str, #[case] removed: &str, #[case] kept: &str) {
        assert_eq!(expand(text, &lookup), removed);
        assert_eq!(expand_existing(text, &lookup), kept);
    }

    fn raw(key: &str, value: &str) -> Variable {
        Variable {
            raw: true,
            ..Variable::new(key, value)
        }
    }

    fn expanded(variables: &[(&str, &str)]) -> Result<Vec<(String, String)>, ExpansionError> {
        let variables = variables
            .iter()
            .map(|(key, value)| Variable::new(*key, *value))
            .collect();
        Ok(pairs(expand_collection(variables)?))
    }

    fn pairs(variables: Vec<Variable>) -> Vec<(String, String)> {
        variables
            .into_iter()
            .map(|variable| (variable.key, variable.value))
            .collect()
    }

    #[rstest]
    #[case(
        &[("A", "hello"), ("B", "%A% ${A} $A $$A %%A%% $UNDEF ${UNDEF}x")],
        &[("A", "hello"), ("B", "hello hello hello $$A %%A%% $UNDEF ${UNDEF}x")]
    )]
    #[case(
        &[("A", "$B/x"), ("B", "$C/y"), ("C", "z")],
        &[("C", "z"), ("B", "z/y"), ("A", "z/y/x")]
    )]
    #[case(&[("A", "$A:x")], &[("A", "$A:x")])]
    #[case(&[("A", "1"), ("A", "$A:x")], &[("A", "1"), ("A", "1:x")])]
    #[case(
        &[("A", "1"), ("B", "$A"), ("A", "2")],
        &[("A", "1"), ("A", "2"), ("B", "2")]
    )]
    #[case(&[("A", "50%"), ("B", "$"), ("C", "$$$B")], &[("A", "50%"), ("B", "$"), ("C", "$$$")])]
    #[case(&[("A", ""), ("B", "[$A]")], &[("A", ""), ("B", "[]")])]
    #[case(&[("Z", "1"), ("A", "2")], &[("Z", "1"), ("A", "2")])]
    fn collections(#[case] given: &[(&str, &str)], #[case] result: &[(&str, &str)]) {
        let result: Vec<(String, String)> = result
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(expanded(given), Ok(result));
    }

    #[rstest]
    #[case(&[("A", "$B"), ("B", "$A")], r#"["A", "B"]"#)]
    #[case(&[("X", "$A"), ("A", "$B"), ("B", "$C"), ("C", "%A%")], r#"["A", "B", "C"]"#)]
    #[case(
        &[("A", "$B"), ("B", "$A"), ("C", "$D"), ("D", "$C")],
        r#"["A", "B"], ["C", "D"]"#
    )]
    fn circles_are_named(#[case] given: &[(&str, &str)], #[case] names: &str) {
        let error = expanded(given).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("circular variable reference detected: {names}")
        );
    }

    #[test]
    fn raw_and_file_variables_are_left_for_the_runner() {
        let result = expand_collection(vec![
            Variable::new("A", "a"),
            raw("R", "1 $A"),
            Variable::file("F", "content"),
            Variable::new("D", "$R-$F-$A"),
        ]);
        let result = pairs(result.unwrap());
        assert_eq!(result[1].1, "1 $A");
        assert_eq!(result[3].1, "$R-$F-a");
    }

    #[test]
    fn a_raw_variable_breaks_a_circle() {
        let result = expand_collection(vec![raw("A", "$B"), Variable::new("B", "$A")]);
        assert_eq!(pairs(result.unwrap())[1].1, "$A");
    }

    #[test]
    fn other_properties_survive_expansion() {
        let masked = Variable {
            masked: true,
            ..Variable::new("M", "$A")
        };
        let result = expand_collection(vec![Variable::new("A", "a"), masked.clone()]).unwrap();
        assert_eq!(
            result[1],
            Variable {
                value: "a".to_owned(),
                ..masked
            }
        );
    }

    #[test]
    fn values_that_double_each_other_are_stopped() {
        let mut variables = vec![Variable::new("V0", "x".repeat(100))];
        for level in 1..60 {
            let value = format!("$V{0}$V{0}", level - 1);
            variables.push(Variable::new(format!("V{level}"), value));
        }
        let error = expand_collection(variables).unwrap_err();
        assert!(matches!(error, ExpansionError::TooBig { .. }), "{error}");
    }

    #[test]
    fn a_long_chain_does_not_recurse() {
        let start = Instant::now();
        let mut variables: Vec<Variable> = (0..50_000)
            .map(|at| Variable::new(format!("V{at}"), format!("$V{}", at + 1)))
            .collect();
        variables.push(Variable::new("V50000", "end"));
        let result = expand_collection(variables).unwrap();
        assert!(result.iter().all(|variable| variable.value == "end"));
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    }

    proptest! {
        #[test]
        fn a_text_is_the_sum_of_its_pieces(text in "[A-C_$%{} é]{0,30}") {
            for escapes in [Escapes::No, Escapes::Doubled] {
                let joined: String = Pieces::new(&text, escapes)
                    .map(|piece| match piece {
                        Piece::Text(text) => text,
                        Piece::Reference { written, .. } => written,
                    })
                    .collect();
                prop_assert_eq!(&joined, &text);
            }
        }
    }
}
