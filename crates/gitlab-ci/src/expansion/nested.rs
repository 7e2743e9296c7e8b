//! One text, with references expanded in the values as well (GitLab:
//! `ExpandVariables.expand` over `Collection#sort_and_expand_all`).

use std::collections::HashMap;

use tappet_model::Variable;

use super::{Escapes, Piece, Pieces};

/// Values inside values go no deeper, which only a file made for it would.
const MAX_DEPTH: usize = 64;

/// Bytes of one expanded text; what comes after is left out.
const MAX_BYTES: usize = 64 * 1024;

/// Replaces `$NAME`, `${NAME}` and `%NAME%` in a text, and in the values that
/// come in unless they are raw. An unknown name disappears, and so does one
/// inside its own value.
pub fn expand_nested(text: &str, lookup: &dyn Fn(&str) -> Option<Variable>) -> String {
    let mut expansion = Expansion {
        lookup,
        values: HashMap::new(),
    };
    expansion.text(text, Escapes::No, 0)
}

struct Expansion<'a> {
    lookup: &'a dyn Fn(&str) -> Option<Variable>,
    /// Values by name; while one is being made it is empty.
    values: HashMap<String, String>,
}

impl Expansion<'_> {
    fn text(&mut self, text: &str, escapes: Escapes, depth: usize) -> String {
        let mut expanded = String::with_capacity(text.len());
        for piece in Pieces::new(text, escapes) {
            match piece {
                Piece::Text(text) => expanded.push_str(text),
                Piece::Reference { name, .. } => expanded.push_str(&self.value(name, depth)),
            }
            if expanded.len() > MAX_BYTES {
                break;
            }
        }
        expanded
    }

    fn value(&mut self, name: &str, depth: usize) -> String {
        if let Some(value) = self.values.get(name) {
            return value.clone();
        }
        self.values.insert(name.to_owned(), String::new());
        let value = match (self.lookup)(name) {
            Some(variable) if variable.raw => variable.value,
            Some(variable) if depth < MAX_DEPTH => {
                self.text(&variable.value, Escapes::Doubled, depth + 1)
            }
            _ => String::new(),
        };
        self.values.insert(name.to_owned(), value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn lookup(name: &str) -> Option<Variable> {
        let value = match name {
            "A" => "a",
            "B" => "$A/${A}/%A%",
            "C" => "[$B]",
            "SELF" => "x$SELF",
            "ROUND" => "r$TRIP",
            "TRIP" => "t$ROUND",
            "DOUBLED" => "$$A",
            "OPEN" => "$UNDEF-$A",
            "RAW" => {
                return Some(Variable {
                    raw: true,
                    ..Variable::new("RAW", "$A")
                });
            }
            "OF_RAW" => "$RAW!",
            "FILE" => return Some(Variable::file("FILE", "content")),
            _ => return None,
        };
        Some(Variable::new(name, value))
    }

    #[rstest]
    #[case("review/$C", "review/[a/a/a]")]
    #[case("$UNDEF$OPEN", "-a")]
    #[case("$SELF", "x")]
    #[case("$ROUND", "rt")]
    #[case("$DOUBLED", "$$A")]
    #[case("$$A", "$a")]
    #[case("$RAW $OF_RAW", "$A $A!")]
    #[case("$FILE", "content")]
    fn values_are_expanded_too(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(expand_nested(text, &lookup), expected);
    }

    #[test]
    fn values_that_double_each_other_end_somewhere() {
        let lookup = |name: &str| {
            let level: u32 = name.strip_prefix('V')?.parse().ok()?;
            let value = match level {
                0 => "x".repeat(100),
                _ => format!("$V{0}$V{0}", level - 1),
            };
            Some(Variable::new(name, value))
        };
        assert!(expand_nested("$V50", &lookup).len() < 4 * MAX_BYTES);
    }

    #[test]
    fn a_long_chain_does_not_recurse_far() {
        let lookup = |name: &str| {
            let level: u32 = name.strip_prefix('V')?.parse().ok()?;
            Some(Variable::new(name, format!("$V{}", level + 1)))
        };
        assert_eq!(expand_nested("$V0", &lookup), "");
    }
}
