//! Whatever a file says, it is either refused with a reason or planned soundly.

use proptest::prelude::*;
use tappet_gitlab_ci::{Changed, Config, Context, PlanError, parse, plan};
use tappet_model::plan::Plan;
use tappet_model::{RefKind, Source, Variable};

use crate::realistic::FILE;

/// Pieces that change what the YAML around them means.
const PIECES: &[&str] = &[
    "",
    " ",
    "  ",
    "\n",
    "\n  ",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "*a",
    "&a ",
    "<<: *a",
    "~",
    "!reference ",
    "'",
    "\"",
    "#",
    "|",
    "$X",
    "/a/",
    "never",
    "needs",
    "rules",
    "extends",
    ".pre",
    "stage",
    "1",
    "true",
    "\u{e4}",
    "\u{0}",
];

fn mutated(edits: &[(usize, usize, usize)]) -> String {
    let mut characters: Vec<char> = FILE.chars().collect();
    for &(place, removed, piece) in edits {
        let from = place % characters.len().max(1);
        let to = (from + removed).min(characters.len());
        characters.splice(from..to, PIECES[piece].chars());
    }
    characters.into_iter().collect()
}

fn plan_of(config: &Config) -> Result<Plan, PlanError> {
    plan(
        config,
        &Context {
            source: Source::Trigger,
            ref_name: "main",
            ref_kind: RefKind::Branch,
            project_path: "group/project",
            variables: &|_, _| None,
            predefined: &|_, name| {
                (name == "CI_COMMIT_BRANCH").then(|| Variable::new(name, "main"))
            },
            changed: &|_| Changed::Unknown,
            files: &|| None,
            unspoken_jobs_join: false,
        },
    )
}

fn check(plan: &Plan) {
    assert!(plan.jobs.is_sorted_by_key(|job| job.stage));
    for job in &plan.jobs {
        assert!(job.stage < plan.stages.len());
        let needs = job.needs.iter().flatten();
        for need in needs {
            assert!(plan.jobs[need.job].stage <= job.stage);
            assert_ne!(plan.jobs[need.job].name, job.name);
        }
    }
    let mut names: Vec<&str> = plan.jobs.iter().map(|job| job.name.as_str()).collect();
    names.extend(plan.left_out.iter().map(|job| job.name.as_str()));
    names.sort_unstable();
    assert!(names.is_sorted_by(|left, right| left < right), "{names:?}");
}

proptest! {
    #[test]
    fn a_damaged_file_is_refused_or_planned(
        edits in prop::collection::vec((0usize..10_000, 0usize..12, 0..PIECES.len()), 1..5)
    ) {
        match parse(&mutated(&edits)) {
            Err(errors) => prop_assert!(!errors.is_empty()),
            Ok(config) => match plan_of(&config) {
                Ok(plan) => check(&plan),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            },
        }
    }
}
