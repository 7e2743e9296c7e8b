//! `tappet trigger run`: starts a run, once, whatever the network does, and
//! waits for it if asked to.

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::api::{Api, ApiError, ProjectName};
use crate::exit::{self, Usage};
use crate::id::Place;
use crate::idempotency_key;
use crate::output::{self, Output, paint};
use crate::wait;

/// Flags of `trigger run`.
#[derive(Args)]
pub struct RunFlags {
    /// Number or full path
    project: ProjectName,
    /// Branch or tag
    #[arg(long = "ref", value_name = "REF")]
    ref_name: String,
    /// A variable of the run; without `=VALUE` its value is taken from the environment
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Start it with this trigger token; otherwise the access token starts it
    #[arg(
        long,
        env = "TAPPET_TRIGGER_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    trigger_token: Option<String>,
    /// Wait for the end; the exit code is the run's (0 success, 1 failed, 2 invalid file,
    /// 3 nothing to run, 4 waits at a manual job, 130 canceled)
    #[arg(long)]
    wait: bool,
    /// Wait, and show the logs of all jobs as they grow
    #[arg(long)]
    follow: bool,
    /// The same key within a day gives the same run instead of another one [default: a new key]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl RunFlags {
    fn waits(&self) -> bool {
        self.wait || self.follow
    }

    fn trigger_token(&self) -> Option<&str> {
        self.trigger_token
            .as_deref()
            .filter(|token| !token.is_empty())
    }
}

/// `KEY=VALUE`, or `KEY` for a variable of our own environment.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) => Err("the name before `=` is missing".to_owned()),
        None => match std::env::var(text) {
            Ok(value) => Ok((text.to_owned(), value)),
            Err(_) => Err(format!(
                "the environment has no variable {text}: set it, or write {text}=VALUE"
            )),
        },
    }
}

/// Starts the run and prints it, or its end.
pub async fn run(api: &Api, output: Output, flags: RunFlags) -> anyhow::Result<u8> {
    check_readable(api, &flags).await?;
    let (path, body) = call(&flags);
    let key = idempotency_key::given_or_new(flags.idempotency_key.as_deref())?;
    let run = api.post_once(&path, &body, &key).await;
    let run = match run.map_err(|error| explained(&flags, error)) {
        Ok(run) => run,
        Err(error) => {
            let code = if flags.waits() {
                of_refusal(&error)
            } else {
                None
            };
            return match code {
                Some(code) => {
                    let (bad, plain) = (paint::BAD, anstyle::Reset);
                    output::note(format_args!("{bad}error:{plain} {error}"))?;
                    Ok(code)
                }
                None => Err(error.into()),
            };
        }
    };
    let id = run["id"].as_i64().context("the answer names no run")?;
    if !flags.waits() {
        output.done(&run, started(&flags, &run))?;
        return Ok(exit::SUCCESS);
    }
    output::note(started(&flags, &run))?;
    let place = Place {
        project: format!("/projects/{}", run["project_id"]),
        run: id,
        attempt: None,
    };
    wait::until_over(api, output, &place, flags.follow, || async { Ok(None) }).await
}

/// A trigger token reads nothing. So before anything is started, look whether the
/// end of the run could be seen at all.
async fn check_readable(api: &Api, flags: &RunFlags) -> anyhow::Result<()> {
    if !flags.waits() || api.has_token() {
        return Ok(());
    }
    let list = flags.project.path("/pipelines?per_page=1");
    let can_read = !flags.follow && api.get(&list).await.is_ok();
    if can_read {
        return Ok(());
    }
    let flag = if flags.follow { "--follow" } else { "--wait" };
    Err(Usage(format!(
        "nothing was started: {flag} has to read the run, and a trigger token reads nothing\n\
         Give an access token with the scope `read_api` beside it (--token or TAPPET_TOKEN), \
         or leave {flag} out."
    ))
    .into())
}

/// To a trigger token the server says the same of a wrong project as of a wrong
/// token, so that nobody can try tokens out.
fn explained(flags: &RunFlags, error: ApiError) -> ApiError {
    match flags.trigger_token() {
        Some(_) => error.if_missing(
            "\nThere is no such project, or the trigger token does not open it: it is mistyped, \
             revoked, expired or of another project, or its owner has lost access.",
        ),
        None => error,
    }
}

