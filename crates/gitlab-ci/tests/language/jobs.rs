//! What a plan says about a job: script, artifacts, tags, retry, stage.

use rstest::rstest;
use tappet_model::FailureReason;
use tappet_model::plan::{
    AllowFailure, ArtifactSources, ArtifactWhen, ReportKind, ReportSpec, When,
};

use crate::scenario::file;

#[test]
fn jobs_come_in_stage_order_and_inside_a_stage_in_file_order() {
    let scenario = file(
        "\
stages: [one, two]
d: {stage: two, script: x}
b: {stage: one, script: x}
z: {stage: .post, script: x}
c: {stage: two, script: x}
a: {stage: one, script: x}
y: {stage: .pre, script: x}
",
    );
    assert_eq!(scenario.jobs(), ["y", "b", "a", "d", "c", "z"]);
    let plan = scenario.plan();
    assert_eq!(plan.stages, [".pre", "one", "two", ".post"]);
    let stages: Vec<usize> = plan.jobs.iter().map(|job| job.stage).collect();
    assert_eq!(stages, [0, 1, 1, 2, 2, 3]);
}

#[test]
fn unused_stages_vanish() {
    let plan = file("stages: [a, b, c]\nj: {stage: c, script: x}\ni: {stage: a, script: x}").plan();
    assert_eq!(plan.stages, ["a", "c"]);
    assert_eq!(plan.jobs[1].stage, 1);
}

#[rstest]
#[case("j: {script: x}", "test")]
#[case("j: {stage: build, script: x}", "build")]
#[case("j: {stage: deploy, script: x}", "deploy")]
#[case("stages: [test, [a, [b]]]\nj: {stage: b, script: x}", "b")]
#[case("stages:\nj: {stage: build, script: x}", "build")]
fn the_stage(#[case] text: &str, #[case] stage: &str) {
    assert_eq!(file(text).plan().stages, [stage]);
}

#[rstest]
#[case("stages: [.post, a, .pre]")]
#[case("stages: [a, a]")]
fn the_edges_stay_at_the_edges(#[case] stages: &str) {
    let text =
        "z: {stage: .post, script: x}\nj: {stage: a, script: x}\na: {stage: .pre, script: x}";
    assert_eq!(
        file(&format!("{stages}\n{text}")).plan().stages,
        [".pre", "a", ".post"]
    );
}

#[rstest]
#[case("x", &["x"])]
#[case("[a, b]", &["a", "b"])]
#[case("[a, [b, [c]], d]", &["a", "b", "c", "d"])]
#[case("|\n    a\n    b\n", &["a\nb\n"])]
#[case("['']", &[""])]
#[case(":sym", &["sym"])]
fn a_script(#[case] script: &str, #[case] expected: &[&str]) {
    assert_eq!(
        file(&format!("j:\n  script: {script}")).spec("j").script,
        expected
    );
}

#[test]
fn before_script_comes_first_and_after_script_stays_apart() {
    let spec = file("j: {before_script: [a], script: [b, c], after_script: d}").spec("j");
    assert_eq!(spec.script, ["a", "b", "c"]);
    assert_eq!(spec.after_script, ["d"]);
}

#[test]
fn an_anchored_list_nests_in_a_script() {
    let spec = file(".lines: &lines [a, b]\nj: {script: [*lines, c]}").spec("j");
    assert_eq!(spec.script, ["a", "b", "c"]);
}

#[test]
fn a_merge_key_gives_a_job_its_keys() {
    let scenario = file(".base: &base {script: base, tags: [t]}\nj: {<<: *base, script: own}");
    assert_eq!(scenario.spec("j").script, ["own"]);
    assert_eq!(scenario.job("j").tags, ["t"]);
}

