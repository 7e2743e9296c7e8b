//! Which names an expression mentions, and which a place allows.

use rstest::rstest;
use tappet_actions::scope::{self, Place};
use tappet_actions::{Expression, SpecialFunction, Template, Use};

use crate::surroundings::Surroundings;

fn context<'a>(name: &'a str, property: Option<&'a str>, offset: usize) -> Use<'a> {
    Use::Context {
        name,
        property,
        offset,
    }
}

#[test]
fn contexts_and_their_first_properties() {
    let text = "github.ref.x || Matrix['OS'] == empty && matrix.*.a || github[github.ref]";
    let expression = Expression::parse(text, &Surroundings::of_a_push()).expect("it is read");
    let uses: Vec<_> = expression.uses().collect();
    assert_eq!(
        uses,
        [
            context("github", Some("ref"), 0),
            context("matrix", Some("OS"), 16),
            context("empty", None, 32),
            context("matrix", None, 41),
            context("github", None, 55),
            context("github", Some("ref"), 62),
        ]
    );
}

#[test]
fn special_functions_and_their_plain_arguments() {
    let text = "success('build', github.ref) && contains('always()', 'a')";
    let expression = Expression::parse(text, &scope::JOB_IF).expect("it is read");
    let uses: Vec<_> = expression.uses().collect();
    assert_eq!(
        uses,
        [
            Use::Function {
                function: SpecialFunction::Success,
                arguments: vec![Some("build"), None],
                offset: 0
            },
            context("github", Some("ref"), 17),
        ]
    );
}

#[test]
fn a_template_tells_the_uses_of_all_its_expressions() {
    let template = Template::parse("${{ github.a }} and ${{ matrix.b }}", &scope::JOB)
        .expect("it is a template");
    let uses: Vec<_> = template.uses().collect();
    assert_eq!(
        uses,
        [
            context("github", Some("a"), 0),
            context("matrix", Some("b"), 0)
        ]
    );
}

#[rstest]
#[case(scope::WORKFLOW, "github.ref && inputs.x && vars.y", true)]
#[case(scope::WORKFLOW, "secrets.x", false)]
#[case(scope::WORKFLOW, "success()", false)]
#[case(scope::WORKFLOW_ENV, "secrets.x", true)]
#[case(scope::WORKFLOW_ENV, "env.x", false)]
#[case(scope::WORKFLOW_OUTPUTS, "jobs.a.outputs.x", true)]
#[case(
    scope::JOB_IF,
    "needs.a.result && success('a', 'b') && failure('c') && always()",
    true
)]
#[case(scope::JOB_IF, "matrix.x", false)]
#[case(scope::JOB_IF, "hashFiles('x')", false)]
#[case(scope::JOB_IF, "cancelled('a')", false)]
#[case(scope::STRATEGY, "fromJSON(needs.a.outputs.list)", true)]
#[case(scope::STRATEGY, "matrix.x", false)]
#[case(scope::JOB, "strategy.job-index && matrix.x", true)]
#[case(scope::JOB, "env.x", false)]
#[case(scope::JOB_ENV, "secrets.x", true)]
#[case(scope::JOB_DEFAULTS, "env.x", true)]
#[case(scope::CONTAINER_ENV, "runner.os", true)]
#[case(scope::CREDENTIALS, "secrets.x && env.y", true)]
#[case(scope::CREDENTIALS, "matrix.x", false)]
#[case(scope::JOB_OUTPUTS, "steps.a.outputs.x", true)]
#[case(scope::STEP_IF, "steps.a.outcome && hashFiles('a') && failure()", true)]
#[case(scope::STEP_IF, "secrets.x", false)]
#[case(scope::STEP_IF, "success('a')", false)]
#[case(scope::STEP, "secrets.x && HASHFILES('a') && ENV.x", true)]
#[case(scope::STEP, "success()", false)]
fn places_allow_their_names(#[case] place: Place, #[case] text: &str, #[case] allowed: bool) {
    let read = Expression::parse(text, &place);
    assert_eq!(read.is_ok(), allowed, "{read:?}");
}
