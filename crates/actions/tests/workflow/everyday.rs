//! Files as projects have them, and what their plans look like.

use rstest::rstest;
use tappet_actions::workflow;
use tappet_model::workflow_job::StepAction;

use crate::compiled::{file, outline, plan, workflow_job};

/// All of them, by name.
pub const FILES: &[(&str, &str)] = &[
    ("node.yml", include_str!("everyday/node.yml")),
    ("rust.yml", include_str!("everyday/rust.yml")),
    ("python.yml", include_str!("everyday/python.yml")),
    ("deploy.yml", include_str!("everyday/deploy.yml")),
    ("monorepo.yml", include_str!("everyday/monorepo.yml")),
    ("nightly.yml", include_str!("everyday/nightly.yml")),
    ("release.yml", include_str!("everyday/release.yml")),
    ("docs.yml", include_str!("everyday/docs.yml")),
    ("depot-cli.yml", include_str!("everyday/depot-cli.yml")),
    ("self-hosted.yml", include_str!("everyday/self-hosted.yml")),
    ("composite.yml", include_str!("everyday/composite.yml")),
];

fn text(name: &str) -> &'static str {
    let found = FILES.iter().find(|(file, _)| *file == name);
    found.expect("it is one of the files").1
}

#[rstest]
#[case("node.yml", &[
    "test (ubuntu-latest, 18) OnSuccess after []",
    "test (ubuntu-latest, 20) OnSuccess after []",
    "test (ubuntu-latest, 22.x) OnSuccess after []",
    "test (ubuntu-22.04, 20) OnSuccess after []",
    "test (ubuntu-22.04, 22.x) OnSuccess after []",
])]
#[case("rust.yml", &[
    "fmt OnSuccess after []",
    "Clippy OnSuccess after []",
    r#"Test (stable) Decided after ["fmt", "Clippy"]"#,
    r#"Test (beta) Decided after ["fmt", "Clippy"]"#,
    r#"Test (nightly) Decided after ["fmt", "Clippy"]"#,
])]
#[case("python.yml", &[
    "tests (3.10, 4.2) OnSuccess after []",
    "tests (3.10, 5) OnSuccess after []",
    "tests (3.11, 4.2) OnSuccess after []",
    "tests (3.11, 5) OnSuccess after []",
    "tests (3.12, 4.2) OnSuccess after []",
    "tests (3.12, 5) OnSuccess after []",
])]
#[case("deploy.yml", &[
    "build OnSuccess after []",
    r#"staging Decided after ["build"]"#,
    r#"production Decided after ["build", "staging"]"#,
    r#"rollback Decided after ["staging", "production"]"#,
])]
#[case("monorepo.yml", &[
    "changes OnSuccess after []",
    r#"test Decided after ["changes"]"#,
    r#"all-green Decided after ["changes", "test"]"#,
])]
#[case("nightly.yml", &["soak OnSuccess after []", r#"notify Decided after ["soak"]"#])]
#[case("release.yml", &[
    "Build x86_64-unknown-linux-gnu OnSuccess after []",
    "Build aarch64-unknown-linux-gnu OnSuccess after []",
    r#"publish Decided after ["Build x86_64-unknown-linux-gnu", "Build aarch64-unknown-linux-gnu"]"#,
])]
#[case("docs.yml", &["docs OnSuccess after []"])]
#[case("depot-cli.yml", &["build OnSuccess after []", r#"test Decided after ["build"]"#])]
#[case("self-hosted.yml", &["train OnSuccess after []", "small OnSuccess after []"])]
#[case("composite.yml", &["checks OnSuccess after []", "labels OnSuccess after []"])]
fn everyday_files_become_plans(#[case] name: &str, #[case] expected: &[&str]) {
    assert_eq!(outline(&plan(text(name))), expected);
}

#[test]
fn all_of_them_are_one_run() {
    let files: Vec<_> = FILES.iter().map(|(name, text)| file(name, text)).collect();
    let plan = workflow::compile(&files, None).expect("no job was asked for");
    assert_eq!(plan.workflows.len(), FILES.len());
    assert!(
        plan.workflows
            .iter()
            .all(|workflow| workflow.error.is_none())
    );
    for job in &plan.jobs {
        for need in job.needs.iter().flatten() {
            assert_eq!(plan.jobs[need.job].stage, job.stage, "{}", job.name);
        }
    }
}

#[test]
fn what_the_command_line_sends_is_understood() {
    let plan = plan(text("depot-cli.yml"));
    assert_eq!(plan.stages, ["From the command line"]);
    let steps = &workflow_job(&plan.jobs[0]).steps;
    assert_eq!(
        steps[1].action,
        StepAction::ApplyPatch {
            cache_key: "patch/0123456789ab/fedcba9876543210".to_owned()
        }
    );
}

#[test]
fn labels_of_own_machines_are_tags() {
    let plan = plan(text("self-hosted.yml"));
    assert_eq!(plan.jobs[0].tags, ["gpu"]);
    assert_eq!(plan.jobs[1].tags, Vec::<String>::new());
}

#[test]
fn a_run_is_named_from_its_inputs() {
    let plan = plan(text("deploy.yml"));
    assert_eq!(plan.name.as_deref(), Some("Deploy  to staging"));
}
