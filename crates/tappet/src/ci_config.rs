//! `tappet ci-config`: what projects do about pull requests.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::api::{Api, Page, ProjectName, given, query};
use crate::connection::Connection;
use crate::exit;
use crate::output::{Column, Kind};

/// `tappet ci-config …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// CI configs of a project; every project has one from the start
    List {
        /// Number or full path
        project: ProjectName,
    },
    /// One CI config
    Show(One),
    /// Add a CI config
    Create {
        /// Number or full path
        project: ProjectName,
        /// Its name, unique in the project
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change a CI config; what is not given stays as it is
    Update {
        #[command(flatten)]
        one: One,
        /// Its name, unique in the project
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove a CI config; its runs stay, and so does the last one of a project
    Delete(One),
}

#[derive(Args)]
struct One {
    /// Number of the CI config, as `tappet ci-config list` shows it
    #[arg(value_name = "CONFIG")]
    id: i64,
}

impl One {
    fn path(&self) -> String {
        format!("/{}", self.id)
    }
}

#[derive(Args, Serialize)]
struct Settings {
    /// A pipeline file, or a workflow, that makes a run; repeatable for workflows. An empty
    /// text: the project's pipeline file, or else its workflows
    #[arg(long = "file", value_name = "PATH")]
    pipeline_files: Option<Vec<String>>,
    /// Only pull requests into this branch, when a forge tells of them; an empty text: all
    #[arg(long, value_name = "BRANCH")]
    base_branch: Option<String>,
    /// A pattern as in .gitignore: a pull request of a forge that changes nothing else starts no
    /// run; repeatable; an empty text: none
    #[arg(long = "ignore", value_name = "PATTERN")]
    ignored_files: Option<Vec<String>>,
    /// Pull requests of a forge wait for this label; an empty text: none
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// A newer commit cancels runs of older ones of the same pull request
    #[arg(long, value_name = "BOOL")]
    cancels_superseded: Option<bool>,
    /// Name of the status at the commit
    #[arg(long, value_name = "TEXT")]
    status_name: Option<String>,
    /// Every job has a status at the commit, too
    #[arg(long, value_name = "BOOL")]
    reports_jobs: Option<bool>,
    /// Tell the outcome in a comment on the pull request
    #[arg(long, value_name = "BOOL")]
    comments: Option<bool>,
    /// A run that failed marks the commit as failed
    #[arg(long, value_name = "BOOL")]
    fails_check_on_errors: Option<bool>,
    /// Runs wait for the pairs of tables that `datafold ci submit` sends
    #[arg(long, value_name = "BOOL")]
    expects_diffs: Option<bool>,
}

impl Settings {
    /// As the API takes them: empty texts take a setting away.
    fn body(&self, name: Option<String>) -> Value {
        let mut body = given(self);
        for list in ["pipeline_files", "ignored_files"] {
            if let Some(items) = body.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| item != "");
            }
        }
        for text in ["base_branch", "label"] {
            if body[text] == "" {
                body[text] = Value::Null;
            }
        }
        if let Some(name) = name {
            body["name"] = name.into();
        }
        body
    }
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::text("base branch", "/base_branch"),
    Column::text("label", "/label"),
    Column::text("status", "/status_name"),
    Column::new("expects diffs", "/expects_diffs", Kind::Flag),
];

const FIELDS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::text("project", "/project_id"),
    Column::new("files", "/pipeline_files", Kind::List),
    Column::text("base branch", "/base_branch"),
    Column::new("ignored files", "/ignored_files", Kind::List),
    Column::text("label", "/label"),
    Column::new("cancels superseded", "/cancels_superseded", Kind::Flag),
    Column::text("status", "/status_name"),
    Column::new("reports jobs", "/reports_jobs", Kind::Flag),
    Column::new("comments", "/comments", Kind::Flag),
    Column::new(
        "fails check on errors",
        "/fails_check_on_errors",
        Kind::Flag,
    ),
    Column::new("expects diffs", "/expects_diffs", Kind::Flag),
    Column::new("created", "/created_at", Kind::Time),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List { project } => {
                let page = of_project(&api, &project).await?;
                output.list(&page, COLUMNS, &format!("{project} has no CI configs."))?;
            }
            Verb::Show(one) => output.record(&api.ci_get(&one.path()).await?, FIELDS)?,
            Verb::Create {
                project,
                name,
                settings,
            } => {
                let path = query(&[("project", Some(&project.to_string()))]);
                let config = api.ci_post(&path, &settings.body(Some(name))).await?;
                let sentence = format!(
                    "Added CI config {id}. Start a run under it:\n\n  \
                     tappet trigger pr {project} --config {id} --pr NUMBER --sha SHA --base-sha SHA",
                    id = config["id"],
                );
                output.done(&config, sentence)?;
            }
            Verb::Update {
                one,
                name,
                settings,
            } => {
                let config = api.ci_patch(&one.path(), &settings.body(name)).await?;
                output.done(&config, format_args!("Updated CI config {}.", one.id))?;
            }
            Verb::Delete(one) => {
                let answer = api.ci_delete(&one.path()).await?;
                output.done(&answer, format_args!("Removed CI config {}.", one.id))?;
            }
        }
        Ok(exit::SUCCESS)
    }
}

/// CI configs of a project, the oldest first.
pub async fn of_project(api: &Api, project: &ProjectName) -> anyhow::Result<Page> {
    let path = query(&[("project", Some(&project.to_string()))]);
    match api.ci_get(&path).await? {
        Value::Array(items) => Ok(Page {
            items,
            has_more: false,
        }),
        other => Err(crate::api::ApiError::unexpected(format!("a list, but got {other}")).into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nothing_given() -> Settings {
        Settings {
            pipeline_files: None,
            base_branch: None,
            ignored_files: None,
            label: None,
            cancels_superseded: None,
            status_name: None,
            reports_jobs: None,
            comments: None,
            fails_check_on_errors: None,
            expects_diffs: None,
        }
    }

    #[test]
    fn flags_that_were_not_given_change_nothing() {
        assert_eq!(nothing_given().body(None), json!({}));
        let settings = Settings {
            expects_diffs: Some(true),
            ..nothing_given()
        };
        assert_eq!(settings.body(None), json!({ "expects_diffs": true }));
    }

    #[test]
    fn empty_texts_take_settings_away() {
        let settings = Settings {
            pipeline_files: Some(vec![String::new()]),
            base_branch: Some(String::new()),
            ignored_files: Some(vec!["*.md".into(), String::new()]),
            cancels_superseded: Some(false),
            ..nothing_given()
        };
        let expected = json!({
            "name": "docs", "pipeline_files": [], "base_branch": null,
            "ignored_files": ["*.md"], "cancels_superseded": false,
        });
        assert_eq!(settings.body(Some("docs".into())), expected);
    }
}
