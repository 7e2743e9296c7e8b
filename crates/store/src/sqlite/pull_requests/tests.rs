//! No list of runs of pull requests meets more of the history than it shows.

use rstest::rstest;

use super::*;
use crate::sqlite::query_plan;

#[rstest]
#[case::all(LIST, "pull_request_runs_by_config (config_id=?)")]
#[case::of_number(
    LIST_OF_NUMBER,
    "pull_request_runs_by_number (config_id=? AND number=?)"
)]
#[case::of_head(LIST_OF_HEAD, "pull_request_runs_by_head (config_id=? AND head_sha=?)")]
#[case::of_both(LIST_OF_BOTH, "pull_request_runs_by_head (config_id=? AND head_sha=?)")]
#[case::active(ACTIVE, "active_pull_request_runs (config_id=? AND number=?)")]
#[case::unapproved(UNAPPROVED, "waits_for_approval (project_id=?)")]
#[case::count_unapproved(COUNT_UNAPPROVED, "waits_for_approval (project_id=?)")]
#[case::waiting_of_head(
    WAITING_OF_HEAD,
    "pull_request_runs_by_head (config_id=? AND head_sha=?)"
)]
#[case::newest(NEWEST, "pull_request_runs_by_number (config_id=? AND number=?)")]
#[case::next_overdue(NEXT_OVERDUE, "waits_for_diffs")]
fn a_list_walks_its_index_in_order(#[case] sql: &str, #[case] index: &str) {
    let plan = query_plan::steps(sql);
    assert!(plan.iter().any(|step| step.contains(index)), "{plan:#?}");
    let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
    assert!(!sorts, "{plan:#?}");
    // The ids of the page, and the index of what waits, which holds nothing else.
    let scans = plan.iter().find(|step| {
        step.starts_with("SCAN")
            && !step.starts_with("SCAN k")
            && !step.starts_with("SCAN (subquery")
            && !step.contains("waits_for_diffs")
    });
    assert_eq!(scans, None, "{plan:#?}");
}
