//! A tree as YAML text, in the style of Ruby's `to_yaml`, which GitLab shows as
//! the merged file.

use tappet_yaml::{Limits, Mapping, Node, Schema, Value};

/// Longer texts help nobody.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The text of a whole file; `None` when it would be very long.
pub(crate) fn write(root: &Mapping) -> Option<String> {
    let mut writer = Writer {
        text: "---\n".to_owned(),
    };
    if root.is_empty() {
        return Some("--- {}\n".to_owned());
    }
    writer.mapping(root, 0)?;
    Some(writer.text)
}

struct Writer {
    text: String,
}

impl Writer {
    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    fn mapping(&mut self, mapping: &Mapping, depth: usize) -> Option<()> {
        for (at, (key, node)) in mapping.iter().enumerate() {
            if at > 0 {
                self.indent(depth);
            }
            self.text
                .push_str(&one_line(&key.text, |word| format!("{word}: x\n")));
            self.text.push(':');
            // A list stands right below its key, a map one step further in.
            match &node.value {
                Value::Sequence(items) if !items.is_empty() => {
                    self.tag(node);
                    self.text.push('\n');
                    self.indent(depth);
                    self.sequence(items, depth)?;
                }
                Value::Mapping(inner) if !inner.is_empty() => {
                    self.tag(node);
                    self.text.push('\n');
                    self.indent(depth + 1);
                    self.mapping(inner, depth + 1)?;
                }
                _ => self.scalar(node, depth),
            }
        }
        (self.text.len() <= MAX_BYTES).then_some(())
    }

    fn sequence(&mut self, items: &[Node], depth: usize) -> Option<()> {
        for (at, node) in items.iter().enumerate() {
            if at > 0 {
                self.indent(depth);
            }
            self.text.push('-');
            match &node.value {
                Value::Sequence(inner) if !inner.is_empty() => {
                    self.tag(node);
                    self.text.push(' ');
                    self.sequence(inner, depth + 1)?;
                }
                Value::Mapping(inner) if !inner.is_empty() => {
                    self.tag(node);
                    self.text.push(' ');
                    self.mapping(inner, depth + 1)?;
                }
                _ => self.scalar(node, depth),
            }
        }
        (self.text.len() <= MAX_BYTES).then_some(())
    }

    fn tag(&mut self, node: &Node) {
        if let Some(tag) = &node.tag {
            self.text.push(' ');
            self.text.push_str(tag);
        }
    }

    /// A value that needs no lines of its own, with the space before it.
    fn scalar(&mut self, node: &Node, depth: usize) {
        self.tag(node);
        let text = match &node.value {
            Value::Null => String::new(),
            Value::Sequence(_) => "[]".to_owned(),
            Value::Mapping(_) => "{}".to_owned(),
            Value::String(text) => match block(text, depth + 1) {
                Some(block) => block,
                None => one_line(text, |word| format!("k: {word}\n")),
            },
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => node.to_text().unwrap_or_default(),
        };
        if !text.is_empty() {
            self.text.push(' ');
            self.text.push_str(&text);
        }
        self.text.push('\n');
    }
}

/// A text on one line: bare where it comes back as the same text, else quoted.
fn one_line(text: &str, line: impl Fn(&str) -> String) -> String {
    if is_double_quoted(text) {
        return serde_json::Value::from(text).to_string();
    }
    let is_plain = !text.is_empty()
        && !text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\t'])
        && comes_back(&line(text), text);
    if is_plain {
        return text.to_owned();
    }
    if text.chars().all(|c| !c.is_control()) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    // A JSON text is a YAML text too.
    serde_json::Value::from(text).to_string()
}

/// What Psych puts into double quotes: words that YAML 1.1 readers may take for
/// truth values, and whatever starts with a sign.
fn is_double_quoted(text: &str) -> bool {
    let starts_with_sign = text
        .chars()
        .next()
        .is_some_and(|c| !c.is_alphanumeric() && c != '_');
    matches!(text, "y" | "Y" | "n" | "N") || (starts_with_sign && !text.contains('"'))
}

