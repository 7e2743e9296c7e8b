//! Comments as people see them.

use super::*;

fn job(name: &str, stage: &str, status: Status, seconds: u64) -> Job {
    Job {
        stage: stage.to_owned(),
        name: name.to_owned(),
        url: format!("https://ci.example.com/acme/web/-/jobs/{}", name.len()),
        status,
        may_fail: false,
        took: Some(Duration::from_secs(seconds)),
    }
}

fn failed() -> Section {
    Section {
        config: "default".to_owned(),
        number: "7".to_owned(),
        url: "https://ci.example.com/acme/web/-/pipelines/7".to_owned(),
        sha: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        status: Some(Status::Failed),
        reason: "`unit` failed.".to_owned(),
        took: Some(Duration::from_secs(83)),
        jobs: vec![
            job("build", "build", Status::Success, 12),
            job("unit", "test", Status::Failed, 71),
        ],
        failures: vec![Failure {
            job: "unit".to_owned(),
            url: "https://ci.example.com/acme/web/-/jobs/4".to_owned(),
            why: "A command of the script ended with exit code 1.".to_owned(),
            may_fail: false,
            lines: vec![
                "test adds ... FAILED".to_owned(),
                "error: 1 test failed".to_owned(),
            ],
        }],
        tests: Some(Tests {
            passed: 118,
            failed: 2,
            newly_failing: vec!["sum › adds".to_owned()],
            base: Some(Base {
                number: "6".to_owned(),
                url: "https://ci.example.com/acme/web/-/pipelines/6".to_owned(),
            }),
            base_branch: "main".to_owned(),
            ..Tests::default()
        }),
        ..Section::default()
    }
}

fn text(kind: ForgeKind, sections: Vec<Section>) -> String {
    let report = Report {
        marker: "[//]: # (tappet 1)".to_owned(),
        sections,
    };
    render(kind, &report)
}

#[test]
fn what_failed_comes_first_and_says_why() {
    insta::assert_snapshot!(text(ForgeKind::Github, vec![failed()]));
}

#[test]
fn each_config_has_its_section() {
    let passed = Section {
        config: "nightly".to_owned(),
        status: Some(Status::Success),
        reason: "All jobs did what they should.".to_owned(),
        failures: Vec::new(),
        jobs: vec![job("build", "build", Status::Success, 12)],
        tests: Some(Tests {
            passed: 120,
            skipped: 1,
            ..Tests::default()
        }),
        diffs: 2,
        ..failed()
    };
    let running = Section {
        config: "slow".to_owned(),
        status: Some(Status::Running),
        reason: "The result comes here when it is there.".to_owned(),
        took: None,
        failures: Vec::new(),
        jobs: Vec::new(),
        tests: None,
        ..failed()
    };
    insta::assert_snapshot!(text(ForgeKind::Gitlab, vec![passed, running]));
}

#[test]
fn a_refused_file_is_shown_with_what_is_wrong() {
    let refused = Section {
        reason: "The pipeline file is not valid.".to_owned(),
        took: None,
        errors: Some("jobs:test script is missing at line 3 column 1".to_owned()),
        failures: Vec::new(),
        jobs: Vec::new(),
        tests: None,
        ..failed()
    };
    insta::assert_snapshot!(text(ForgeKind::Bitbucket, vec![refused]));
}

#[test]
fn long_lists_are_folded_where_the_forge_can() {
    let many = Section {
        jobs: (0..9)
            .map(|n| job(&format!("job {n}"), "test", Status::Success, n))
            .collect(),
        ..failed()
    };
    let folded = text(ForgeKind::Gitea, vec![many.clone()]);
    assert!(
        folded.contains("<details><summary>All 9 jobs</summary>"),
        "{folded}"
    );
    let flat = text(ForgeKind::Bitbucket, vec![many]);
    assert!(!flat.contains("<details>"), "{flat}");
    assert!(flat.contains("All 9 jobs:"), "{flat}");
}

#[test]
fn a_huge_run_fits_and_still_says_what_failed() {
    let huge = Section {
        jobs: (0..500)
            .map(|n| {
                job(
                    &format!("job {n} {}", "x".repeat(100)),
                    "test",
                    Status::Failed,
                    n,
                )
            })
            .collect(),
        failures: (0..500)
            .map(|n| Failure {
                job: format!("job {n}"),
                lines: vec!["x".repeat(1_000); 20],
                ..failed().failures[0].clone()
            })
            .collect(),
        ..failed()
    };
    for kind in ForgeKind::ALL {
        let text = text(kind, vec![huge.clone()]);
        assert!(text.len() <= size_limit(kind), "{kind}: {}", text.len());
        assert!(text.contains("`job 0`"), "{kind}");
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
    }
}

#[test]
fn very_many_configs_are_cut_at_a_line() {
    let sections = vec![failed(); 2_000];
    let text = text(ForgeKind::Github, sections);
    assert!(text.len() <= size_limit(ForgeKind::Github));
    assert!(text.ends_with('\n'));
}
