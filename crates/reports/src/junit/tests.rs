//! JUnit files as tools write them, as they break, and as attackers write them.

use std::fmt::Write as _;

use rstest::rstest;

use super::*;
use crate::{Counts, Outcome, TestCase};

fn parse(xml: &str) -> TestSuite {
    let mut suite = TestSuite::new("rspec");
    read(xml.as_bytes(), 7, &mut suite);
    suite
}

fn cases(xml: &str) -> Vec<TestCase> {
    let suite = parse(xml);
    assert_eq!(suite.error(), None);
    suite.sorted_cases().into_iter().cloned().collect()
}

/// The only test case of a suite, with this inside.
fn case_with(content: &str) -> TestCase {
    let xml = format!(
        "<testsuite name='Math'><testcase classname='Calculator' name='sum' time='0.01' \
         file='a.rb'>{content}</testcase></testsuite>"
    );
    cases(&xml).remove(0)
}

#[test]
fn a_test_case_keeps_its_attributes() {
    let case = case_with("");
    assert_eq!(case.suite_name, "Math");
    assert_eq!(case.classname.as_deref(), Some("Calculator"));
    assert_eq!(case.name.as_deref(), Some("sum"));
    assert_eq!(case.file.as_deref(), Some("a.rb"));
    assert_eq!(case.execution_time, 0.01);
}

#[rstest]
#[case::passed("", Outcome::Success, None)]
#[case::output_of_a_good_test("<system-out>x</system-out>", Outcome::Success, None)]
#[case::unknown("<foo>bar</foo>", Outcome::Success, None)]
#[case::failure("<failure>Some</failure>", Outcome::Failed, Some("Some"))]
#[case::failure_by_attribute("<failure message='m &lt; n'/>", Outcome::Failed, Some("m < n"))]
#[case::text_before_attribute("<failure message='m'>text</failure>", Outcome::Failed, Some("text"))]
#[case::cdata(
    "<failure><![CDATA[a < b]]> &amp; &#65;</failure>",
    Outcome::Failed,
    Some("a < b & A")
)]
#[case::silent_failure("<failure/>", Outcome::Failed, Some(""))]
#[case::failure_with_err(
    "<failure></failure><system-err>bad</system-err>",
    Outcome::Failed,
    Some("System Err:\n\nbad")
)]
#[case::error_with_all(
    "<error>E</error><system-out>o</system-out><system-err>e</system-err>",
    Outcome::Error,
    Some("E\n\nSystem Out:\n\no\n\nSystem Err:\n\ne")
)]
#[case::two_failures(
    "<failure>a</failure><failure>b</failure>",
    Outcome::Failed,
    Some("a\n\nb")
)]
#[case::failure_wins(
    "<skipped/><error>e</error><failure>f</failure>",
    Outcome::Failed,
    Some("f")
)]
#[case::skipped("<skipped/>", Outcome::Skipped, None)]
#[case::skipped_why("<skipped message='later'/>", Outcome::Skipped, Some("later"))]
fn parts_decide_the_outcome(
    #[case] content: &str,
    #[case] outcome: Outcome,
    #[case] output: Option<&str>,
) {
    let case = case_with(content);
    assert_eq!(
        (case.outcome, case.system_output.as_deref()),
        (outcome, output)
    );
}

#[test]
fn a_failed_test_may_name_an_attachment() {
    let out = "<system-out>see [[ATTACHMENT|a/b.png]]</system-out>";
    assert_eq!(
        case_with(&format!("<failure/>{out}")).attachment.as_deref(),
        Some("a/b.png")
    );
    assert_eq!(case_with(&format!("<skipped/>{out}")).attachment, None);
}

#[test]
fn suites_nest_and_the_nearest_name_counts() {
    let names: Vec<String> = cases(
        "<?xml version='1.0' encoding='UTF-8'?>
         <testsuites name='all'>
           <testcase name='a' time='5'/>
           <testsuite name='outer'>
             <testsuite name='inner'><testcase name='b' time='4'/></testsuite>
             <testcase name='c' time='3'/>
           </testsuite>
           <testsuite><testcase name='d' time='2'/></testsuite>
         </testsuites>",
    )
    .into_iter()
    .map(|case| case.suite_name)
    .collect();
    assert_eq!(names, ["all", "inner", "outer", "rspec"]);
}

