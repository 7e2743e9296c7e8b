//! How a run moves, against what GitLab does in the same situation: one case
//! for each file of GitLab's `spec/services/ci/pipeline_processing/test_cases/`,
//! under its name. Jobs that rules leave out are not part of the graph.

#[path = "support/scenario.rs"]
mod scenario;

use rstest::rstest;
use scenario::Scenario;

#[rstest]
#[case::dag_build2_build1_rules_out_test_needs_build1_with_optional(
    "build2@build; test@test needs()",
    &[
        "start -> pending: build2 test pending",
        "success test -> running: build2 pending, test success",
        "success build2 -> success: build2 test success",
    ],
)]
#[case::dag_build_fails(
    "build@build; test@test needs(build); deploy@deploy",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> failed: build failed, test deploy skipped",
    ],
)]
#[case::dag_build_fails_deploy_is_delayed_and_needs_test(
    "build@build; test@test; deploy@deploy delayed needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> failed: build failed, test deploy skipped",
    ],
)]
#[case::dag_build_fails_deploy_is_manual_and_needs_test(
    "build@build; test@test; deploy@deploy manual needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> failed: build failed, test deploy skipped",
    ],
)]
#[case::dag_build_fails_deploy_needs_test(
    "build@build; test@test; deploy@deploy needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> failed: build failed, test deploy skipped",
    ],
)]
#[case::dag_build_fails_deploy_needs_test_when_always(
    "build@build; test@test; deploy@deploy always needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> running: build failed, test skipped, deploy pending",
    ],
)]
#[case::dag_build_fails_other_build_succeeds_deploy_needs_one_build_and_test(
    "build_1@build; build_2@build; test@test; deploy@deploy needs(build_1 test)",
    &[
        "start -> pending: build_1 build_2 pending, test deploy created",
        "success build_1 -> running: build_1 success, build_2 pending, test deploy created",
        "drop build_2 -> failed: build_1 success, build_2 failed, test deploy skipped",
    ],
)]
#[case::dag_build_fails_other_build_succeeds_deploy_needs_one_build_and_test_when_always(
    "build_1@build; build_2@build; test@test; deploy@deploy always needs(build_1 test)",
    &[
        "start -> pending: build_1 build_2 pending, test deploy created",
        "success build_1 -> running: build_1 success, build_2 pending, test deploy created",
        "drop build_2 -> running: build_1 success, build_2 failed, test skipped, deploy pending",
    ],
)]
#[case::dag_build_fails_test_always(
    "build@build; test@test always needs(build)",
    &[
        "start -> pending: build pending, test created",
        "drop build -> running: build failed, test pending",
    ],
)]
#[case::dag_build_fails_test_fails_with_allow_failure(
    "build@build; test@test may_fail; deploy@deploy needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> failed: build failed, test deploy skipped",
    ],
)]
#[case::dag_build_fails_test_on_failure(
    "build@build; test@test on_failure needs(build)",
    &[
        "start -> pending: build pending, test created",
        "drop build -> running: build failed, test pending",
    ],
)]
#[case::dag_build_fails_test_on_failure_deploy_needs_test(
    "build@build; test@test on_failure; deploy@deploy needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> running: build failed, test pending, deploy created",
        "success test -> running: build failed, test success, deploy pending",
        "success deploy -> failed: build failed, test deploy success",
    ],
)]
#[case::dag_build_fails_test_skips_rollback_on_failure(
    "build@build; test@test; deploy@deploy needs(build test); \
     rollback@deploy on_failure needs(build test)",
    &[
        "start -> pending: build pending, test deploy rollback created",
        "drop build -> failed: build failed, test deploy rollback skipped",
    ],
)]
#[case::dag_build_fails_with_allow_failure_test_on_failure(
    "build@build may_fail; test@test on_failure needs(build); deploy@deploy needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> success: build failed, test deploy skipped",
    ],
)]
#[case::dag_build_rules_out_test_needs_build_with_optional(
    "test@test needs()",
    &[
        "start -> pending: test pending",
        "success test -> success: test success",
    ],
)]
#[case::dag_build_succeds_test_manual_allow_failure_true_deploy_needs_both(
    "build@build; test@test manual; deploy@deploy needs(build test)",
    &[
        "start -> pending: build pending, test deploy created",
        "success build -> success: build success, test manual, deploy skipped",
    ],
)]
#[case::dag_build_succeds_test_manual_allow_failure_true_deploy_needs_test(
    "build@build; test@test manual; deploy@deploy needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "success build -> success: build success, test manual, deploy skipped",
    ],
)]
#[case::dag_build_succeeds_test_on_failure(
    "build@build; test@test on_failure needs(build)",
    &[
        "start -> pending: build pending, test created",
        "success build -> success: build success, test skipped",
    ],
)]
#[case::dag_build_succeeds_test_on_failure_deploy_needs_test(
    "build@build; test@test on_failure; deploy@deploy needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "success build -> success: build success, test deploy skipped",
    ],
)]
#[case::dag_build_test_manual_review_deploy(
    "build@build; test@test; release_test@test manual; \
     review@review needs(test release_test); staging@deploy needs(test release_test); \
     production@deploy needs(review)",
    &[
        "start -> pending: build pending, test release_test review staging production created",
        "success build -> running: build success, test pending, release_test manual, \
         review staging production skipped",
        "success test -> success: build test success, release_test manual, \
         review staging production skipped",
    ],
)]
#[case::dag_build_test_two_manual_review_test_staging_production(
    "build@build; test@test; release_test1@test manual; release_test2@test manual; \
     review@review needs(test release_test1 release_test2); \
     staging@deploy needs(release_test1); production@deploy needs(release_test2); \
     after_deploy@post_deploy needs(production); handle_failure@post_deploy on_failure",
    &[
        "start -> pending: build pending, \
         test release_test1 release_test2 review staging production after_deploy handle_failure created",
        "success build -> running: build success, test pending, \
         release_test1 release_test2 manual, review staging production after_deploy skipped, \
         handle_failure created",
        "success test -> success: build test success, release_test1 release_test2 manual, \
         review staging production after_deploy handle_failure skipped",
        "play release_test1 -> running: build test success, release_test1 pending, \
         release_test2 manual, review production after_deploy skipped, \
         staging handle_failure created",
        "success release_test1 -> running: build test release_test1 success, \
         release_test2 manual, review production after_deploy skipped, staging pending, \
         handle_failure created",
        "success staging -> success: build test release_test1 staging success, \
         release_test2 manual, review production after_deploy handle_failure skipped",
    ],
)]
#[case::dag_builds_succeed_test_on_failure_deploy_needs_one_build_and_test(
    "build_1@build; build_2@build; test@test on_failure; \
     deploy@deploy needs(build_1 test)",
    &[
        "start -> pending: build_1 build_2 pending, test deploy created",
        "success build_1 build_2 -> success: build_1 build_2 success, test deploy skipped",
    ],
)]
#[case::dag_builds_succeed_test_on_failure_deploy_needs_one_build_and_test_when_always(
    "build_1@build; build_2@build; test@test on_failure; \
     deploy@deploy always needs(build_1 test)",
    &[
        "start -> pending: build_1 build_2 pending, test deploy created",
        "success build_1 build_2 -> running: build_1 build_2 success, test skipped, \
         deploy pending",
        "success deploy -> success: build_1 build_2 deploy success, test skipped",
    ],
)]
#[case::dag_deploy_needs_empty(
    "build@build; test@test; deploy@deploy needs()",
    &[
        "start -> pending: build deploy pending, test created",
    ],
)]
#[case::dag_same_stage_with_fail_and_retry_1(
    "build@test; test@test needs(build); deploy@test needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> failed: build failed, test deploy skipped",
        "retry build -> running: build pending, test deploy created",
        "success build -> running: build success, test pending, deploy created",
    ],
)]
#[case::dag_same_stage_with_fail_and_retry_2(
    "build@test; test1@test needs(build); test2@test manual; \
     deploy@test needs(test1 test2)",
    &[
        "start -> pending: build pending, test1 created, test2 manual, deploy skipped",
        "drop build -> failed: build failed, test1 deploy skipped, test2 manual",
        "retry build -> running: build pending, test1 created, test2 manual, deploy skipped",
        "success build -> running: build success, test1 pending, test2 manual, deploy skipped",
    ],
)]
#[case::dag_same_stage_with_subsequent_manual_jobs(
    "job1@test manual; job2@test needs(job1); job3@test manual needs(job2); \
     job4@test needs(job3)",
    &[
        "start -> skipped: job1 manual, job2 job3 job4 skipped",
        "play job1 -> pending: job1 pending, job2 job3 job4 created",
        "success job1 -> running: job1 success, job2 pending, job3 job4 created",
        "success job2 -> success: job1 job2 success, job3 manual, job4 skipped",
    ],
)]
#[case::dag_same_stages(
    "build@test; test@test needs(build); deploy@test needs(test)",
    &[
        "start -> pending: build pending, test deploy created",
        "success build -> running: build success, test pending, deploy created",
        "success test -> running: build test success, deploy pending",
    ],
)]
#[case::dag_test_fails_with_allow_failure(
    "test@test may_fail; deploy@deploy needs(test)",
    &[
        "start -> pending: test pending, deploy created",
        "give_up test -> pending: test failed, deploy pending",
        "success deploy -> success: test failed, deploy success",
    ],
)]
#[case::dag_test_manual_allow_failure_false(
    "test@test manual blocking; deploy@deploy needs(test)",
    &[
        "start -> manual: test manual, deploy created",
        "play test -> pending: test pending, deploy created",
        "run test -> running: test running, deploy created",
        "success test -> running: test success, deploy pending",
        "success deploy -> success: test deploy success",
    ],
)]
#[case::dag_test_manual_allow_failure_false_deploy_always(
    "test@test manual blocking; deploy@deploy always needs(test)",
    &[
        "start -> manual: test manual, deploy created",
        "play test -> pending: test pending, deploy created",
        "drop test -> running: test failed, deploy pending",
    ],
)]
#[case::dag_test_manual_allow_failure_false_deploy_on_failure(
    "test@test manual blocking; deploy@deploy on_failure needs(test)",
    &[
        "start -> manual: test manual, deploy created",
        "play test -> pending: test pending, deploy created",
        "drop test -> running: test failed, deploy pending",
    ],
)]
#[case::dag_test_manual_allow_failure_false_other_test_succeeds_deploy_needs_both(
    "test1@test; test2@test manual blocking; deploy@deploy needs(test1 test2)",
    &[
        "start -> running: test1 pending, test2 manual, deploy created",
        "success test1 -> manual: test1 success, test2 manual, deploy created",
    ],
)]
#[case::dag_test_manual_allow_failure_true_deploy_always(
    "test@test manual; deploy@deploy always needs(test)",
    &[
        "start -> pending: test manual, deploy pending",
    ],
)]
#[case::dag_test_manual_allow_failure_true_deploy_on_failure(
    "test@test manual; deploy@deploy on_failure needs(test)",
    &[
        "start -> skipped: test manual, deploy skipped",
        "play test -> pending: test pending, deploy created",
        "drop test -> success: test failed, deploy skipped",
    ],
)]
#[case::dag_test_manual_allow_failure_true_fails(
    "test@test manual; deploy@deploy needs(test)",
    &[
        "start -> skipped: test manual, deploy skipped",
        "play test -> pending: test pending, deploy created",
        "run test -> running: test running, deploy created",
        "drop test -> running: test failed, deploy pending",
        "success deploy -> success: test failed, deploy success",
    ],
)]
#[case::dag_test_manual_allow_failure_true_other_test_succeeds_deploy_needs_both(
    "test1@test; test2@test manual; deploy@deploy needs(test1 test2)",
    &[
        "start -> pending: test1 pending, test2 manual, deploy skipped",
        "success test1 -> success: test1 success, test2 manual, deploy skipped",
    ],
)]
#[case::dag_test_manual_allow_failure_true_succeeds(
    "test@test manual; deploy@deploy needs(test)",
    &[
        "start -> skipped: test manual, deploy skipped",
        "play test -> pending: test pending, deploy created",
        "run test -> running: test running, deploy created",
        "success test -> running: test success, deploy pending",
        "success deploy -> success: test deploy success",
    ],
)]
#[case::dag_test_manual_post_test_needs_deploy_is_stage(
    "build@build; test@test manual; post_test@post_test needs(test); deploy@deploy",
    &[
        "start -> pending: build pending, test post_test deploy created",
        "success build -> running: build success, test manual, post_test skipped, deploy pending",
    ],
)]
#[case::dag_test_manual_same_and_different_stage_needs(
    "job_a@first manual; job_b@second manual; job_c@third needs(job_b); \
     job_d@third needs(job_a)",
    &[
        "start -> skipped: job_a job_b manual, job_c job_d skipped",
        "play job_b -> pending: job_a manual, job_b pending, job_c created, job_d skipped",
    ],
)]
#[case::dag_test_manual_same_stage_needs(
    "first_job@first; second_job@second manual; third_job@third needs(second_job); \
     fourth_job@fourth needs(third_job)",
    &[
        "start -> pending: first_job pending, second_job third_job fourth_job created",
        "success first_job -> success: first_job success, second_job manual, \
         third_job fourth_job skipped",
        "play second_job -> running: first_job success, second_job pending, \
         third_job fourth_job created",
    ],
)]
#[case::dag_test_on_failure_no_needs(
    "test1@test needs(); test2@test on_failure needs()",
    &[
        "start -> pending: test1 pending, test2 skipped",
        "success test1 -> success: test1 success, test2 skipped",
    ],
)]
#[case::stage_build_cancels_test1_and_test2_have_when(
    "build@build; test1@test; test2@test on_failure; deploy@deploy",
    &[
        "start -> pending: build pending, test1 test2 deploy created",
        "cancel build -> canceled: build canceled, test1 test2 deploy skipped",
    ],
)]
#[case::stage_build_cancels_with_allow_failure_test1_and_test2_have_when(
    "build@build may_fail; test1@test; test2@test on_failure; deploy@deploy",
    &[
        "start -> pending: build pending, test1 test2 deploy created",
        "cancel build -> pending: build canceled, test1 pending, test2 skipped, deploy created",
    ],
)]
#[case::stage_build_fails(
    "build@build; test@test; deploy@deploy",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> failed: build failed, test deploy skipped",
    ],
)]
#[case::stage_build_fails_test_on_failure(
    "build@build; test@test on_failure; deploy@deploy",
    &[
        "start -> pending: build pending, test deploy created",
        "drop build -> running: build failed, test pending, deploy created",
        "success test -> failed: build failed, test success, deploy skipped",
    ],
)]
#[case::stage_build_fails_with_allow_failure_test_on_failure(
    "build@build may_fail; test@test on_failure; deploy@deploy",
    &[
        "start -> pending: build pending, test deploy created",
        "give_up build -> pending: build failed, test skipped, deploy pending",
        "success deploy -> success: build failed, test skipped, deploy success",
    ],
)]
#[case::stage_build_succeeds_test_manual_allow_failure_true(
    "build@build; test@test manual; deploy@deploy",
    &[
        "start -> pending: build pending, test deploy created",
        "success build -> running: build success, test manual, deploy pending",
    ],
)]
#[case::stage_build_succeeds_test_on_failure(
    "build@build; test@test on_failure; deploy@deploy",
    &[
        "start -> pending: build pending, test deploy created",
        "success build -> running: build success, test skipped, deploy pending",
        "success deploy -> success: build deploy success, test skipped",
    ],
)]
#[case::stage_build_test_manual_review_deploy(
    "build@build; test@test; release_test@test manual; review@review; staging@deploy; \
     production@deploy",
    &[
        "start -> pending: build pending, test release_test review staging production created",
        "success build -> running: build success, test pending, release_test manual, \
         review staging production created",
        "success test -> running: build test success, release_test manual, review pending, \
         staging production created",
    ],
)]
#[case::stage_one_test_succeeds_one_manual_test_fails_and_retry_manual_build(
    "test1@test; test2@test manual",
    &[
        "start -> pending: test1 pending, test2 manual",
        "success test1 -> success: test1 success, test2 manual",
        "play test2 -> running: test1 success, test2 pending",
        "drop test2 -> success: test1 success, test2 failed",
        "retry test2 -> running: test1 success, test2 pending",
    ],
)]
#[case::stage_one_test_succeeds_one_manual_test_fails_and_retry_pipeline(
    "test1@test; test2@test manual",
    &[
        "start -> pending: test1 pending, test2 manual",
        "success test1 -> success: test1 success, test2 manual",
        "play test2 -> running: test1 success, test2 pending",
        "drop test2 -> success: test1 success, test2 failed",
        "retry_run -> success: test1 success, test2 manual",
    ],
)]
#[case::stage_test_manual_allow_failure_false(
    "test@test manual blocking; deploy@deploy",
    &[
        "start -> manual: test manual, deploy created",
        "play test -> pending: test pending, deploy created",
        "run test -> running: test running, deploy created",
        "success test -> running: test success, deploy pending",
        "success deploy -> success: test deploy success",
    ],
)]
#[case::stage_test_manual_allow_failure_true(
    "test@test manual; deploy@deploy",
    &[
        "start -> pending: test manual, deploy pending",
        "success deploy -> success: test manual, deploy success",
        "play test -> running: test pending, deploy success",
        "drop test -> success: test failed, deploy success",
    ],
)]
#[case::stage_test_manual_allow_failure_true_deploy_always(
    "test@test manual; deploy@deploy always",
    &[
        "start -> pending: test manual, deploy pending",
    ],
)]
#[case::stage_test_manual_allow_failure_true_deploy_on_failure(
    "test@test manual; deploy@deploy on_failure",
    &[
        "start -> skipped: test manual, deploy skipped",
        "play test -> pending: test pending, deploy created",
        "drop test -> success: test failed, deploy skipped",
    ],
)]
#[case::stage_test_on_failure_no_prev_stage(
    "test1@test; test2@test on_failure",
    &[
        "start -> pending: test1 pending, test2 skipped",
        "success test1 -> success: test1 success, test2 skipped",
    ],
)]
#[case::workflow_auto_cancel_on_job_failure_all_allow_failure_test(
    "cancel_on_failure; build_1@build; build_2@build may_fail",
    &[
        "start -> pending: build_1 build_2 pending",
        "give_up build_2 -> pending: build_1 pending, build_2 failed",
    ],
)]
#[case::workflow_auto_cancel_on_job_failure_all_test(
    "cancel_on_failure; build_1@build; build_2@build",
    &[
        "start -> pending: build_1 build_2 pending",
        "drop build_2 -> failed: build_1 canceled, build_2 failed",
    ],
)]
fn moves_as_in_gitlab(#[case] graph: &str, #[case] steps: &[&str]) {
    let mut run = Scenario::start(graph);
    for step in steps {
        let (action, expected) = step.split_once(" -> ").expect("`action -> state`");
        if action != "start" {
            run.apply(action).expect(step);
        }
        run.expect(expected);
    }
}