/// Whether the key or the value of this line is exactly the text.
fn comes_back(line: &str, text: &str) -> bool {
    let Ok(loaded) = tappet_yaml::load(line, Schema::Psych, &Limits::default()) else {
        return false;
    };
    let [document] = loaded.documents.as_slice() else {
        return false;
    };
    let Some((key, node)) = document.as_mapping().and_then(|map| map.iter().next()) else {
        return false;
    };
    let is_value = key.text == "k" && node.as_str() == Some(text) && node.tag.is_none();
    let is_key = key.text == text
        && matches!(key.kind, tappet_yaml::KeyKind::String)
        && node.as_str() == Some("x");
    is_value || is_key
}

/// Several lines as a literal block, when they can stand as they are.
fn block(text: &str, depth: usize) -> Option<String> {
    let body = text.trim_end_matches('\n');
    let is_fit = text.contains('\n')
        && !body.is_empty()
        && !text.starts_with([' ', '\n'])
        && text.chars().all(|c| c == '\n' || !c.is_control())
        && body.lines().all(|line| !line.ends_with(' '));
    if !is_fit {
        return None;
    }
    let header = match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    };
    let indent = "  ".repeat(depth);
    let mut block = header.to_owned();
    for line in text.trim_end_matches('\n').split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.push_str(&indent);
            block.push_str(line);
        }
    }
    block.extend(std::iter::repeat_n(
        '\n',
        (text.len() - body.len()).saturating_sub(1),
    ));
    Some(block)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn root(text: &str) -> Mapping {
        let loaded = tappet_yaml::load(text, Schema::Psych, &Limits::default()).unwrap();
        loaded.documents[0].as_mapping().unwrap().clone()
    }

    #[rstest]
    #[case("a: 1\nb: [x, y]\n", "---\na: 1\nb:\n- x\n- \"y\"\n")]
    #[case(
        "a: {b: {c: [1, {d: e, f: g}]}}",
        "---\na:\n  b:\n    c:\n    - 1\n    - d: e\n      f: g\n"
    )]
    #[case(
        "a: [[1, 2], []]\nb: {}\nc: ~",
        "---\na:\n- - 1\n  - 2\n- []\nb: {}\nc:\n"
    )]
    #[case(
        "a: 'true'\nb: yes\n10: '1'\nc: ''",
        "---\na: 'true'\nb: true\n'10': '1'\nc: ''\n"
    )]
    #[case(
        "a: 'x: y'\nb: \"it's # no\"\nc: '*'",
        "---\na: 'x: y'\nb: 'it''s # no'\nc: \"*\"\n"
    )]
    #[case("a: |\n  one\n  two\n", "---\na: |\n  one\n  two\n")]
    #[case(
        "a:\n- |-\n  one\n\n  two\n- \"x\\ty\"",
        "---\na:\n- |-\n  one\n\n  two\n- \"x\\ty\"\n"
    )]
    #[case(
        "a: &x {b: 1}\nc: {<<: *x, d: 2}",
        "---\na:\n  b: 1\nc:\n  b: 1\n  d: 2\n"
    )]
    fn texts(#[case] given: &str, #[case] expected: &str) {
        let written = write(&root(given)).unwrap();
        assert_eq!(written, expected);
        if !expected.contains("'10'") {
            assert_eq!(root(&written), root(given), "it reads back as the same");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back(text in "[a-z0-9 :#'\"\\-\n\t!*&|>%@~é]{0,20}") {
            let mut mapping = Mapping::new();
            let place = tappet_model::Position { line: 1, column: 1 };
            let key = tappet_yaml::Key::new("key", place);
            let list = Node::sequence(vec![Node::string(text.clone(), place)], place);
            mapping.insert(key, list);
            let written = write(&mapping).unwrap();
            proptest::prop_assert_eq!(root(&written), mapping, "{}", written);
        }
    }
}
