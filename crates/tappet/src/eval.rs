//! `tappet eval`: expressions alone, without a workflow around them.
//!
//! Standard input is a JSON array of `{"expr": "…", "contexts": {…}}`; only the
//! contexts that are given are known. The answer has one element for each, in
//! order: a kind and a value, or why there is none.

mod actions;
mod gitlab;

use std::io::Read;

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};
use tappet_actions::Value;

use crate::exit::{self, Usage};
use crate::output;

/// `tappet eval …`.
#[derive(Args)]
pub struct Arguments {
    /// Whose expressions: those of `${{ }}` in workflows, or of `rules:if` in `.gitlab-ci.yml`
    #[arg(long, value_enum)]
    dialect: Dialect,
    /// Print a JSON array of kinds and values instead of a line for each
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dialect {
    Actions,
    Gitlab,
}

/// What an expression is worth, or why it is worth nothing.
type Answer = Result<Value, String>;

impl Arguments {
    /// Answers what standard input asks. An expression without a value is an
    /// answer too; only input that is not as described is wrong use.
    pub fn run(&self) -> anyhow::Result<u8> {
        let mut input = Vec::new();
        std::io::stdin().read_to_end(&mut input)?;
        let input = String::from_utf8(input)
            .map_err(|error| Usage(format!("cannot read standard input: {error}")))?;
        let answers = match self.dialect {
            Dialect::Actions => actions::answers(&input)?,
            Dialect::Gitlab => gitlab::answers(&input)?,
        };
        if self.json {
            let answers: Json = answers.iter().map(as_json).collect();
            output::print(format_args!("{answers}\n"))?;
        } else {
            let lines: String = answers.iter().map(as_line).collect();
            output::print(lines)?;
        }
        Ok(exit::SUCCESS)
    }
}

fn as_json(answer: &Answer) -> Json {
    match answer {
        Ok(value) => json!({"kind": value.kind(), "value": value.to_json()}),
        Err(error) => json!({"error": error}),
    }
}

fn as_line(answer: &Answer) -> String {
    match answer {
        Ok(value) => format!("{}: {}\n", value.kind(), value.to_json()),
        Err(error) => format!("error: {error}\n"),
    }
}

/// Standard input is not what the command reads.
fn unreadable(why: impl std::fmt::Display) -> Usage {
    Usage(format!(
        "standard input has to be a JSON array of {{\"expr\": text, \"contexts\": object}}: {why}"
    ))
}
