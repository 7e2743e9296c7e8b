//! `on`: what it may say, and which events it fits.

use rstest::rstest;
use tappet_actions::workflow::{self, Occurrence, Workflow};

use crate::compiled::errors;

fn workflow_on(on: &str) -> Workflow {
    workflow::parse(&format!("on: {on}\njobs: {{a: {{runs-on: x}}}}")).expect("it is valid")
}

/// A push of a branch or tag that changed these files.
fn push<'a>(git_ref: &'a str, changed: &'a [&'a str]) -> Occurrence<'a> {
    Occurrence {
        event: "push",
        git_ref: Some(git_ref),
        changed_paths: Some(changed),
        ..Occurrence::default()
    }
}

const MAIN: &str = "refs/heads/main";
const DEV: &str = "refs/heads/dev";
const TAG: &str = "refs/tags/v1";

#[rstest]
#[case("push", MAIN, true)]
#[case("push", TAG, true)]
#[case("[pull_request, push]", MAIN, true)]
#[case("{push: }", MAIN, true)]
#[case("pull_request", MAIN, false)]
#[case("{push: {branches: main}}", MAIN, true)]
#[case("{push: {branches: [main]}}", DEV, false)]
#[case("{push: {branches: [main]}}", TAG, false)]
#[case("{push: {branches: ['**', '!dev']}}", DEV, false)]
#[case("{push: {branches-ignore: [dev]}}", MAIN, true)]
#[case("{push: {branches-ignore: [dev]}}", DEV, false)]
#[case("{push: {branches-ignore: [dev]}}", TAG, false)]
#[case("{push: {tags: ['v*']}}", TAG, true)]
#[case("{push: {tags: ['v*']}}", MAIN, false)]
#[case("{push: {tags-ignore: ['v*']}}", TAG, false)]
#[case("{push: {branches: [main], tags: ['v*']}}", TAG, true)]
#[case("{push: {branches: [main], tags: ['v*']}}", DEV, false)]
#[case("{push: {paths: ['src/**']}}", MAIN, true)]
#[case("{push: {paths: ['docs/**']}}", MAIN, false)]
#[case("{push: {paths: ['docs/**']}}", TAG, true)]
#[case("{push: {paths-ignore: ['src/**']}}", MAIN, true)]
#[case("{push: {paths-ignore: ['**']}}", MAIN, false)]
#[case("{push: {branches: [dev], paths: ['src/**']}}", MAIN, false)]
fn pushes(#[case] on: &str, #[case] git_ref: &str, #[case] expected: bool) {
    let changed = ["src/main.rs", "README.md"];
    assert_eq!(
        workflow_on(on).triggers.matches(&push(git_ref, &changed)),
        expected
    );
}

#[test]
fn without_knowledge_of_changed_files_paths_let_everything_through() {
    let occurrence = Occurrence {
        changed_paths: None,
        ..push(MAIN, &[])
    };
    let workflow = workflow_on("{push: {paths: ['docs/**']}}");
    assert!(workflow.triggers.matches(&occurrence));
}

#[rstest]
#[case("pull_request", "opened", "main", true)]
#[case("pull_request", "synchronize", "main", true)]
#[case("pull_request", "closed", "main", false)]
#[case("{pull_request: {types: [closed]}}", "closed", "main", true)]
#[case("{pull_request: {types: closed}}", "opened", "main", false)]
#[case("{pull_request: {branches: [main]}}", "opened", "main", true)]
#[case("{pull_request: {branches: [main]}}", "opened", "dev", false)]
#[case("{pull_request: {branches-ignore: ['d*']}}", "opened", "dev", false)]
fn pull_requests_are_judged_by_their_base(
    #[case] on: &str,
    #[case] activity: &str,
    #[case] base: &str,
    #[case] expected: bool,
) {
    let occurrence = Occurrence {
        event: "pull_request",
        activity: Some(activity),
        git_ref: Some("refs/pull/7/merge"),
        branch: Some(base),
        ..Occurrence::default()
    };
    assert_eq!(workflow_on(on).triggers.matches(&occurrence), expected);
}

#[rstest]
#[case("CI", "completed", true)]
#[case("Other", "completed", false)]
#[case("CI", "requested", false)]
fn a_workflow_run_names_the_other_workflow(
    #[case] name: &str,
    #[case] activity: &str,
    #[case] expected: bool,
) {
    let workflow = workflow_on("{workflow_run: {workflows: [CI], types: [completed]}}");
    let occurrence = Occurrence {
        event: "workflow_run",
        activity: Some(activity),
        branch: Some("main"),
        workflow: Some(name),
        ..Occurrence::default()
    };
    assert_eq!(workflow.triggers.matches(&occurrence), expected);
}

#[test]
fn schedules_keep_their_expressions() {
    let workflow = workflow_on(
        "{schedule: [{cron: '0 3 * * 1-5', timezone: Europe/Berlin}, {cron: '*/5 * * * *'}]}",
    );
    let schedules: Vec<_> = workflow
        .triggers
        .schedules
        .iter()
        .map(|schedule| (schedule.cron.as_str(), schedule.timezone.as_deref()))
        .collect();
    assert_eq!(
        schedules,
        [
            ("0 3 * * 1-5", Some("Europe/Berlin")),
            ("*/5 * * * *", None)
        ]
    );
}

