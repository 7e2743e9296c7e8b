//! `only` and `except`.

use rstest::rstest;
use tappet_model::Source;

use crate::scenario::{Scenario, file};

fn scenario(keys: &str) -> Scenario {
    file(&format!(
        "ok: {{script: x, only: [/./, branches, tags, merge_requests]}}\nj:\n  script: x\n  {keys}\n"
    ))
}

fn is_included(scenario: &Scenario) -> bool {
    scenario.jobs().contains(&"j".to_owned())
}

/// Keys, then: on branch `main`, on tag `v1.0`, both by a push.
#[rstest]
#[case("tags: []", true, true)]
#[case("only: [branches]", true, false)]
#[case("only: [tags]", false, true)]
#[case("only: [branches, tags]", true, true)]
#[case("only: []", false, false)]
#[case("only: [main]", true, false)]
#[case("only: [v1.0]", false, true)]
#[case("only: [mai]", false, false)]
#[case("only: [/mai/]", true, false)]
#[case("only: [/^MAIN$/]", false, false)]
#[case("only: [/^MAIN$/i]", true, false)]
#[case("only: ['/^v\\d+\\.\\d+$/']", false, true)]
#[case("only: [pushes]", true, true)]
#[case("only: [push]", true, true)]
#[case("only: [web]", false, false)]
#[case("only: [branches@group/project]", true, false)]
#[case("only: [branches@other/project]", false, false)]
#[case("only: [main@group/project]", true, false)]
#[case("only: ['/^ma/@group/project']", true, false)]
#[case("only: ['/^ma/@group']", false, false)]
#[case("only: ['main@']", false, false)]
#[case("except: [branches]", false, true)]
#[case("except: [tags]", true, false)]
#[case("except: [main]", false, true)]
#[case("except: [/^v/]", true, false)]
#[case("except: [pushes]", false, false)]
#[case("except: [web]", true, true)]
#[case("except: []", true, true)]
#[case("except: [branches@other/project]", true, true)]
#[case("only: {refs: [branches]}", true, false)]
#[case("only: {variables: [$YES]}", true, true)]
#[case("only: {variables: [$NO]}", false, false)]
#[case("only: {variables: [$NO, $YES]}", true, true)]
#[case("only: {variables: []}", false, false)]
#[case("only: {refs: [tags], variables: [$YES]}", false, true)]
#[case("only: {refs: [tags], variables: [$NO]}", false, false)]
#[case("except: {variables: [$YES]}", false, false)]
#[case("except: {variables: [$NO]}", true, true)]
#[case("except: {refs: [tags], variables: [$NO]}", true, false)]
#[case("except: {refs: [tags], variables: [$YES]}", false, false)]
fn refs(#[case] keys: &str, #[case] on_branch: bool, #[case] on_tag: bool) {
    let scenario = scenario(keys).with("YES", "1");
    assert_eq!(is_included(&scenario), on_branch, "on a branch");
    assert_eq!(is_included(&scenario.on_tag("v1.0")), on_tag, "on a tag");
}

#[rstest]
#[case(Source::Push, &["push", "pushes"])]
#[case(Source::Web, &["web", "webs"])]
#[case(Source::Trigger, &["trigger", "triggers"])]
#[case(Source::Schedule, &["schedule", "schedules"])]
#[case(Source::Api, &["api", "apis"])]
#[case(Source::External, &["external", "externals"])]
#[case(Source::Pipeline, &["pipeline", "pipelines"])]
#[case(Source::Chat, &["chat", "chats"])]
#[case(Source::Webide, &["webide", "webides"])]
#[case(Source::MergeRequestEvent, &["merge_request", "merge_requests"])]
#[case(Source::ExternalPullRequestEvent, &["external_pull_request", "external_pull_requests"])]
#[case(Source::ParentPipeline, &["parent_pipeline", "parent_pipelines"])]
fn a_source_has_one_word_and_its_plural(#[case] source: Source, #[case] words: &[&str]) {
    let all = [
        "push",
        "pushes",
        "web",
        "webs",
        "trigger",
        "triggers",
        "schedule",
        "schedules",
        "api",
        "apis",
        "external",
        "externals",
        "pipeline",
        "pipelines",
        "chat",
        "chats",
        "webide",
        "webides",
        "merge_request",
        "merge_requests",
        "external_pull_request",
        "external_pull_requests",
        "parent_pipeline",
        "parent_pipelines",
    ];
    for word in all {
        let scenario = scenario(&format!("only: [{word}]")).from(source);
        assert_eq!(is_included(&scenario), words.contains(&word), "{word}");
    }
}

#[rstest]
#[case("only: [merge_requests]", true)]
#[case("only: [branches]", false)]
#[case("only: [main]", false)]
#[case("only: [/main/]", false)]
#[case("tags: []", false)]
#[case("rules: [{when: always}]", true)]
fn a_merge_request_is_no_branch(#[case] keys: &str, #[case] included: bool) {
    let scenario = scenario(keys).from(Source::MergeRequestEvent);
    assert_eq!(is_included(&scenario), included);
}

#[test]
fn workflow_rules_take_the_default_away() {
    let scenario =
        file("workflow: {rules: [{when: always}]}\nj: {script: x}").from(Source::MergeRequestEvent);
    assert_eq!(scenario.jobs(), ["j"]);
}

#[test]
fn except_keeps_the_default_of_only() {
    let scenario = scenario("except: [main]").from(Source::MergeRequestEvent);
    assert!(!is_included(&scenario));
}

#[rstest]
#[case(
    "only: [tags]",
    "only: tags does not match branch main started by push"
)]
#[case(
    "only: [tags, web]",
    "only: tags, web does not match branch main started by push"
)]
#[case("only: []", "only: [] does not match branch main started by push")]
#[case("only: {variables: [$NO]}", "only: no expression of variables is true")]
#[case(
    "except: [x, main]",
    "except: main matches branch main started by push"
)]
#[case(
    "except: {variables: [$YES]}",
    "except: an expression of variables is true"
)]
fn a_job_is_left_out_because(#[case] keys: &str, #[case] reason: &str) {
    assert_eq!(scenario(keys).with("YES", "1").reason("j"), reason);
}

#[test]
fn policies_see_variables_of_the_job() {
    let scenario = scenario("only: {variables: [$A == \"job\"]}\n  variables: {A: job}");
    assert!(is_included(&scenario));
}

#[rstest]
#[case("only: [branches]", true)]
#[case("only: [tags]", false)]
#[case("only: [main]", false)]
#[case("except: [branches]", false)]
#[case("tags: []", true)]
fn a_commit_without_a_ref_counts_as_no_tag(#[case] keys: &str, #[case] expected: bool) {
    let scenario = scenario(keys).on_commit(&"c".repeat(40));
    assert_eq!(is_included(&scenario), expected);
}
