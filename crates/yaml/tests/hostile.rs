//! Texts made to cost more than they weigh, and one real-sized file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rstest::rstest;
use tappet_yaml::{Limits, Schema, load};

const TOO_BIG: &str = "The parsed YAML is too big";

/// The texts stop in well under 100 ms; the bound leaves room for an
/// unoptimised build on a busy machine.
fn refused_quickly(text: &str) {
    let start = Instant::now();
    let error = load(text, Schema::Psych, &Limits::default()).unwrap_err();
    assert_eq!(error.message, TOO_BIG);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

fn nested_aliases(levels: usize, width: usize) -> String {
    let mut text = "l0: &l0 [x]\n".to_owned();
    for level in 1..levels {
        let aliases = vec![format!("*l{}", level - 1); width].join(", ");
        writeln!(text, "l{level}: &l{level} [{aliases}]").unwrap();
    }
    text
}

#[test]
fn billion_laughs() {
    refused_quickly(&nested_aliases(12, 10));
    refused_quickly(&nested_aliases(90, 2));
}

#[test]
fn a_hundred_thousand_aliases() {
    let items = "x, ".repeat(50);
    refused_quickly(&format!("a: &a [{items}]\nb: [{}]", "*a,".repeat(100_000)));
}

#[test]
fn a_long_text_repeated_by_aliases() {
    let long = "x".repeat(1_000_000);
    refused_quickly(&format!("a: &a {long}\nb: [{}]", "*a,".repeat(100)));
}

#[test]
fn merge_key_bombs() {
    let mut keys = String::new();
    for key in 0..1000 {
        write!(keys, "k{key}: 1, ").unwrap();
    }
    let same = "*a,".repeat(100_000);
    refused_quickly(&format!("a: &a {{{keys}}}\nb: {{<<: [{same}]}}"));

    let mut doubling = "m0: &m0 {a: 1}\n".to_owned();
    for level in 1..60 {
        let before = level - 1;
        writeln!(
            doubling,
            "m{level}: &m{level} {{k{level}: *m{before}, <<: *m{before}}}"
        )
        .unwrap();
    }
    refused_quickly(&doubling);
}

#[test]
fn anchors_around_anchors_cost_nothing() {
    let mut text = String::new();
    for level in 0..90 {
        write!(text, "&a{level} [").unwrap();
    }
    text.push_str(&"x,".repeat(100_000));
    text.push_str(&"]".repeat(90));
    let start = Instant::now();
    assert!(load(&text, Schema::Psych, &Limits::default()).is_ok());
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
}

#[rstest]
#[case("a: &a [*a]")]
#[case("a: &a {b: {c: *a}}")]
#[case("&a {<<: *a}")]
fn an_anchor_inside_itself(#[case] text: &str) {
    refused_quickly(text);
}

#[rstest]
#[case("[".repeat(5000))]
#[case("{a: ".repeat(5000))]
#[case("- ".repeat(5000))]
#[case(format!("{}x{}", "[".repeat(101), "]".repeat(101)))]
#[case(format!("a: &a {}x{}\nb: {}*a{}", "[".repeat(60), "]".repeat(60), "[".repeat(60), "]".repeat(60)))]
fn too_deep(#[case] text: String) {
    refused_quickly(&text);
}

#[test]
fn a_depth_of_one_hundred_is_allowed() {
    let text = format!("{}x{}", "[".repeat(100), "]".repeat(100));
    assert!(load(&text, Schema::Psych, &Limits::default()).is_ok());
}

#[test]
fn too_many_bytes_or_nodes() {
    refused_quickly(&format!("a: {}", "x".repeat(2 * 1024 * 1024)));
    refused_quickly(&"- x\n".repeat(200_001));
    let small = Limits {
        max_nodes: 4,
        ..Limits::default()
    };
    assert!(load("[1, 2, 3]", Schema::Psych, &small).is_ok());
    let error = load("[1, 2,\n 3, 4]", Schema::Psych, &small).unwrap_err();
    assert_eq!(error.to_string(), format!("{TOO_BIG} at line 2 column 5"));
}

#[test]
fn many_under_indented_quoted_lines_end_in_an_error_not_in_endless_reading() {
    let line = format!("\n{}", "y".repeat(200));
    let text = format!("a: \"{}\"\n", line.repeat(9_000));
    let start = Instant::now();
    assert!(load(&text, Schema::Psych, &Limits::default()).is_err());
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_file_of_five_hundred_jobs_loads_in_milliseconds() {
    let mut text = "stages: [build, test]\n.base: &base\n  image: alpine\n".to_owned();
    for job in 0..500 {
        write!(
            text,
            "job {job}:\n  <<: *base\n  stage: test\n  needs: [\"job {}\"]\n  variables:\n    \
             A: \"1\"\n    B: $A\n  script:\n    - make {job}\n    - |\n      echo one\n      \
             echo two\n  rules:\n    - if: $CI_COMMIT_BRANCH == \"main\"\n      when: manual\n",
            job / 2
        )
        .unwrap();
    }
    let best = (0..3)
        .map(|_| {
            let start = Instant::now();
            let loaded = load(&text, Schema::Psych, &Limits::default()).unwrap();
            assert_eq!(loaded.documents[0].as_mapping().unwrap().len(), 502);
            start.elapsed()
        })
        .min()
        .unwrap();
    // A few milliseconds when optimised.
    assert!(best < Duration::from_millis(500), "{best:?}");
}

proptest! {
    #[test]
    fn any_text_loads_or_is_refused_without_a_panic(
        text in "[a-c0-9:,.&*<!|>'\"\\[\\]{}?#~ \t\n-]{0,80}"
    ) {
        let _ = load(&text, Schema::Psych, &Limits::default());
        let _ = load(&text, Schema::Core, &Limits::default());
    }

    #[test]
    fn quoted_texts_come_back_unchanged(text in "[ -~é]{0,40}") {
        let quoted = format!("'{}'", text.replace('\'', "''"));
        let loaded = load(&quoted, Schema::Psych, &Limits::default()).unwrap();
        prop_assert_eq!(loaded.documents[0].as_str(), Some(text.as_str()));
    }
}
