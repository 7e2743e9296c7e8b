//! `extends` and its merging.

use rstest::rstest;

use crate::scenario::{error, file, message};

#[test]
fn a_job_takes_what_it_does_not_say() {
    let scenario =
        file(".base: {script: base, tags: [b], stage: build}\nj: {extends: .base, script: own}");
    let job = scenario.job("j");
    assert_eq!(job.spec.script, ["own"]);
    assert_eq!(job.tags, ["b"]);
    assert_eq!(scenario.plan().stages, ["build"]);
}

#[test]
fn maps_merge_and_lists_are_replaced() {
    let scenario = file(
        ".b: {script: [1a, 1b], variables: {A: base, B: base}}\nj: {extends: .b, script: [own], variables: {B: own, C: own}}",
    );
    assert_eq!(scenario.spec("j").script, ["own"]);
    assert_eq!(scenario.variables("j"), ["A=base", "B=own", "C=own"]);
}

#[rstest]
#[case("variables: ~", &[])]
#[case("variables: {}", &["A=base"])]
fn null_replaces_and_an_empty_map_merges(#[case] own: &str, #[case] expected: &[&str]) {
    let scenario = file(&format!(
        ".b: {{script: x, variables: {{A: base}}}}\nj: {{extends: .b, {own}}}"
    ));
    assert_eq!(scenario.variables("j"), expected);
}

#[test]
fn later_parents_win() {
    let scenario = file(
        ".a: {script: a, variables: {V: a, A: a}}\n.b: {script: b, variables: {V: b}}\nj: {extends: [.a, .b]}",
    );
    assert_eq!(scenario.spec("j").script, ["b"]);
    assert_eq!(scenario.variables("j"), ["V=b", "A=a"]);
}

#[test]
fn a_grandparent_comes_again_with_every_parent() {
    let scenario = file(
        "\
.d: {variables: {V: d}}
.b: {extends: .d, variables: {V: b}}
.c: {extends: .d}
j: {extends: [.b, .c], script: x}
",
    );
    assert_eq!(scenario.variables("j"), ["V=d"]);
}

#[test]
fn visible_jobs_can_be_extended_and_parents_may_come_later() {
    let scenario = file("j: {extends: base, tags: [t]}\nbase: {script: x}");
    assert_eq!(scenario.jobs(), ["j", "base"]);
    assert_eq!(scenario.job("j").tags, ["t"]);
    assert!(scenario.job("base").tags.is_empty());
}

#[rstest]
#[case(
    "j: {script: x, extends: .nope}",
    "j: unknown keys in `extends` (.nope) at line 1 column 16"
)]
#[case(
    "j: {script: x, extends: [.a, .b]}",
    "j: unknown keys in `extends` (.a, .b) at line 1 column 16"
)]
#[case(
    "v: text\nj: {script: x, extends: v}",
    "j: invalid base hashes in `extends` (v) at line 2 column 16"
)]
#[case(
    "J: {script: x, extends: J}",
    "J: circular dependency detected in `extends` at line 1 column 16"
)]
fn is_refused(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(error(text), expected);
}

#[test]
fn default_cannot_extend() {
    assert_eq!(
        message("default: {extends: .a}\n.a: {tags: [t]}\nj: {script: x}"),
        "default config contains unknown keys: extends"
    );
}

#[test]
fn a_circle_is_named_at_its_first_job() {
    let errors = crate::scenario::errors("a: {script: x, extends: b}\nb: {script: x, extends: a}");
    assert_eq!(
        errors[0],
        "a: circular dependency detected in `extends` at line 1 column 16"
    );
}

fn chain(entries: usize) -> String {
    let mut text = "a0: {script: x}\n".to_owned();
    for entry in 1..entries {
        let parent = entry - 1;
        text.push_str(&format!("a{entry}: {{extends: a{parent}}}\n"));
    }
    text
}

#[test]
fn twelve_entries_may_extend_each_other_and_thirteen_may_not() {
    assert_eq!(file(&chain(12)).jobs().len(), 12);
    assert!(message(&chain(13)).ends_with(": nesting too deep in `extends`"));
}

#[test]
fn many_parents_on_many_levels_are_merged_once_each() {
    let mut text = ".l0: {script: x}\n".to_owned();
    for level in 1..=10 {
        let parents = vec![format!(".l{}", level - 1); 100].join(", ");
        text.push_str(&format!(".l{level}: {{extends: [{parents}]}}\n"));
    }
    text.push_str("j: {extends: .l10}\n");
    assert_eq!(file(&text).jobs(), ["j"]);
}