/// The two APIs write variables differently: a map, and a list of objects.
fn call(flags: &RunFlags) -> (String, Value) {
    let given = flags.variables.iter();
    match flags.trigger_token() {
        Some(token) => {
            let variables: Map<_, _> = given
                .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
                .collect();
            let body = json!({ "token": token, "ref": flags.ref_name, "variables": variables });
            (flags.project.path("/trigger/pipeline"), body)
        }
        None => {
            let variables: Vec<_> = given
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect();
            let body = json!({ "ref": flags.ref_name, "variables": variables });
            (flags.project.path("/pipeline"), body)
        }
    }
}

fn started(flags: &RunFlags, run: &Value) -> String {
    format!(
        "Started run {} of {} at {} ({}): {}",
        run["id"],
        flags.project,
        run["ref"].as_str().unwrap_or_default(),
        run["sha"]
            .as_str()
            .unwrap_or_default()
            .get(..8)
            .unwrap_or_default(),
        run["web_url"].as_str().unwrap_or_default(),
    )
}

/// The exit code of a refusal that is about the pipeline file. GitLab's words
/// tell (`lib/gitlab/ci/pipeline/chain`); `None` for any other refusal.
fn of_refusal(error: &ApiError) -> Option<u8> {
    /// Rules left nothing.
    const NOTHING_TO_RUN: [&str; 3] = [
        "The pipeline did not run. Review the workflow:rules",
        "The resulting pipeline would have been empty",
        "No stages / jobs for this pipeline",
    ];
    /// Refused before the file was looked at, or for reasons outside of it.
    const NOT_THE_FILE: [&str; 15] = [
        "Project is deleted!",
        "Pipelines are disabled!",
        "You cannot run pipelines",
        "You do not have sufficient permission",
        "Insufficient permissions",
        "Reference not found",
        "Commit not found",
        "Ref is ambiguous",
        "Too many pipelines",
        "There cannot be more than",
        "Project exceeded the allowed",
        "inputs are not supported",
        "Failed to build the pipeline!",
        "variables ",
        "400 ",
    ];
    let ApiError::Refused {
        status: 400 | 422,
        text,
        ..
    } = error
    else {
        return None;
    };
    let is_one_of = |texts: &[&str]| texts.iter().any(|known| text.contains(known));
    if is_one_of(&NOTHING_TO_RUN) {
        Some(exit::NO_RUN)
    } else if is_one_of(&NOT_THE_FILE) || text.ends_with("is missing") || text.ends_with("is empty")
    {
        None
    } else {
        Some(exit::CONFIGURATION)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("A=b", Some(("A", "b")))]
    #[case("A=b=c", Some(("A", "b=c")))]
    #[case("A=", Some(("A", "")))]
    #[case("=b", None)]
    #[case("TAPPET_NO_SUCH_VARIABLE", None)]
    fn variables_are_written_as_pairs(#[case] text: &str, #[case] expected: Option<(&str, &str)>) {
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(variable(text).ok(), expected);
    }

    #[rstest]
    #[case(
        422,
        "jobs:a config contains unknown keys: x at line 3 column 1",
        Some(exit::CONFIGURATION)
    )]
    #[case(400, "Missing CI config file", Some(exit::CONFIGURATION))]
    #[case(
        400,
        "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs.",
        Some(exit::NO_RUN)
    )]
    #[case(
        400,
        "The pipeline did not run. Review the workflow:rules configuration for the pipeline.",
        Some(exit::NO_RUN)
    )]
    #[case(400, "Reference not found", None)]
    #[case(400, "Insufficient permissions to set pipeline variables", None)]
    #[case(404, "404 Not Found", None)]
    #[case(503, "anything", None)]
    fn a_refusal_because_of_the_file_has_its_own_code(
        #[case] status: u16,
        #[case] text: &str,
        #[case] expected: Option<u8>,
    ) {
        let body = json!({ "message": { "base": [text] } }).to_string();
        let error = ApiError::refused(status, body.as_bytes(), None);
        assert_eq!(of_refusal(&error), expected);
    }
}
