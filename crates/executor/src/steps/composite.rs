//! A composite action of the workspace: steps of its own with inputs and outputs.
//!
//! GitHub runner: `CompositeActionHandler`, `ActionManager`.

use std::path::Path;

use tappet_actions::action::{self, Action};
use tappet_actions::step::action_inputs::{self, ActionInputs, Known};
use tappet_actions::{Object, scope};
use tappet_model::Diagnostic;
use tappet_model::steps_payload::StepOutcome;

use super::environment::Env;
use super::job::{ActionFrame, Frame, JobRun};
use super::step::{Done, Running};
use crate::attempt::Stop;
use crate::io::AttemptIo;

/// How deep actions may use actions (GitHub: `CompositeActionsMaxDepth`).
const MAX_DEPTH: usize = 9;

impl<I: AttemptIo> JobRun<'_, I> {
    /// Runs the steps of the action in the folder `path`.
    pub async fn composite(
        &mut self,
        frame: &Frame,
        running: &Running<'_>,
        path: &str,
        given: &Env,
    ) -> Result<Done, Stop> {
        let folder = self
            .attempt
            .workspace
            .project
            .join(path.trim_start_matches("./"));
        let depth = frame.action.as_ref().map_or(0, |action| action.depth + 1);
        let read = match depth > MAX_DEPTH {
            true => Err(format!(
                "Composite action depth exceeded max depth {MAX_DEPTH}"
            )),
            false => read(&folder),
        };
        let action = match read {
            Ok(action) => action,
            Err(reason) => {
                self.complain(&reason).await;
                return Ok(Done::failure(reason));
            }
        };
        let inputs = match self.action_inputs(running, path, &action, given).await {
            Ok(inputs) => inputs,
            Err(reason) => {
                self.complain(&reason).await;
                return Ok(Done::failure(reason));
            }
        };
        let mut values = Object::new();
        for (name, value) in inputs.iter() {
            values.insert(name, value.into());
        }
        let mut inner = Frame::new(Some(ActionFrame {
            inputs: values.into(),
            env: running.overlay.clone(),
            path: folder,
            depth,
            until: running.until,
        }));
        Box::pin(self.run_all(&mut inner, &action.steps)).await?;
        let mut done = match inner.status {
            StepOutcome::Failure => Done {
                exit_code: inner.exit_code,
                ..Done::failure(inner.reason.take().unwrap_or_default())
            },
            StepOutcome::Cancelled => Done::cancelled(),
            StepOutcome::Success | StepOutcome::Skipped => Done::SUCCESS,
        };
        let environment = self
            .environment(&inner, Some((&running.step.key, &running.files)))
            .with("env", self.env.with(&running.overlay).to_context());
        for output in &action.outputs {
            match environment
                .text_in(&output.value, &scope::ACTION_OUTPUT)
                .await
            {
                Ok(value) => done.outputs.push((output.name.clone(), value)),
                Err(error) => {
                    let reason = format!("output {}: {error}", output.name);
                    self.complain(&reason).await;
                    return Ok(Done::failure(reason));
                }
            }
        }
        Ok(done)
    }

    /// What the action is given, with its defaults, after telling what is wrong with it.
    async fn action_inputs(
        &self,
        running: &Running<'_>,
        path: &str,
        action: &Action,
        given: &Env,
    ) -> Result<ActionInputs, String> {
        let mut defaults = Vec::new();
        for input in &action.inputs {
            let text = input.default.as_deref().unwrap_or_default();
            let value = running.environment.text_in(text, &scope::ACTION_INPUT);
            let value = value
                .await
                .map_err(|error| format!("input {}: {error}", input.name))?;
            defaults.push((input.name.as_str(), value));
        }
        let known: Vec<Known<'_>> = defaults
            .iter()
            .map(|(name, default)| Known { name, default })
            .collect();
        let inputs = ActionInputs::new(given.iter(), &known);
        self.head(running, path, &inputs).await;
        let names: Vec<&str> = known.iter().map(|known| known.name).collect();
        let mut warnings: Vec<String> =
            action_inputs::unexpected(given.iter().map(|(name, _)| name), &names)
                .into_iter()
                .collect();
        for input in &action.inputs {
            let is_given = given
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(&input.name));
            if input.required && inputs.get(&input.name).is_empty() {
                warnings.push(format!("Input required and not supplied: {}", input.name));
            }
            if let Some(message) = input.deprecation_message.as_ref().filter(|_| is_given) {
                warnings.push(format!(
                    "Input '{}' has been deprecated with message: {message}",
                    input.name
                ));
            }
        }
        warnings.extend(action.warnings.iter().map(ToString::to_string));
        for warning in warnings {
            self.log.say(&format!("##[warning]{warning}")).await;
        }
        Ok(inputs)
    }
}

/// The action in a folder.
fn read(folder: &Path) -> Result<Action, String> {
    for name in ["action.yml", "action.yaml"] {
        let file = folder.join(name);
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        return action::parse(&text).map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(|it| told(&file, it)).collect();
            lines.join("\n")
        });
    }
    if folder.join("Dockerfile").is_file() {
        return Err(format!(
            "The action in '{}' is a Docker action, which this runner cannot run; make it a composite one",
            folder.display()
        ));
    }
    Err(format!(
        "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{}'. Did you forget to run actions/checkout before running your local action?",
        folder.display()
    ))
}

/// A problem of a file in GitHub's form.
fn told(file: &Path, problem: &Diagnostic) -> String {
    match problem.position {
        Some(at) => format!(
            "{} (Line: {}, Col: {}): {}",
            file.display(),
            at.line,
            at.column,
            problem.message
        ),
        None => format!("{}: {}", file.display(), problem.message),
    }
}
