//! A builder for jobs with steps, and what they leave behind.

use std::time::Duration;

use serde_json::{Value, json};
use tappet_executor::{Control, Outcome};
use tappet_model::steps_payload::{StepOutcome, StepsPayload, StepsReport};
use tappet_model::workflow_job::{Setting, StepAction, WorkflowJob, WorkflowStep};

use super::attempt::{Job, job};

/// A step in the making.
pub struct Step(pub WorkflowStep);

/// A `run` step.
pub fn run(script: &str) -> Step {
    action(StepAction::Run {
        script: script.into(),
        shell: None,
        working_directory: None,
    })
}

pub fn action(action: StepAction) -> Step {
    Step(WorkflowStep {
        key: String::new(),
        id: None,
        name: None,
        condition: None,
        env: Vec::new(),
        continue_on_error: None,
        timeout_minutes: None,
        line: 7,
        action,
    })
}

pub fn settings(pairs: &[(&str, &str)]) -> Vec<Setting> {
    let setting = |(name, value): &(&str, &str)| Setting {
        name: (*name).into(),
        value: (*value).into(),
    };
    pairs.iter().map(setting).collect()
}

impl Step {
    pub fn id(mut self, id: &str) -> Self {
        self.0.id = Some(id.into());
        self
    }

    pub fn name(mut self, name: &str) -> Self {
        self.0.name = Some(name.into());
        self
    }

    pub fn when(mut self, condition: &str) -> Self {
        self.0.condition = Some(condition.into());
        self
    }

    pub fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        self.0.env = settings(pairs);
        self
    }

    pub fn continue_on_error(mut self, text: &str) -> Self {
        self.0.continue_on_error = Some(text.into());
        self
    }

    pub fn timeout_minutes(mut self, text: &str) -> Self {
        self.0.timeout_minutes = Some(text.into());
        self
    }

    pub fn shell(mut self, text: &str) -> Self {
        if let StepAction::Run { shell, .. } = &mut self.0.action {
            *shell = Some(text.into());
        }
        self
    }

    pub fn working_directory(mut self, text: &str) -> Self {
        if let StepAction::Run {
            working_directory, ..
        } = &mut self.0.action
        {
            *working_directory = Some(text.into());
        }
        self
    }
}

/// A job with steps in the making.
pub struct Workflow {
    steps: StepsPayload,
    job: Job,
}

pub fn workflow(steps: Vec<Step>) -> Workflow {
    let numbered = steps
        .into_iter()
        .enumerate()
        .map(|(index, Step(mut step))| {
            step.key = step.id.clone().unwrap_or(format!("__step_{}", index + 1));
            step
        });
    let contexts = json!({
        "github": {"token": "job-token-of-github", "sha": "0123", "event_name": "push",
            "job": "test", "event": {"number": 7}},
        "inputs": {}, "vars": {}, "secrets": {}, "needs": {},
    });
    let Value::Object(contexts) = contexts else {
        unreachable!("it is an object")
    };
    Workflow {
        steps: StepsPayload {
            job: WorkflowJob {
                key: "test".into(),
                steps: numbered.collect(),
                ..WorkflowJob::default()
            },
            contexts,
        },
        job: job(&[]).timeout(60),
    }
    .job(|mut job| {
        job.payload.token = "job-token-of-tappet".into();
        job
    })
}

impl Workflow {
    pub fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        self.steps.job.env = settings(pairs);
        self
    }

    pub fn outputs(mut self, pairs: &[(&str, &str)]) -> Self {
        self.steps.job.outputs = settings(pairs);
        self
    }

    pub fn context(mut self, name: &str, value: Value) -> Self {
        self.steps.contexts.insert(name.into(), value);
        self
    }

    pub fn job(mut self, change: impl FnOnce(Job) -> Job) -> Self {
        self.job = change(self.job);
        self
    }

    pub fn cancel_at(self, text: &'static str) -> Self {
        self.job(|job| {
            job.wish_at(text, Control::CancelGracefully)
                .grace(Duration::from_secs(2))
        })
    }

    pub async fn run(self) -> Ran {
        let done = self.job.steps(self.steps).run().await;
        let report = done.outcome.steps.clone().expect("the job had steps");
        Ran {
            outcome: done.outcome,
            report: *report,
            log: done.log,
        }
    }
}

/// What is left of a job with steps.
pub struct Ran {
    pub outcome: Outcome,
    pub report: StepsReport,
    /// As it was sent.
    pub log: String,
}

impl Ran {
    /// The lines of the log without their times, those that go on joined.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for line in self.log.lines() {
            let (_, rest) = line.split_once(" 00").expect("a time and a stream");
            match (&rest[1..2], lines.last_mut()) {
                ("+", Some(last)) => last.push_str(&rest[2..]),
                _ => lines.push(rest[2..].to_owned()),
            }
        }
        lines
    }

    /// Whether a line of the log is this.
    pub fn says(&self, line: &str) -> bool {
        self.lines().iter().any(|said| said == line)
    }

    /// What a step led to: outcome and conclusion.
    pub fn step(&self, key: &str) -> (StepOutcome, StepOutcome) {
        let steps = &self.report.steps;
        let step = steps.iter().find(|step| step.key == key);
        let step = step.unwrap_or_else(|| panic!("no step {key} in {steps:?}"));
        (step.outcome, step.conclusion)
    }
}