#[rstest]
#[case("", When::OnSuccess, AllowFailure::No)]
#[case("when: ~", When::OnSuccess, AllowFailure::No)]
#[case("when: on_success", When::OnSuccess, AllowFailure::No)]
#[case("when: on_failure", When::OnFailure, AllowFailure::No)]
#[case("when: always", When::Always, AllowFailure::No)]
#[case("when: manual", When::Manual, AllowFailure::Yes)]
#[case("when: manual, allow_failure: false", When::Manual, AllowFailure::No)]
#[case("when: manual, allow_failure: ~", When::Manual, AllowFailure::Yes)]
#[case("when: delayed, start_in: 5 seconds", delayed(5), AllowFailure::No)]
#[case("when: delayed, start_in: '90'", delayed(90), AllowFailure::No)]
#[case("when: delayed, start_in: 1h 30m", delayed(5_400), AllowFailure::No)]
#[case("when: delayed, start_in: 1 week", delayed(604_800), AllowFailure::No)]
#[case(
    "when: delayed, start_in: one day, allow_failure: true",
    delayed(86_400),
    AllowFailure::Yes
)]
#[case("allow_failure: true", When::OnSuccess, AllowFailure::Yes)]
#[case("allow_failure: false", When::OnSuccess, AllowFailure::No)]
#[case("allow_failure: {exit_codes: 137}", When::OnSuccess, AllowFailure::ExitCodes(vec![137]))]
#[case("allow_failure: {exit_codes: [1, 2]}", When::OnSuccess, AllowFailure::ExitCodes(vec![1, 2]))]
#[case("when: manual, allow_failure: {exit_codes: 1}", When::Manual, AllowFailure::ExitCodes(vec![1]))]
#[case("allow_failure: {}", When::OnSuccess, AllowFailure::No)]
fn when_and_allow_failure(
    #[case] keys: &str,
    #[case] when: When,
    #[case] allow_failure: AllowFailure,
) {
    let job = file(&format!("j: {{script: x, {keys}}}")).job("j");
    assert_eq!((job.when, job.allow_failure), (when, allow_failure));
    assert_eq!(job.spec.manual, when.is_action());
}

fn delayed(start_in_s: u64) -> When {
    When::Delayed { start_in_s }
}

#[test]
fn tags_keep_their_order() {
    assert_eq!(
        file("j: {script: x, tags: [b, a]}").job("j").tags,
        ["b", "a"]
    );
}

#[test]
fn tags_expand_known_variables_and_keep_unknown_ones() {
    let scenario = file(
        "variables: {OS: linux}\nj: {script: x, variables: {ARCH: arm}, tags: ['$OS-${ARCH}', $RUN, $NOPE]}",
    )
    .with("RUN", "big");
    assert_eq!(scenario.job("j").tags, ["linux-arm", "big", "$NOPE"]);
}

#[test]
fn forty_nine_tags_are_allowed_and_fifty_are_not() {
    let tags = |count: usize| {
        let tags: Vec<String> = (0..count).map(|tag| format!("t{tag}")).collect();
        format!("j: {{script: x, tags: [{}]}}", tags.join(", "))
    };
    assert_eq!(file(&tags(49)).job("j").tags.len(), 49);
    assert_eq!(
        crate::scenario::message(&tags(50)),
        "jobs:j:tags config must be less than the limit of 50 tags"
    );
}

#[rstest]
#[case("1h 30m", 5400)]
#[case("3600 seconds", 3600)]
#[case("10 minutes", 600)]
#[case("1 day", 86_400)]
fn a_timeout(#[case] text: &str, #[case] seconds: u64) {
    let spec = file(&format!("j: {{script: x, timeout: {text}}}")).spec("j");
    assert_eq!(spec.timeout_s, Some(seconds));
}

#[rstest]
#[case("retry: 0", 0, None, &[])]
#[case("retry: 2", 2, None, &[])]
#[case("retry: {max: 1}", 1, None, &[])]
#[case("retry: {max: 2, when: always}", 2, None, &[])]
#[case("retry: {max: 2, when: [script_failure, always]}", 2, None, &[])]
#[case("retry: {max: 2, when: script_failure}", 2, Some(vec![FailureReason::ScriptFailure]), &[])]
#[case("retry: {max: 1, when: [runner_system_failure, stuck_or_timeout_failure]}", 1,
    Some(vec![FailureReason::RunnerSystemFailure, FailureReason::StuckOrTimeoutFailure]), &[])]
#[case("retry: {max: 1, when: ci_quota_exceeded}", 1, Some(vec![]), &[])]
#[case("retry: {max: 1, exit_codes: 137}", 1, Some(vec![]), &[137])]
#[case("retry: {max: 1, exit_codes: [1, 2], when: api_failure}", 1, Some(vec![FailureReason::ApiFailure]), &[1, 2])]
fn a_retry(
    #[case] keys: &str,
    #[case] max: u32,
    #[case] when: Option<Vec<FailureReason>>,
    #[case] exit_codes: &[i32],
) {
    let retry = file(&format!("j: {{script: x, {keys}}}")).job("j").retry;
    assert_eq!(retry.max, max);
    assert_eq!(retry.when, when);
    assert_eq!(retry.exit_codes, exit_codes);
}

