//! Whatever a file says, it is either refused with a reason or planned soundly.

use proptest::prelude::*;
use tappet_actions::action;
use tappet_actions::workflow::{self, Decision, DecisionContexts, NeededJob, decide};
use tappet_model::plan::{Plan, When};
use tappet_model::steps_payload::StepOutcome;

use crate::compiled::{contexts, file, workflow_job};
use crate::everyday::FILES;

/// Pieces that change what the YAML or the expressions around them mean.
const PIECES: &[&str] = &[
    "",
    " ",
    "  ",
    "\n",
    "\n  ",
    "\n      ",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "*env",
    "&a ",
    "<<: *env",
    "~",
    "!tag ",
    "'",
    "\"",
    "#",
    "|",
    "${{",
    "}}",
    "${{ matrix.os }}",
    "${{ needs.build.outputs.x }}",
    "${{ fromJSON('[1]') }}",
    "if",
    "needs",
    "strategy",
    "matrix",
    "include",
    "exclude",
    "runs-on",
    "run",
    "uses",
    "with",
    "env",
    "on",
    "jobs",
    "null",
    "1",
    "1e400",
    "true",
    "\u{e4}",
    "\u{0}",
];

fn mutated(text: &str, edits: &[(usize, usize, usize)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for &(place, removed, piece) in edits {
        let from = place % characters.len().max(1);
        let to = (from + removed).min(characters.len());
        characters.splice(from..to, PIECES[piece].chars());
    }
    characters.into_iter().collect()
}

fn check(plan: &Plan) {
    let mut names: Vec<_> = plan.jobs.iter().map(|job| job.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|left, right| left < right), "{names:?}");
    for job in &plan.jobs {
        assert!(job.group.is_none_or(|group| group < plan.groups.len()));
        let needs = job.needs.as_deref().expect("it waits for no stage");
        assert!(needs.iter().all(|need| need.job < plan.jobs.len()));
        assert!(
            needs.is_empty() || job.when != When::OnSuccess,
            "{}",
            job.name
        );
        if job.when == When::Decided {
            decide_with_all_over(plan, job.spec.workflow_job.as_deref());
        }
    }
}

fn decide_with_all_over(plan: &Plan, job: Option<&tappet_model::workflow_job::WorkflowJob>) {
    let keys = plan.jobs.iter().map(|job| workflow_job(job).key.clone());
    let needs: Vec<_> = keys
        .map(|key| NeededJob {
            key,
            result: StepOutcome::Success,
            outputs: vec![("packages".to_owned(), r#"["a","b"]"#.to_owned())],
        })
        .collect();
    let contexts = DecisionContexts {
        run: contexts(),
        ancestors: needs
            .iter()
            .map(|job| (job.key.clone(), job.result))
            .collect(),
        needs,
        is_cancelled: false,
    };
    match decide(job.expect("it is of a workflow"), &contexts) {
        Ok(Decision::Legs(legs)) => assert!(!legs.jobs.is_empty()),
        Ok(_) => {}
        Err(error) => assert!(!error.is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_damaged_file_is_refused_or_planned(
        which in 0..FILES.len(),
        edits in prop::collection::vec((0usize..10_000, 0usize..12, 0..PIECES.len()), 1..5)
    ) {
        let text = mutated(FILES[which].1, &edits);
        let plan = workflow::compile(&[file("ci.yml", &text)], None)
            .expect("no job was asked for");
        match &plan.workflows[0].error {
            Some(error) => {
                prop_assert!(!error.is_empty() && plan.jobs.is_empty());
                prop_assert!(error.lines().all(|line| line.starts_with("ci.yml")), "{}", error);
            }
            None => check(&plan),
        }
    }

    #[test]
    fn a_damaged_action_is_refused_or_read(
        edits in prop::collection::vec((0usize..10_000, 0usize..12, 0..PIECES.len()), 1..5)
    ) {
        const TEXT: &str = "\
name: Setup
inputs:
  key: {description: x, required: true, default: '${{ github.ref }}'}
outputs:
  hit: {value: '${{ steps.a.outputs.hit }}'}
runs:
  using: composite
  steps:
    - {id: a, run: 'echo ${{ inputs.key }}', shell: bash, env: {A: b}}
    - uses: ./other
      with: {a: 1}
";
        if let Err(errors) = action::parse(&mutated(TEXT, &edits)) {
            prop_assert!(!errors.is_empty() && errors.len() <= 10);
        }
    }
}
