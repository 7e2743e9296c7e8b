//! A file's text → the root of its tree: YAML 1.2's core schema, one document,
//! GitHub's limits, every key once.

use std::collections::HashSet;

use tappet_model::{Diagnostic, Position};
use tappet_yaml::{Limits, Mapping, Node, Schema, Value, load};

use super::report::Report;

/// GitHub's limits on a workflow file.
const LIMITS: Limits = Limits {
    max_bytes: 1024 * 1024,
    max_depth: 50,
    max_nodes: 100_000,
};

/// How the loader marks what the parser says.
const PARSER_MARK: &str = "(<unknown>): ";

/// Reads a text. `None` when there is nothing to look into; the report then
/// says why.
pub(crate) fn read(text: &str, report: &mut Report) -> Option<Node> {
    if text.len() > LIMITS.max_bytes {
        report.add(Diagnostic::whole_file(format!(
            "The file has {} bytes; {} are the most. Split it into several workflows",
            text.len(),
            LIMITS.max_bytes
        )));
        return None;
    }
    let loaded = match load(text, Schema::Core, &LIMITS) {
        Ok(loaded) => loaded,
        Err(error) => {
            let mut error = Diagnostic::from(error);
            if let Some(message) = error.message.strip_prefix(PARSER_MARK) {
                error.message = message.to_owned();
            }
            report.add(error);
            return None;
        }
    };
    for warning in &loaded.warnings {
        let message = format!("'{}' is already defined", warning.key);
        report.error(warning.position, message);
    }
    let mut documents = loaded.documents.into_iter();
    let Some(root) = documents.next() else {
        report.error(Position { line: 1, column: 1 }, "Unexpected value ''");
        return None;
    };
    if let Some(second) = documents.next() {
        report.error(
            second.position,
            "A second YAML document was not expected: put it into a file of its own",
        );
    }
    check(&root, report);
    Some(root)
}

/// What the loader lets through: tags, merge keys, keys that differ in case.
fn check(node: &Node, report: &mut Report) {
    if let Some(tag) = &node.tag {
        report.error(
            node.position,
            format!("The tag {tag} is not known: remove it"),
        );
    }
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| check(item, report)),
        Value::Mapping(mapping) => {
            check_keys(mapping, report);
            mapping.values().for_each(|value| check(value, report));
        }
        _ => {}
    }
}

fn check_keys(mapping: &Mapping, report: &mut Report) {
    let mut seen = HashSet::with_capacity(mapping.len());
    for key in mapping.keys() {
        if key.text == "<<" {
            report.error(
                key.position,
                "YAML merge keys ('<<') are not supported: repeat the keys, or put an alias where the \
                 whole mapping goes",
            );
        } else if !seen.insert(key.text.to_uppercase()) {
            report.error(key.position, format!("'{}' is already defined", key.text));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn errors(text: &str) -> Vec<String> {
        let mut report = Report::default();
        read(text, &mut report);
        match report.into_result() {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        }
    }

    #[rstest]
    #[case("a: 1\nb: 2\na: 3\n", "'a' is already defined at line 3 column 1")]
    #[case("a: 1\nA: 2\n", "'A' is already defined at line 2 column 1")]
    #[case("a: {b: 1, b: 2}\n", "'b' is already defined at line 1 column 11")]
    #[case(
        "x: &x {a: 1}\ny:\n  <<: *x\n",
        "YAML merge keys ('<<') are not supported: repeat the keys, or put an alias where the whole \
         mapping goes at line 3 column 3"
    )]
    #[case(
        "a: !secret b\n",
        "The tag !secret is not known: remove it at line 1 column 4"
    )]
    #[case(
        "a: 1\n---\nb: 2\n",
        "A second YAML document was not expected: put it into a file of its own at line 3 column 1"
    )]
    #[case("", "Unexpected value '' at line 1 column 1")]
    #[case(
        "a: b: c\n",
        "mapping values are not allowed in this context at line 1 column 5"
    )]
    fn what_cannot_be_read_is_named_with_its_place(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(errors(text), [expected]);
    }

    #[test]
    fn a_file_above_one_mebibyte_is_refused_before_it_is_read() {
        let text = format!("a: '{}'", "x".repeat(1024 * 1024));
        assert_eq!(
            errors(&text),
            ["The file has 1048581 bytes; 1048576 are the most. Split it into several workflows"]
        );
    }

    #[test]
    fn fifty_levels_are_the_most() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(errors(&nested(50)), Vec::<String>::new());
        assert!(errors(&nested(51))[0].starts_with("The parsed YAML is too big"));
    }

    #[test]
    fn an_alias_stands_for_a_copy() {
        let mut report = Report::default();
        let root = read("a: &x [1]\nb: *x\n", &mut report).expect("it is valid");
        let mapping = root.as_mapping().expect("it is a mapping");
        assert_eq!(mapping.get("a"), mapping.get("b"));
    }
}