#[rstest]
#[case("colour", "(Line: 1, Col: 5): Unexpected value 'colour'")]
#[case("[push, colour]", "(Line: 1, Col: 12): Unexpected value 'colour'")]
#[case("{colour: }", "(Line: 1, Col: 6): Unexpected value 'colour'")]
#[case("[]", "(Line: 1, Col: 5): No event triggers defined in `on`")]
#[case("{}", "(Line: 1, Col: 5): No event triggers defined in `on`")]
#[case("''", "(Line: 1, Col: 5): Unexpected value ''")]
#[case("{push: main}", "(Line: 1, Col: 12): Unexpected value 'main'")]
#[case(
    "{push: {types: [opened]}}",
    "(Line: 1, Col: 13): Unexpected value 'types'"
)]
#[case(
    "{pull_request: {tags: [v1]}}",
    "(Line: 1, Col: 21): Unexpected value 'tags'"
)]
#[case(
    "{pull_request: {types: [exploded]}}",
    "(Line: 1, Col: 29): Unexpected value 'exploded'"
)]
#[case("{push: {branches: ['']}}", "(Line: 1, Col: 24): Unexpected value ''")]
#[case(
    "{push: {branches: ['?x']}}",
    "(Line: 1, Col: 24): Invalid pattern '?x': there is nothing before the `?` to repeat"
)]
#[case(
    "{push: {branches: [a], branches-ignore: [b]}}",
    "(Line: 1, Col: 28): you may only define one of `branches` and `branches-ignore` for a single event: \
     write what to leave out as a pattern with `!` in `branches`"
)]
#[case(
    "{create: {types: [x]}}",
    "(Line: 1, Col: 14): A mapping was not expected"
)]
#[case(
    "{schedule: [{cron: '* * * *'}]}",
    "(Line: 1, Col: 24): Invalid cron expression."
)]
#[case(
    "{schedule: [{}]}",
    "(Line: 1, Col: 17): Required property is missing: cron"
)]
#[case(
    "{schedule: {cron: '* * * * *'}}",
    "(Line: 1, Col: 16): A mapping was not expected"
)]
#[case(
    "{workflow_dispatch: {types: [x]}}",
    "(Line: 1, Col: 26): Unexpected value 'types'"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {type: date}}}}",
    "(Line: 1, Col: 45): Unexpected value 'date'"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {colour: red}}}}",
    "(Line: 1, Col: 39): Unexpected value 'colour'"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {required: 'yes'}}}}",
    "(Line: 1, Col: 49): Unexpected value 'yes'"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {type: choice}}}}",
    "(Line: 1, Col: 38): Missing 'options' for choice input"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {options: [b]}}}}",
    "(Line: 1, Col: 39): Input type is not 'choice', but 'options' is defined"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {type: choice, options: [b], default: c}}}}",
    "(Line: 1, Col: 76): The default 'c' is not one of the options: b"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {type: boolean, default: 3}}}}",
    "(Line: 1, Col: 63): Unexpected value '3'"
)]
#[case(
    "{workflow_dispatch: {inputs: {a: {default: '${{ github.ref }}'}}}}",
    "(Line: 1, Col: 48): Unrecognized named-value: 'github'."
)]
#[case(
    "{workflow_call: {inputs: {a: {}}}}",
    "(Line: 1, Col: 34): Required property is missing: type"
)]
#[case(
    "{workflow_call: {inputs: {a: {type: choice}}}}",
    "(Line: 1, Col: 41): Unexpected value 'choice'"
)]
#[case(
    "{workflow_call: {outputs: {a: {}}}}",
    "(Line: 1, Col: 35): Required property is missing: value"
)]
#[case(
    "{workflow_call: {secrets: {a: {type: x}}}}",
    "(Line: 1, Col: 36): Unexpected value 'type'"
)]
fn what_is_no_trigger_is_refused(#[case] on: &str, #[case] expected: &str) {
    let errors = errors(&format!("on: {on}\njobs: {{a: {{runs-on: x}}}}"));
    assert!(
        errors.starts_with(&format!("ci.yml {expected}")),
        "{errors}"
    );
}

#[rstest]
#[case("issues")]
#[case("{issues: {types: [opened]}, release: , watch: {types: started}}")]
#[case("{repository_dispatch: {types: [my-own-word]}}")]
#[case(
    "{workflow_call: {inputs: {a: {type: string, default: '${{ github.ref }}'}}, secrets: {b: , c: {required: true}}, outputs: {d: {value: '${{ jobs.a.outputs.x }}'}}}}"
)]
#[case(
    "{merge_group: {types: [checks_requested], branches: [main]}, image_version: {names: [a], versions: ['1.*']}}"
)]
fn every_event_of_github_is_known(#[case] on: &str) {
    workflow_on(on);
}
