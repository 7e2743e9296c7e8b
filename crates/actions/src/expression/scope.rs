//! Which contexts and special functions each place of a workflow allows.
//!
//! GitHub: `workflow-v1.0.json`, the `context` lists of its definitions.

use super::SpecialFunction;

/// Which names an expression may use besides literals and the functions that
/// mean the same everywhere.
pub trait Scope {
    /// Whether a context of this name, given in lower case, may be used.
    fn knows_context(&self, name: &str) -> bool;

    /// The special function of this name, in any case, if it may be called.
    fn function(&self, name: &str) -> Option<FunctionRule>;
}

/// A special function that may be called, and with how many arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionRule {
    /// Which.
    pub function: SpecialFunction,
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

const fn rule(function: SpecialFunction, min: usize, max: usize) -> FunctionRule {
    FunctionRule { function, min, max }
}

/// What one place of a workflow allows.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    contexts: &'static [&'static str],
    functions: &'static [FunctionRule],
}

impl Scope for Place {
    fn knows_context(&self, name: &str) -> bool {
        self.contexts.contains(&name)
    }

    fn function(&self, name: &str) -> Option<FunctionRule> {
        let mut functions = self.functions.iter();
        functions
            .find(|rule| rule.function.name().eq_ignore_ascii_case(name))
            .copied()
    }
}

/// A job's condition may ask after jobs by name.
const OF_JOBS: &[FunctionRule] = &[
    rule(SpecialFunction::Always, 0, 0),
    rule(SpecialFunction::Cancelled, 0, 0),
    rule(SpecialFunction::Success, 0, 255),
    rule(SpecialFunction::Failure, 0, 255),
];

const HASH_FILES: FunctionRule = rule(SpecialFunction::HashFiles, 1, 255);

const OF_STEPS: &[FunctionRule] = &[
    rule(SpecialFunction::Always, 0, 0),
    rule(SpecialFunction::Cancelled, 0, 0),
    rule(SpecialFunction::Success, 0, 0),
    rule(SpecialFunction::Failure, 0, 0),
    HASH_FILES,
];

const fn place(contexts: &'static [&'static str]) -> Place {
    Place {
        contexts,
        functions: &[],
    }
}

/// Where no expression may stand.
pub(crate) const NOWHERE: Place = place(&[]);

/// `run-name`, the workflow's `concurrency`, defaults of `workflow_call` inputs.
pub const WORKFLOW: Place = place(&["github", "inputs", "vars"]);

/// The workflow's `env`.
pub const WORKFLOW_ENV: Place = place(&["github", "inputs", "vars", "secrets"]);

/// `on.workflow_call.outputs`.
pub const WORKFLOW_OUTPUTS: Place = place(&["github", "inputs", "vars", "jobs"]);

/// `jobs.<job>.if`.
pub const JOB_IF: Place = Place {
    contexts: &["github", "inputs", "vars", "needs"],
    functions: OF_JOBS,
};

/// `strategy`.
pub const STRATEGY: Place = place(&["github", "inputs", "vars", "needs"]);

/// A job's `name`, `runs-on`, `concurrency`, `environment`, `container`,
/// `services`, `timeout-minutes`, `continue-on-error`; `with` of a calling job.
pub const JOB: Place = place(&["github", "inputs", "vars", "needs", "strategy", "matrix"]);

/// A job's `env`, `secrets` of a calling job.
pub const JOB_ENV: Place = place(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets",
]);

/// `defaults.run` of a job.
pub const JOB_DEFAULTS: Place = place(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "env",
]);

/// `env` of a container or service.
pub const CONTAINER_ENV: Place = place(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "job", "runner", "env", "secrets",
]);

/// `credentials` of a container or service.
pub const CREDENTIALS: Place = place(&["github", "inputs", "vars", "secrets", "env"]);

/// `jobs.<job>.outputs`.
pub const JOB_OUTPUTS: Place = place(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "steps", "job", "runner",
    "env",
]);

/// `if` of a step. No secrets.
pub const STEP_IF: Place = Place {
    contexts: &[
        "github", "inputs", "vars", "needs", "strategy", "matrix", "steps", "job", "runner", "env",
    ],
    functions: OF_STEPS,
};

/// Every other key of a step.
pub const STEP: Place = Place {
    contexts: &[
        "github", "inputs", "vars", "needs", "strategy", "matrix", "steps", "job", "runner", "env",
        "secrets",
    ],
    functions: &[HASH_FILES],
};

/// Contexts of the steps of a composite action.
const IN_ACTION: &[&str] = &[
    "github", "inputs", "strategy", "matrix", "steps", "job", "runner", "env",
];

/// `if` of a step of a composite action.
pub const ACTION_STEP_IF: Place = Place {
    contexts: IN_ACTION,
    functions: OF_STEPS,
};

/// Every other key of a step of a composite action.
pub const ACTION_STEP: Place = Place {
    contexts: IN_ACTION,
    functions: &[HASH_FILES],
};

/// `outputs.<output>.value` of an action.
pub const ACTION_OUTPUT: Place = place(IN_ACTION);

/// `inputs.<input>.default` of an action.
pub const ACTION_INPUT: Place = Place {
    contexts: &["github", "strategy", "matrix", "job", "runner"],
    functions: &[HASH_FILES],
};
