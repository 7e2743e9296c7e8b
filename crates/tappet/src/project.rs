//! `tappet project`: git repositories with settings.

mod forge;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::api::{ProjectName, given, query};
use crate::connection::{Connection, ListFlags};
use crate::exit::{self, Usage};
use crate::output::{Column, Kind};

/// `tappet project …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Projects that you can see
    List {
        /// Only those with this in their path
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        list: ListFlags,
    },
    /// One project
    Show {
        /// Number or full path
        project: ProjectName,
    },
    /// Add a project over a git repository
    Create {
        /// Full path, e.g. acme/web
        path: String,
        /// Any address that git can fetch, or a directory of the server
        #[arg(long = "repository", value_name = "ADDRESS")]
        import_url: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change settings of a project
    Update {
        /// Number or full path
        project: ProjectName,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove a project with all its runs, logs and artifacts
    Delete {
        /// Number or full path
        project: ProjectName,
        /// Yes, with all its runs
        #[arg(long)]
        yes: bool,
    },
    /// Where its pull requests are discussed: GitHub, GitLab, Gitea, Forgejo, Bitbucket
    Forge {
        #[command(subcommand)]
        verb: forge::ForgeVerb,
    },
}

#[derive(Args, Serialize)]
struct Settings {
    /// Its name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What it is
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Branch for everything that names none
    #[arg(long, value_name = "BRANCH")]
    default_branch: Option<String>,
    /// Who sees it
    #[arg(long, value_name = "WHO", value_parser = ["private", "internal", "public"])]
    visibility: Option<String>,
    /// Path of the pipeline file in the repository
    #[arg(long = "pipeline-file", value_name = "PATH")]
    ci_config_path: Option<String>,
    /// How long a job may run, in seconds
    #[arg(long = "timeout", value_name = "SECONDS")]
    build_timeout: Option<u64>,
    /// Who may give variables to a run
    #[arg(
        long = "variables-from",
        value_name = "ROLE",
        value_parser = ["developer", "maintainer", "owner", "no_one_allowed"]
    )]
    ci_pipeline_variables_minimum_override_role: Option<String>,
}

#[derive(Serialize)]
struct NewProject {
    path: String,
    import_url: String,
}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("path", "/path_with_namespace"),
    Column::text("visibility", "/visibility"),
    Column::new("created", "/created_at", Kind::Ago),
];

const FIELDS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("path", "/path_with_namespace"),
    Column::text("name", "/name"),
    Column::text("description", "/description"),
    Column::text("repository", "/import_url"),
    Column::text("default branch", "/default_branch"),
    Column::text("pipeline file", "/ci_config_path"),
    Column::text("visibility", "/visibility"),
    Column::new("job timeout", "/build_timeout", Kind::Seconds),
    Column::new(
        "your role",
        "/permissions/project_access/access_level",
        Kind::Role,
    ),
    Column::new("created", "/created_at", Kind::Time),
    Column::text("page", "/web_url"),
];

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        match self.verb {
            Verb::List { search, list } => {
                let path = format!("/projects{}", query(&[("search", search.as_deref())]));
                let page = api.list(&path, list.limit).await?;
                let none = "There are no projects: add one with \
                            `tappet project create PATH --repository ADDRESS`";
                output.list(&page, COLUMNS, none)?;
            }
            Verb::Show { project } => {
                output.record(&api.get(&project.path("")).await?, FIELDS)?;
            }
            Verb::Create {
                path,
                import_url,
                settings,
            } => {
                let mut body = given(&NewProject { path, import_url });
                merge(&mut body, given(&settings));
                let project = api.post("/projects", &body).await?;
                output.done(&project, created(&project))?;
            }
            Verb::Update { project, settings } => {
                let answer = api.put(&project.path(""), &given(&settings)).await?;
                output.done(&answer, format_args!("Updated {project}."))?;
            }
            Verb::Forge { verb } => forge::run(&api, output, verb).await?,
            Verb::Delete { project, yes: true } => {
                let answer = api.delete(&project.path("")).await?;
                output.done(&answer, format_args!("Deleted {project}."))?;
            }
            Verb::Delete {
                project,
                yes: false,
            } => {
                return Err(Usage(format!(
                    "this would remove {project} with all its runs, logs and artifacts for good\n\
                     Add --yes if you mean it."
                ))
                .into());
            }
        }
        Ok(exit::SUCCESS)
    }
}

fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

fn created(project: &Value) -> String {
    let path = project["path_with_namespace"].as_str().unwrap_or_default();
    format!(
        "Added project {} ({path}). Start a run of it:\n\n  tappet trigger run {path} --ref {}",
        project["id"],
        project["default_branch"].as_str().unwrap_or("main"),
    )
}
