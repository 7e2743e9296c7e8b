//! What the linter says of a pipeline file.

use serde::Serialize;
use tappet_gitlab_ci::{JobOutline, PolicyOutline};
use tappet_model::plan::{AllowFailure, Plan, PlannedJob};
use utoipa::ToSchema;

/// GitLab: `API::Entities::Ci::Lint::Result`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LintResult {
    /// Nothing is wrong.
    pub valid: bool,
    /// What is wrong, in GitLab's words.
    pub errors: Vec<String>,
    /// What the author should know.
    pub warnings: Vec<String>,
    /// The file with anchors, merges and `extends` resolved.
    pub merged_yaml: Option<String>,
    /// Always empty: files that include others are refused.
    pub includes: Option<Vec<String>>,
    /// Only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Vec<LintJob>>,
}

/// A job of the file, or in a dry run of the pipeline that it would give.
#[derive(Debug, Serialize, ToSchema)]
pub struct LintJob {
    name: String,
    stage: String,
    before_script: Vec<String>,
    script: Vec<String>,
    after_script: Vec<String>,
    tag_list: Vec<String>,
    environment: Option<String>,
    when: &'static str,
    allow_failure: bool,
    /// What a pipeline has settled, and a file has not.
    #[serde(flatten)]
    open: Option<OpenQuestions>,
}

/// What decides whether and when a job runs.
#[derive(Debug, Serialize, ToSchema)]
struct OpenQuestions {
    only: Option<Policy>,
    except: Option<Policy>,
    needs: Option<Vec<Need>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Policy {
    #[serde(skip_serializing_if = "Option::is_none")]
    refs: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Need {
    name: String,
    artifacts: bool,
    optional: bool,
}

impl LintJob {
    /// A job of a file.
    pub fn of_file(job: &JobOutline<'_>) -> Self {
        let needs = job.needs.as_ref().map(|needs| {
            let shown = needs.iter().map(|need| Need {
                name: need.name.to_owned(),
                artifacts: need.artifacts,
                optional: need.optional,
            });
            shown.collect()
        });
        Self {
            name: job.name.to_owned(),
            stage: job.stage.to_owned(),
            before_script: job.before_script.to_vec(),
            script: job.script.to_vec(),
            after_script: job.after_script.to_vec(),
            tag_list: job.tags.to_vec(),
            environment: job.environment.map(str::to_owned),
            when: job.when.as_str(),
            allow_failure: job.allow_failure,
            open: Some(OpenQuestions {
                only: job.only.clone().map(policy),
                except: job.except.clone().map(policy),
                needs,
            }),
        }
    }

    /// A job of a pipeline, with what the file says of it.
    pub fn of_plan(plan: &Plan, job: &PlannedJob, written: Option<&JobOutline<'_>>) -> Self {
        let before_lines = written.map_or(0, |written| written.before_script.len());
        let (before_script, script) = job.spec.script.split_at(before_lines);
        Self {
            name: job.name.clone(),
            stage: plan.stages[job.stage].clone(),
            before_script: before_script.to_vec(),
            script: script.to_vec(),
            after_script: job.spec.after_script.clone(),
            tag_list: job.tags.clone(),
            // As written, in GitLab too.
            environment: written.and_then(|written| written.environment.map(str::to_owned)),
            when: job.when.as_str(),
            allow_failure: job.allow_failure == AllowFailure::Yes,
            open: None,
        }
    }
}

fn policy(outline: PolicyOutline) -> Policy {
    Policy {
        refs: outline.refs,
        variables: outline.variables,
        changes: outline.changes,
    }
}
