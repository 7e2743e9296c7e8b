//! Conditions of `rules:if`; their contexts are the variables.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use tappet_actions::Value;
use tappet_gitlab_ci::expression::{self, Outcome};

use super::{Answer, unreadable};
use crate::exit::Usage;

#[derive(Deserialize)]
struct Question {
    expr: String,
    contexts: Option<BTreeMap<String, Json>>,
}

pub(super) fn answers(input: &str) -> Result<Vec<Answer>, Usage> {
    let questions: Vec<Question> = serde_json::from_str(input).map_err(unreadable)?;
    questions.into_iter().map(answer).collect()
}

fn answer(question: Question) -> Result<Answer, Usage> {
    let mut variables = BTreeMap::new();
    for (name, value) in question.contexts.unwrap_or_default() {
        let value = match value {
            Json::Null => continue,
            Json::String(text) => text,
            Json::Bool(_) | Json::Number(_) => value.to_string(),
            Json::Array(_) | Json::Object(_) => {
                return Err(unreadable(format_args!("variable `{name}` is no text")));
            }
        };
        variables.insert(name, value);
    }
    let variable = |name: &str| variables.get(name).cloned();
    let outcome = expression::parse(&question.expr).map(|parsed| parsed.outcome(&variable));
    Ok(match outcome {
        Ok(Outcome::Null) => Ok(Value::Null),
        Ok(Outcome::Bool(value)) => Ok(value.into()),
        Ok(Outcome::Text(text)) => Ok(text.into()),
        Err(error) => Err(error.to_string()),
    })
}
