//! Texts that are refused, with the words GitLab would show and the place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rstest::rstest;
use tappet_yaml::{Limits, Schema, load};

fn refusal(text: &str) -> String {
    load(text, Schema::Psych, &Limits::default())
        .unwrap_err()
        .to_string()
}

#[rstest]
#[case(
    "a: b: c",
    "mapping values are not allowed in this context at line 1 column 5"
)]
#[case(
    "a: 1\n b: 2",
    "mapping values are not allowed in this context at line 2 column 3"
)]
#[case(
    "script:\n  - echo \"foo: bar\" baz: qux",
    "mapping values are not allowed in this context at line 2 column 24"
)]
#[case(
    "a:\n  b: 1\n c: 2",
    "did not find expected key while parsing a block mapping at line 3 column 2"
)]
#[case(
    "a: 'x' y",
    "did not find expected key while parsing a block mapping at line 1 column 8"
)]
#[case(
    "- a\nb: 1",
    "did not find expected '-' indicator while parsing a block collection at line 2 column 1"
)]
#[case(
    "a: - b",
    "block sequence entries are not allowed in this context at line 1 column 4"
)]
#[case(
    "a:\n\t- b",
    "found character that cannot start any token while scanning for the next token \
     at line 2 column 2"
)]
#[case(
    "\ta: 1",
    "found character that cannot start any token while scanning for the next token \
     at line 1 column 2"
)]
#[case(
    "a: 1\n\tb: 2",
    "found a tab character that violates indentation while scanning a plain scalar \
     at line 1 column 4"
)]
#[case(
    "a: @x",
    "found character that cannot start any token while scanning for the next token \
     at line 1 column 4"
)]
#[case(
    "a: 'x",
    "found unexpected end of stream while scanning a quoted scalar at line 1 column 4"
)]
#[case(
    "a: [1, 2",
    "did not find expected ',' or ']' while parsing a flow sequence at line 1 column 4"
)]
#[case(
    "a: {b: 1]",
    "did not find expected ',' or '}' while parsing a flow mapping at line 1 column 4"
)]
#[case(
    "a: ]",
    "did not find expected node content while parsing a block node at line 1 column 4"
)]
#[case(
    "a: \"\\q\"",
    "found unknown escape character while parsing a quoted scalar at line 1 column 4"
)]
#[case(
    "a: !e!x 1",
    "found undefined tag handle while parsing a node at line 1 column 4"
)]
fn malformed_texts_are_refused_in_libyamls_words(#[case] text: &str, #[case] words: &str) {
    assert_eq!(refusal(text), format!("(<unknown>): {words}"));
}

#[rstest]
#[case("a: *x", "Unknown alias: x at line 1 column 4")]
#[case(
    "a: 2024-01-01",
    "Tried to load unspecified class: Date at line 1 column 4"
)]
#[case(
    "a:\n  - 2024-01-01 10:00:00",
    "Tried to load unspecified class: Time at line 2 column 5"
)]
#[case(
    "2024-01-01: a",
    "Tried to load unspecified class: Date at line 1 column 1"
)]
#[case(
    "a: !ruby/object:Foo {}",
    "Tried to load unspecified class: Foo at line 1 column 4"
)]
#[case(
    "a: !ruby/regexp /x/",
    "Tried to load unspecified class: Regexp at line 1 column 4"
)]
#[case(
    "a: !!set {a}",
    "Tried to load unspecified class: Psych::Set at line 1 column 4"
)]
#[case(
    "a: !!python/object/apply:os.system [x]",
    "Tried to load unspecified class: os.system at line 1 column 4"
)]
#[case(
    "a: !!binary aGk=",
    "`!!binary` values are not supported: write the text itself at line 1 column 4"
)]
#[case(
    "a: {{ b }}",
    "a mapping or list cannot be a key: put quotes around it if it is text at line 1 column 5"
)]
#[case(
    "job:\n  <<: !reference [.a, b]",
    "merge key `<<` takes mappings, not !reference at line 2 column 7"
)]
fn what_psych_or_we_do_not_load(#[case] text: &str, #[case] message: &str) {
    assert_eq!(refusal(text), message);
}

#[test]
fn dates_in_quotes_and_in_the_core_schema_are_texts() {
    let limits = Limits::default();
    assert!(load("a: '2024-01-01'", Schema::Psych, &limits).is_ok());
    assert!(load("a: 2024-01-01", Schema::Core, &limits).is_ok());
}
