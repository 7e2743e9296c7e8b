//! `needs` once rules have decided.

use rstest::rstest;
use tappet_gitlab_ci::PlanError;
use tappet_model::plan::{ArtifactSources, Need};

use crate::scenario::{Scenario, file};

fn needed(scenario: &Scenario, job: &str) -> Vec<String> {
    let jobs = scenario.plan().jobs;
    let needs = scenario.job(job).needs.expect("the job has needs");
    needs
        .iter()
        .map(|need| jobs[need.job].name.clone())
        .collect()
}

const JOBS: &str = "\
a: {stage: build, script: x}
gone: {stage: build, script: x, rules: [{if: $HERE}]}
b: {stage: build, script: x}
";

#[test]
fn without_the_keyword_a_job_waits_for_its_stage() {
    assert_eq!(
        file(&format!("{JOBS}j: {{script: x}}")).job("j").needs,
        None
    );
}

#[test]
fn an_empty_list_waits_for_nothing() {
    let job = file(&format!("{JOBS}j: {{script: x, needs: []}}")).job("j");
    assert_eq!(job.needs, Some(vec![]));
}

#[rstest]
#[case("[a, b]", &["a", "b"])]
#[case("[b, a]", &["b", "a"])]
#[case("[[a], [[b]]]", &["a", "b"])]
#[case("{job: a}", &["a"])]
#[case("[{job: gone, optional: true}, b]", &["b"])]
#[case("[{job: gone, optional: true}]", &[])]
#[case("[{job: nowhere, optional: true}, a]", &["a"])]
fn names_become_places_in_the_plan(#[case] needs: &str, #[case] expected: &[&str]) {
    let scenario = file(&format!("{JOBS}j: {{script: x, needs: {needs}}}"));
    assert_eq!(needed(&scenario, "j"), expected);
}

#[test]
fn an_optional_job_that_is_there_is_needed() {
    let scenario = file(&format!(
        "{JOBS}j: {{script: x, needs: [{{job: gone, optional: true}}]}}"
    ))
    .with("HERE", "1");
    assert_eq!(needed(&scenario, "j"), ["gone"]);
    assert_eq!(
        scenario.spec("j").artifact_sources,
        ArtifactSources::Jobs(vec!["gone".into()])
    );
}

#[test]
fn artifacts_of_an_absent_optional_job_are_not_asked_for() {
    let scenario = file(&format!(
        "{JOBS}j: {{script: x, needs: [a, {{job: gone, optional: true}}]}}"
    ));
    assert_eq!(
        scenario.spec("j").artifact_sources,
        ArtifactSources::Jobs(vec!["a".into()])
    );
}

#[rstest]
#[case("a", true)]
#[case("{job: a}", true)]
#[case("{job: a, artifacts: true}", true)]
#[case("{job: a, artifacts: false}", false)]
fn artifacts_come_along(#[case] need: &str, #[case] artifacts: bool) {
    let job = file(&format!("{JOBS}j: {{script: x, needs: [{need}]}}")).job("j");
    assert_eq!(job.needs, Some(vec![Need { job: 0, artifacts }]));
}

#[test]
fn a_need_of_the_same_stage_is_allowed() {
    let scenario = file("a: {script: x, needs: [b]}\nb: {script: x}");
    assert_eq!(needed(&scenario, "a"), ["b"]);
}

#[test]
fn a_needed_job_that_rules_left_out_is_an_error() {
    let scenario = file(&format!("{JOBS}j:\n  script: x\n  needs:\n    - gone\n"));
    let error = scenario.refused();
    assert_eq!(
        error.to_string(),
        "'j' job needs 'gone' job, but 'gone' does not exist in the pipeline. This might be \
         because of the only, except, or rules keywords. To need a job that sometimes does not \
         exist in the pipeline, use needs:optional."
    );
    let PlanError::Invalid(errors) = error else {
        panic!("{error:?}");
    };
    assert_eq!(errors[0].position.unwrap().line, 7);
}

#[test]
fn a_left_out_job_may_need_anything() {
    let scenario = file(&format!(
        "{JOBS}j: {{script: x, needs: [gone], rules: [{{if: $HERE}}]}}"
    ));
    assert_eq!(scenario.jobs(), ["a", "b"]);
}

fn many(count: usize) -> Scenario {
    let jobs: Vec<String> = (0..count).map(|job| format!("j{job}")).collect();
    let mut text: String = jobs
        .iter()
        .map(|job| format!("{job}: {{stage: build, script: x}}\n"))
        .collect();
    text.push_str(&format!(
        "last: {{script: x, needs: [{}]}}\n",
        jobs.join(", ")
    ));
    file(&text)
}

#[test]
fn fifty_needs_are_allowed_and_fifty_one_are_not() {
    assert_eq!(needed(&many(50), "last").len(), 50);
    assert_eq!(
        many(51).refused().to_string(),
        "last: one job can only need 50 others, but you have listed 51. See needs keyword \
         documentation for more details"
    );
}

#[test]
fn needs_of_rules_cannot_close_a_circle() {
    let scenario = file(
        "a: {script: x, rules: [{if: $ROUND, needs: [b]}, {when: always}]}\nb: {script: x, needs: [a]}",
    );
    assert_eq!(scenario.jobs(), ["a", "b"]);
    assert_eq!(
        scenario.with("ROUND", "1").refused().to_string(),
        "The pipeline has circular dependencies: topological sort failed: [\"a\", \"b\"]"
    );
}