#[test]
fn artifacts_with_all_keys() {
    let spec = file(
        "j: {script: x, artifacts: {name: out, paths: [a, b/], exclude: [c], untracked: true, when: always, expire_in: 1 week}}",
    )
    .spec("j");
    let artifacts = spec.artifacts.unwrap();
    assert_eq!(artifacts.name.as_deref(), Some("out"));
    assert_eq!(artifacts.paths, ["a", "b/"]);
    assert_eq!(artifacts.exclude, ["c"]);
    assert!(artifacts.untracked);
    assert_eq!(artifacts.when, ArtifactWhen::Always);
    assert_eq!(artifacts.expire_in.as_deref(), Some("1 week"));
}

#[rstest]
#[case("{paths: [a]}", ArtifactWhen::OnSuccess)]
#[case("{paths: [a], when: on_failure}", ArtifactWhen::OnFailure)]
fn artifacts_are_kept_on(#[case] artifacts: &str, #[case] when: ArtifactWhen) {
    let spec = file(&format!("j: {{script: x, artifacts: {artifacts}}}")).spec("j");
    assert_eq!(spec.artifacts.unwrap().when, when);
}

#[test]
fn reports_are_one_path_or_several_in_the_order_of_the_file() {
    let spec =
        file("j: {script: x, artifacts: {reports: {dotenv: build.env, junit: [a.xml, b/*.xml]}}}")
            .spec("j");
    let report = |kind, paths: &[&str]| ReportSpec {
        kind,
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    };
    assert_eq!(
        spec.artifacts.unwrap().reports,
        [
            report(ReportKind::Dotenv, &["build.env"]),
            report(ReportKind::Junit, &["a.xml", "b/*.xml"])
        ]
    );
}

#[test]
fn reports_without_a_path_are_nothing_to_keep() {
    let spec = file("j: {script: x, artifacts: {reports: {junit: [], dotenv: null}}}").spec("j");
    assert_eq!(spec.artifacts, None);
}

#[test]
fn artifacts_may_never_expire() {
    let spec = file("j: {script: x, artifacts: {paths: [a], expire_in: never}}").spec("j");
    assert_eq!(spec.artifacts.unwrap().expire_in.as_deref(), Some("never"));
}

#[test]
fn artifacts_without_files_are_none() {
    assert_eq!(
        file("j: {script: x, artifacts: {name: out}}")
            .spec("j")
            .artifacts,
        None
    );
}

#[rstest]
#[case("", ArtifactSources::EarlierStages)]
#[case("dependencies: []", ArtifactSources::Jobs(vec![]))]
#[case("dependencies: [a]", ArtifactSources::Jobs(vec!["a".into()]))]
#[case("needs: []", ArtifactSources::Jobs(vec![]))]
#[case("needs: [a, b]", ArtifactSources::Jobs(vec!["a".into(), "b".into()]))]
#[case("needs: [{job: a, artifacts: false}, b]", ArtifactSources::Jobs(vec!["b".into()]))]
#[case("needs: [a, b], dependencies: [b]", ArtifactSources::Jobs(vec!["b".into()]))]
#[case("needs: [a, b], dependencies: []", ArtifactSources::Jobs(vec![]))]
fn whose_artifacts_are_restored(#[case] keys: &str, #[case] expected: ArtifactSources) {
    let scenario = file(&format!(
        "a: {{stage: build, script: x}}\nb: {{stage: build, script: x}}\nj: {{script: x, {keys}}}"
    ));
    assert_eq!(scenario.spec("j").artifact_sources, expected);
}

#[test]
fn a_dependency_that_rules_left_out_gives_nothing() {
    let scenario = file(
        "\
a: {stage: build, script: x, rules: [{when: never}]}
b: {stage: build, script: x}
j: {script: x, dependencies: [a, b]}
",
    );
    assert_eq!(
        scenario.spec("j").artifact_sources,
        ArtifactSources::Jobs(vec!["b".into()])
    );
}
