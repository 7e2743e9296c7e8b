//! Texts and the trees they become.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rstest::rstest;
use tappet_model::Position;
use tappet_yaml::{KeyKind, Limits, Loaded, Mapping, Node, Schema, Value, load};

fn loaded(text: &str) -> Loaded {
    load(text, Schema::Psych, &Limits::default()).unwrap()
}

fn document(text: &str) -> Node {
    loaded(text).documents.remove(0)
}

fn mapping(text: &str) -> Mapping {
    document(text).as_mapping().unwrap().clone()
}

/// A tree in one line, kinds of keys left out.
fn shown(node: &Node) -> String {
    let value = match &node.value {
        Value::Null => "nil".to_owned(),
        Value::String(text) => format!("{text:?}"),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(mapping) => {
            let entries: Vec<String> = mapping
                .iter()
                .map(|(key, node)| format!("{}: {}", key.text, shown(node)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        _ => node.to_text().unwrap(),
    };
    match &node.tag {
        Some(tag) => format!("{tag} {value}"),
        None => value,
    }
}

fn place(line: usize, column: usize) -> Position {
    Position { line, column }
}

#[rstest]
#[case("a:\nb: ~\nc: ''", r#"{a: nil, b: nil, c: ""}"#)]
#[case("a: yes\nb: 'yes'\nc: |-\n  yes", r#"{a: true, b: "yes", c: "yes"}"#)]
#[case("a: 0755\nb: 1.10\nc: :sym", r#"{a: 493, b: 1.1, c: "sym"}"#)]
#[case("a: 99999999999999999999", r#"{a: "99999999999999999999"}"#)]
#[case(
    "a: http://x:80/y\nb: -b\nc: e#f",
    r#"{a: "http://x:80/y", b: "-b", c: "e#f"}"#
)]
#[case("a:\n- b\n-\n  - c", r#"{a: ["b", ["c"]]}"#)]
#[case("a: {b: , c}\nd: [e,]", r#"{a: {b: nil, c: nil}, d: ["e"]}"#)]
#[case("a:\t1 # x", "{a: 1}")]
#[case("\u{feff}a: 1", "{a: 1}")]
#[case("a: 1\r\nb: 2\r\n", "{a: 1, b: 2}")]
#[case("ключ: значение", r#"{ключ: "значение"}"#)]
fn plain_documents(#[case] text: &str, #[case] tree: &str) {
    assert_eq!(shown(&document(text)), tree);
}

#[rstest]
#[case("a: |\n  b\n", "b\n")]
#[case("a: |\n  b\n\n", "b\n")]
#[case("a: |+\n  b\n\n", "b\n\n")]
#[case("a: |\n  b", "b")]
#[case("a: >\n  b\n  c", "b c")]
#[case("a: |+\n  b", "b")]
#[case("a: |-\n  b", "b")]
#[case("a: |", "")]
#[case("a: \"b\n  c\\n\"", "b c\n")]
fn a_block_scalar_cut_off_by_the_end_of_the_text_gets_no_line_end(
    #[case] text: &str,
    #[case] value: &str,
) {
    assert_eq!(mapping(text).get("a").unwrap().as_str(), Some(value));
}

#[rstest]
#[case("a:\n  - \"x\n  b: c\"\n", "x b: c")]
#[case("a:\n  - 'x\n\n  y'\n", "x\ny")]
#[case("a:\n  - 'x\n\n\ty\n z'\n", "x\ny z")]
fn quoted_texts_may_go_on_with_less_indentation(#[case] text: &str, #[case] value: &str) {
    assert_eq!(shown(&document(text)), format!("{{a: [{value:?}]}}"));
}

#[test]
fn places_after_an_under_indented_quoted_line_are_the_written_ones() {
    let text = "a:\n  - [\"x\n\ny\", z]\nb: 1";
    let mapping = mapping(text);
    let items = mapping.get("a").unwrap().as_sequence().unwrap();
    let [_, z] = items[0].as_sequence().unwrap() else {
        panic!("two items: {items:?}");
    };
    assert_eq!(z.position, place(4, 5));
    assert_eq!(mapping.key("b").unwrap().position, place(5, 1));

    let error = load("a:\n  - 'x\ny' z: 1", Schema::Psych, &Limits::default()).unwrap_err();
    assert_eq!(error.position.unwrap().line, 3);
    assert!(error.position.unwrap().column < 10, "{error}");
}

#[test]
fn every_node_and_key_knows_its_place() {
    let mapping = mapping("# first\njob:\n  script:\n    - make\n  é: ü\n");
    let job = mapping.get("job").unwrap();
    assert_eq!(mapping.key("job").unwrap().position, place(2, 1));
    assert_eq!(job.position, place(3, 3));
    let script = job.as_mapping().unwrap().get("script").unwrap();
    assert_eq!(script.position, place(4, 5));
    assert_eq!(script.as_sequence().unwrap()[0].position, place(4, 7));
    let accented = job.as_mapping().unwrap().get("é").unwrap();
    assert_eq!(accented.position, place(5, 6));
}

#[test]
fn a_custom_tag_stays_with_its_untouched_list() {
    let mapping = mapping("script:\n  - !reference [.a, script]\n  - make\n");
    let script = mapping.get("script").unwrap();
    assert_eq!(shown(script), r#"[!reference [".a", "script"], "make"]"#);
    let reference = &script.as_sequence().unwrap()[0];
    assert_eq!(reference.position, place(2, 5));
}

#[rstest]
#[case("!!str 12", r#""12""#)]
#[case("!!str", r#""""#)]
#[case("!!int '12'", "12")]
#[case("!!float 1", "1.0")]
#[case("!!bool 'no'", "false")]
#[case("! '12'", "12")]
#[case("!foo 'yes'", "!foo true")]
#[case("!ruby/symbol x", r#""x""#)]
#[case("!!map {a: 1}", "{a: 1}")]
fn tags_force_types(#[case] text: &str, #[case] value: &str) {
    assert_eq!(shown(&document(text)), value);
}

#[test]
fn keys_have_types_and_read_as_ruby_writes_them() {
    let mapping = mapping("on: 1\n1: a\n~: b\n1.50: c\n:s: d\nk: e\n0x10: f\n'12:30': g\n");
    let keys: Vec<(&str, KeyKind)> = mapping
        .keys()
        .map(|key| (key.text.as_str(), key.kind))
        .collect();
    assert_eq!(
        keys,
        [
            ("true", KeyKind::Bool),
            ("1", KeyKind::Int),
            ("", KeyKind::Null),
            ("1.5", KeyKind::Float),
            ("s", KeyKind::Symbol),
            ("k", KeyKind::String),
            ("16", KeyKind::Int),
            ("12:30", KeyKind::String),
        ]
    );
}

#[test]
fn the_last_of_repeated_keys_counts_and_a_warning_names_both_places() {
    let loaded = loaded("a: 1\nb: 2\njob:\n  x: 1\n  x: 2\na: 3\n");
    assert_eq!(shown(&loaded.documents[0]), "{a: 3, b: 2, job: {x: 2}}");
    let warnings: Vec<String> = loaded.warnings.iter().map(|w| w.message.clone()).collect();
    assert_eq!(
        warnings,
        [
            "key `x` is given at line 4 column 3 and again at line 5 column 3: \
             only the last one counts",
            "key `a` is given at line 1 column 1 and again at line 6 column 1: \
             only the last one counts",
        ]
    );
    assert_eq!(loaded.warnings[1].position, place(6, 1));
}

#[test]
fn a_repeated_key_inside_an_anchor_is_warned_of_once() {
    let loaded = loaded("a: &a {x: 1, x: 2}\nb: *a\nc: *a\n");
    assert_eq!(loaded.warnings.len(), 1);
}

#[test]
fn warnings_stop_at_a_hundred() {
    let loaded = loaded(&"a: 1\n".repeat(1000));
    assert_eq!(loaded.warnings.len(), 100);
}

#[rstest]
#[case("{p: 8, <<: *x}", "{p: 1, q: 2}")]
#[case("{<<: *x, p: 9}", "{p: 9, q: 2}")]
#[case("{<<: [*x, {p: 5, r: 6}]}", "{p: 1, r: 6, q: 2}")]
#[case("{<<: [{p: 5, r: 6}, *x]}", "{p: 5, q: 2, r: 6}")]
#[case("{<<: *x, <<: {p: 7}}", "{p: 7, q: 2}")]
#[case("{'<<': *x}", "{p: 1, q: 2}")]
#[case("{!!str <<: *x}", "{<<: {p: 1, q: 2}}")]
#[case("{<<: 3}", "{<<: 3}")]
#[case("{<<: [1]}", "{<<: [1]}")]
#[case("{<<: [*x, 1]}", "{<<: [{p: 1, q: 2}, 1]}")]
#[case("{<<: *list}", "{<<: [{p: 1, q: 2}]}")]
#[case("{<<: {<<: *x, p: 3}, q: 4}", "{p: 3, q: 4}")]
#[case("[<<]", r#"["<<"]"#)]
fn merge_keys_act_where_they_stand(#[case] value: &str, #[case] expected: &str) {
    let text = format!("x: &x {{p: 1, q: 2}}\nl: &list [*x]\nvalue: {value}\n");
    let loaded = loaded(&text);
    let mapping = loaded.documents[0].as_mapping().unwrap();
    assert_eq!(shown(mapping.get("value").unwrap()), expected);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn the_same_file_may_repeat_merge_keys_and_anchors() {
    let text = "\
.a: &a
  image: one
.b: &b
  tags: [x]
job:
  <<: *a
  stage: test
  <<: *b
  image: two
.a2: &a
  image: three
late:
  <<: *a
";
    let mapping = mapping(text);
    assert_eq!(
        shown(mapping.get("job").unwrap()),
        r#"{image: "two", stage: "test", tags: ["x"]}"#
    );
    assert_eq!(shown(mapping.get("late").unwrap()), r#"{image: "three"}"#);
}

#[test]
fn in_the_core_schema_merge_and_on_are_ordinary_keys() {
    let text = "on: yes\n<<: {a: 0o17}\nb: 12:30\n";
    let loaded = load(text, Schema::Core, &Limits::default()).unwrap();
    assert_eq!(
        shown(&loaded.documents[0]),
        r#"{on: "yes", <<: {a: 15}, b: "12:30"}"#
    );
}

#[rstest]
#[case("", &[])]
#[case("# only a comment\n", &[])]
#[case("---\n", &["nil"])]
#[case("---\na: 1\n---\nb: 2\n", &["{a: 1}", "{b: 2}"])]
#[case("spec:\n  inputs:\n---\njob:\n", &["{spec: {inputs: nil}}", "{job: nil}"])]
fn documents_come_as_a_list(#[case] text: &str, #[case] trees: &[&str]) {
    let documents = loaded(text).documents;
    assert_eq!(documents.iter().map(shown).collect::<Vec<_>>(), trees);
}

#[test]
fn anchors_end_with_their_document() {
    let error = load("a: &x 1\n---\nb: *x\n", Schema::Psych, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "Unknown alias: x at line 3 column 4");
}

#[test]
fn nodes_compare_by_value_and_tag_not_by_place() {
    assert_eq!(
        document("{a: [1, {b: 2}]}"),
        document("a:\n - 1\n - b: 2\n")
    );
    assert_ne!(document("[1]"), document("!foo [1]"));
    assert_ne!(document("1"), document("'1'"));
}
