//! Reads and evaluates a thousand expressions of everyday workflows and prints
//! the median time for all of them, in milliseconds: `expressions [rounds]`.

#![expect(clippy::print_stdout, reason = "the figure is the result")]

use std::hint::black_box;
use std::time::Instant;

use tappet_actions::scope::STEP_IF;
use tappet_actions::{Environment, Expression, ExpressionError, SpecialFunction, Value};

const EXPRESSIONS: [&str; 20] = [
    "github.ref == 'refs/heads/main'",
    "github.event_name == 'push' && startsWith(github.ref, 'refs/tags/v')",
    "github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository",
    "always() && needs.build.result == 'success'",
    "!cancelled() && (success() || failure())",
    "matrix.os == 'ubuntu-24.04' && matrix.version || '22'",
    "contains(github.event.head_commit.message, '[skip ci]')",
    "contains(github.event.pull_request.labels.*.name, 'deploy')",
    "contains(fromJSON('[\"main\", \"next\", \"release\"]'), github.ref_name)",
    "format('{0}-{1}-{2}', runner.os, matrix.version, hashFiles('**/package-lock.json'))",
    "steps.filter.outputs.backend == 'true' && steps.meta.outcome != 'failure'",
    "fromJSON(needs.plan.outputs.matrix).include[0].name",
    "toJSON(matrix)",
    "join(github.event.pull_request.labels.*.name, ', ')",
    "inputs.environment || 'staging'",
    "env.DEPLOY == 'yes' && vars.REGION || 'eu-west-1'",
    "github.event.number > 100 && github.run_attempt < 3",
    "endsWith(github.actor, '[bot]') == false",
    "needs.build.outputs['image-tag'] && job.status == 'success'",
    "github.event.commits[0].author.name",
];

const CONTEXTS: &str = r#"{
    "github": {
        "ref": "refs/heads/main", "ref_name": "main", "event_name": "push", "repository": "acme/web",
        "actor": "renovate[bot]", "run_attempt": 1, "sha": "0000000000000000000000000000000000000007",
        "workspace": "/builds/acme/web", "workflow": "ci", "job": "build", "run_id": 7, "run_number": 3,
        "server_url": "http://127.0.0.1:8080", "api_url": "http://127.0.0.1:8080/api", "token": "t",
        "head_ref": "", "base_ref": "", "triggering_actor": "ann", "action": "__run",
        "event": {
            "number": 117, "head_commit": {"message": "Fix the build"},
            "commits": [{"id": "c1", "author": {"name": "ann"}}],
            "pull_request": {
                "head": {"repo": {"full_name": "acme/web"}},
                "labels": [{"name": "deploy"}, {"name": "bug"}]
            }
        }
    },
    "needs": {
        "build": {"result": "success", "outputs": {"image-tag": "v7"}},
        "plan": {"result": "success", "outputs": {"matrix": "{\"include\":[{\"name\":\"linux\"},{\"name\":\"arm\"}]}"}}
    },
    "matrix": {"os": "ubuntu-24.04", "version": 22, "arch": "x64"},
    "steps": {"filter": {"outputs": {"backend": "true"}}, "meta": {"outcome": "success", "outputs": {}}},
    "runner": {"os": "Linux"}, "job": {"status": "success"}, "inputs": {}, "strategy": {},
    "env": {"DEPLOY": "yes"}, "vars": {"REGION": "eu-central-1"}
}"#;

struct Step {
    contexts: Value,
}

impl Environment for Step {
    fn context(&self, name: &str) -> Option<Value> {
        Some(self.contexts.get(name))
    }

    fn call(&self, function: SpecialFunction, _: &[Value]) -> Result<Value, ExpressionError> {
        Ok(match function {
            SpecialFunction::Success | SpecialFunction::Always => true.into(),
            SpecialFunction::Failure | SpecialFunction::Cancelled => false.into(),
            SpecialFunction::HashFiles => "0123456789abcdef".into(),
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse()?,
        None => 200,
    };
    let step = Step {
        contexts: tappet_actions::json::read(CONTEXTS, 100)?,
    };
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        for text in EXPRESSIONS.iter().cycle().take(1_000) {
            let expression = Expression::parse(black_box(text), &STEP_IF)?;
            black_box(expression.evaluate(&step)?);
        }
        times.push(start.elapsed());
    }
    times.sort();
    let median = times.get(rounds / 2).ok_or("no rounds were asked for")?;
    println!("{:.3}", median.as_secs_f64() * 1e3);
    Ok(())
}