#[rstest]
#[case::empty_suite("<testsuite></testsuite>")]
#[case::empty_suites("<testsuites><testsuite/></testsuites>")]
#[case::another_root("<report><testsuite><testcase name='a'/></testsuite></report>")]
#[case::case_without_suite("<testcase name='a'/>")]
#[case::suites_in_suites("<testsuites><testsuites><testcase name='a'/></testsuites></testsuites>")]
#[case::properties("<testsuite><properties><testcase name='a'/></properties></testsuite>")]
#[case::blank_case("<testsuite><testcase/></testsuite>")]
fn these_hold_no_results(#[case] xml: &str) {
    assert!(cases(xml).is_empty());
}

#[test]
fn a_doctype_without_declarations_is_passed_over() {
    let xml = "<!DOCTYPE testsuite><testsuite><testcase name='a'/></testsuite>";
    assert_eq!(parse(xml).counts().success, 1);
}

#[rstest]
#[case::nothing("", "1:1: FATAL: Document is empty")]
#[case::other_text(
    "{\"testsuite\":\"abc\"}",
    "1:1: FATAL: Start tag expected, '<' not found"
)]
#[case::cut_off(
    "<testsuite>\n<testcase name='a'>",
    "2:20: FATAL: Premature end of data in tag testcase line 2"
)]
#[case::mismatch(
    "<testsuite>\n<testcase name='a'>\n</testsuite>",
    "3:13: FATAL: Opening and ending tag mismatch: testcase line 2 and testsuite"
)]
#[case::two_roots(
    "<testsuite/>\n<testsuite/>",
    "2:1: FATAL: Extra content at the end of the document"
)]
#[case::unknown_entity(
    "<testsuite>&boom;</testsuite>",
    "1:18: FATAL: Entity 'boom' not defined"
)]
fn broken_files_say_where(#[case] xml: &str, #[case] error: &str) {
    let suite = parse(xml);
    assert_eq!(
        suite.error(),
        Some(format!("JUnit XML parsing failed: {error}").as_str())
    );
    assert_eq!(suite.counts(), Counts::default());
}

#[rstest]
#[case::no_text_encoding(b"<testsuite name='\xff'/>".to_vec())]
#[case::billion_laughs(billion_laughs())]
#[case::external_entity(
    b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><testsuite name='&x;'/>".to_vec()
)]
#[case::depth(b"<testsuite>".repeat(100_000))]
#[case::attribute_twice(b"<testsuite><testcase name='a' name='b'/></testsuite>".to_vec())]
#[case::open_tag([b"<testsuite a='".to_vec(), vec![b'x'; 1_000_000]].concat())]
fn hostile_files_are_refused(#[case] xml: Vec<u8>) {
    let mut suite = TestSuite::new("rspec");
    read(&xml[..], 7, &mut suite);
    let error = suite.error().unwrap_or_default();
    assert!(error.starts_with("JUnit XML parsing failed: 1:"), "{error}");
    assert!(error.len() < 300);
}

fn billion_laughs() -> Vec<u8> {
    let mut xml = "<!DOCTYPE testsuite [<!ENTITY a0 'ha'>".to_owned();
    for level in 1..30 {
        let below = format!("&a{};", level - 1).repeat(10);
        write!(xml, "<!ENTITY a{level} '{below}'>").unwrap();
    }
    xml.push_str("]><testsuite><testcase name='&a29;'/></testsuite>");
    xml.into_bytes()
}

#[test]
fn too_many_cases_are_refused_as_a_whole() {
    let mut suite = TestSuite::new("rspec");
    let xml = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>";
    read_at_most(1, xml.as_bytes(), 7, &mut suite);
    assert_eq!(
        suite.error(),
        Some("JUnit data parsing failed: number of test cases exceeded the limit of 1")
    );
}

#[test]
fn an_upload_that_is_not_packed_is_an_error_of_the_suite() {
    let mut suite = TestSuite::new("rspec");
    read_upload(&b"<testsuite/>"[..], 7, &mut suite);
    let error = suite.error().unwrap_or_default();
    assert!(
        error.starts_with("JUnit data parsing failed: not in gzip format"),
        "{error}"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_brings_the_reader_down(xml in "(<testsuite|<testcase|<failure|</|/>|>|&|;|'|=|a| |<!\\[CDATA\\[|\\]\\]>|<!--|-->|<\\?){0,30}") {
        parse(&xml);
    }
}
