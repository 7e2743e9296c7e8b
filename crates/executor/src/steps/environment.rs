//! What the expressions of a step may ask.

use std::path::PathBuf;

use tappet_actions::{
    Condition, Environment, ExpressionError, Object, SpecialFunction, Template, Value, scope,
};
use tappet_model::workflow_job::Setting;

use super::hash_files;

/// Names with values, as in `env`: the last value of a name counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Env(Vec<(String, String)>);

impl Env {
    /// Gives `name` a value.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// In the order of first mention.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// These, with those of `other` on top.
    pub fn with(&self, other: &Env) -> Env {
        let mut both = self.clone();
        for (name, value) in other.iter() {
            both.set(name, value);
        }
        both
    }

    /// As the context `env`, in which case matters on Linux.
    pub fn to_context(&self) -> Value {
        let mut object = Object::case_sensitive();
        for (name, value) in self.iter() {
            object.insert(name, value.into());
        }
        object.into()
    }
}

/// What `success()` and its relatives answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    /// Nothing failed so far.
    pub success: bool,
    /// Something failed.
    pub failure: bool,
    /// The job shall stop.
    pub cancelled: bool,
}

/// What the keys of a step may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    condition: &'static scope::Place,
    other: &'static scope::Place,
}

impl Places {
    /// Steps of a job.
    pub const JOB: Self = Self {
        condition: &scope::STEP_IF,
        other: &scope::STEP,
    };
    /// Steps of a composite action.
    pub const ACTION: Self = Self {
        condition: &scope::ACTION_STEP_IF,
        other: &scope::ACTION_STEP,
    };
}

/// The contexts at one point of the job.
#[derive(Clone, Debug)]
pub(super) struct StepEnvironment {
    contexts: Vec<(String, Value)>,
    standing: Standing,
    workspace: PathBuf,
    places: Places,
}

impl StepEnvironment {
    /// With these contexts, by their names in lower case.
    pub fn new(
        contexts: Vec<(String, Value)>,
        standing: Standing,
        workspace: PathBuf,
        places: Places,
    ) -> Self {
        Self {
            contexts,
            standing,
            workspace,
            places,
        }
    }

    /// The same with another value for one context.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        match self.contexts.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.contexts.push((name.to_owned(), value)),
        }
        self
    }

    /// A text of a step, its expressions replaced.
    pub async fn text(&self, text: &str) -> Result<String, ExpressionError> {
        self.text_in(text, self.places.other).await
    }

    /// A text, its expressions replaced, as a place with these rules allows.
    pub async fn text_in(
        &self,
        text: &str,
        place: &'static scope::Place,
    ) -> Result<String, ExpressionError> {
        if !text.contains("${{") {
            return Ok(text.to_owned());
        }
        let template = Template::parse(text, place)?;
        let hashes = has_hash_files(template.uses());
        let value = self
            .evaluate(hashes, move |environment| {
                template.evaluate_text(environment)
            })
            .await?;
        Ok(value.to_string())
    }

    /// The values of settings, one after the other.
    pub async fn settings(&self, settings: &[Setting]) -> Result<Env, ExpressionError> {
        let mut values = Env::default();
        for setting in settings {
            values.set(&setting.name, &self.text(&setting.value).await?);
        }
        Ok(values)
    }

    /// A truth value such as that of `continue-on-error`.
    pub async fn flag(&self, text: &str) -> Result<bool, ExpressionError> {
        match self.text(text).await?.trim() {
            "" | "false" => Ok(false),
            "true" => Ok(true),
            other => Err(ExpressionError::evaluation(format!(
                "The template is not valid. Unexpected value '{other}': use true or false"
            ))),
        }
    }

    /// A number such as that of `timeout-minutes`.
    pub async fn number(&self, text: &str) -> Result<f64, ExpressionError> {
        let text = self.text(text).await?;
        match text.trim().parse() {
            Ok(number) if f64::is_finite(number) => Ok(number),
            _ => Err(ExpressionError::evaluation(format!(
                "The template is not valid. Unexpected value '{text}': use a number"
            ))),
        }
    }

    /// Whether a step shall run.
    pub async fn holds(&self, condition: Option<&str>) -> Result<bool, ExpressionError> {
        let condition = match condition {
            Some(text) => Condition::parse(text, self.places.condition)?,
            None => Condition::implied(),
        };
        let hashes = has_hash_files(condition.uses());
        self.evaluate(hashes, move |environment| condition.holds(environment))
            .await
    }

    /// `hashFiles` reads files, so what uses it goes on a thread that may block.
    async fn evaluate<T: Send + 'static>(
        &self,
        blocks: bool,
        work: impl FnOnce(&Self) -> Result<T, ExpressionError> + Send + 'static,
    ) -> Result<T, ExpressionError> {
        if !blocks {
            return work(self);
        }
        let environment = self.clone();
        tokio::task::spawn_blocking(move || work(&environment))
            .await
            .unwrap_or_else(|error| Err(ExpressionError::evaluation(error.to_string())))
    }
}

fn has_hash_files<'u>(mut uses: impl Iterator<Item = tappet_actions::Use<'u>>) -> bool {
    uses.any(|used| {
        matches!(
            used,
            tappet_actions::Use::Function {
                function: SpecialFunction::HashFiles,
                ..
            }
        )
    })
}

impl Environment for StepEnvironment {
    fn context(&self, name: &str) -> Option<Value> {
        self.contexts
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }

    fn call(
        &self,
        function: SpecialFunction,
        arguments: &[Value],
    ) -> Result<Value, ExpressionError> {
        Ok(match function {
            SpecialFunction::Always => true.into(),
            SpecialFunction::Success => self.standing.success.into(),
            SpecialFunction::Failure => self.standing.failure.into(),
            SpecialFunction::Cancelled => self.standing.cancelled.into(),
            SpecialFunction::HashFiles => {
                let patterns: Vec<_> = arguments.iter().map(Value::to_text).collect();
                hash_files::hash(&self.workspace, &patterns)
                    .map_err(|error| {
                        ExpressionError::evaluation(format!(
                            "hashFiles('{}') failed. Fail to hash files under directory '{}': {error}",
                            patterns.join(", "),
                            self.workspace.display()
                        ))
                    })?
                    .into()
            }
        })
    }
}
