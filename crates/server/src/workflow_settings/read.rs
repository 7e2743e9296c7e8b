//! Conditions and places as they are sent: paths in place of numbers, words in
//! place of kinds.

use tappet_model::ProjectId;
use tappet_store::{User, VariantAttribute, VariantAttributes};

use super::Refusal;
use super::name::{check_pattern, check_text};
use super::rank::Context;
use super::rights::known;
use super::show::Filter;
use crate::app::App;

/// Conditions of one variant.
const CONDITION_LIMIT: usize = 100;

/// Where a value applies, for those who know no variants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// In every project.
    Everywhere,
    /// In the project of this path.
    Project(&'a str),
}

impl App {
    /// Conditions as they were sent.
    ///
    /// # Errors
    /// An unknown key, an unknown project, or a value that cannot be meant.
    pub(super) async fn read_attributes(
        &self,
        user: &User,
        sent: &[(String, String)],
    ) -> Result<VariantAttributes, Refusal> {
        if sent.len() > CONDITION_LIMIT {
            return Err(Refusal::Invalid(format!(
                "{} attributes are more than the limit of {CONDITION_LIMIT}",
                sent.len()
            )));
        }
        let mut attributes = Vec::with_capacity(sent.len());
        for (key, value) in sent {
            if value.is_empty() {
                return Err(Refusal::Invalid(format!(
                    "the attribute `{key}` has no value"
                )));
            }
            attributes.push(match key.as_str() {
                "repository" => {
                    VariantAttribute::Repository(self.project_named(user, value).await?)
                }
                "environment" => {
                    check_text("environment", value)?;
                    VariantAttribute::Environment(value.clone())
                }
                "branch" => {
                    check_pattern("branch", value)?;
                    VariantAttribute::Branch(value.clone())
                }
                "workflow" => {
                    check_pattern("workflow", value)?;
                    VariantAttribute::Workflow(value.clone())
                }
                other => return Err(unknown_key(other)),
            });
        }
        Ok(attributes.into_iter().collect())
    }

    /// The conditions of a place.
    ///
    /// # Errors
    /// The caller knows no such project.
    pub(super) async fn read_place(
        &self,
        user: &User,
        place: Place<'_>,
    ) -> Result<VariantAttributes, Refusal> {
        match place {
            Place::Everywhere => Ok(VariantAttributes::default()),
            Place::Project(path) => {
                let id = self.project_named(user, path).await?;
                Ok([VariantAttribute::Repository(id)].into_iter().collect())
            }
        }
    }

    async fn project_named(&self, user: &User, path: &str) -> Result<ProjectId, Refusal> {
        if let Some(project) = self.store.project_by_any_path(path).await?
            && known(self, user, &project).await?.is_seen
        {
            return Ok(project.id);
        }
        Err(Refusal::NotFound(format!(
            "there is no repository `{path}` on this server: name the path of a project"
        )))
    }

    /// What a list is narrowed to. Projects that the caller does not see are no
    /// error here: nothing is theirs.
    ///
    /// # Errors
    /// An unknown key.
    pub async fn read_workflow_filter(
        &self,
        user: &User,
        name_part: &str,
        attributes: &[(String, String)],
        context: &[(String, String)],
    ) -> Result<Filter, Refusal> {
        let mut wanted = Vec::new();
        for (key, value) in attributes {
            wanted.push(match key.as_str() {
                "repository" => VariantAttribute::Repository(self.seen(user, value).await?),
                "environment" => VariantAttribute::Environment(value.clone()),
                "branch" => VariantAttribute::Branch(value.clone()),
                "workflow" => VariantAttribute::Workflow(value.clone()),
                other => return Err(unknown_key(other)),
            });
        }
        let mut known = Context::default();
        for (key, value) in context {
            let list = match key.as_str() {
                "repository" => {
                    let id = self.seen(user, value).await?;
                    known.repository.get_or_insert_default().push(id);
                    continue;
                }
                "environment" => &mut known.environment,
                "branch" => &mut known.branch,
                "workflow" => &mut known.workflow,
                other => return Err(unknown_key(other)),
            };
            list.get_or_insert_default().push(value.clone());
        }
        Ok(Filter {
            name_part: name_part.to_owned(),
            attributes: wanted.into_iter().collect(),
            context: known,
        })
    }

    /// The id of a project, or one that none has.
    async fn seen(&self, user: &User, path: &str) -> Result<ProjectId, Refusal> {
        match self.project_named(user, path).await {
            Err(Refusal::NotFound(_)) => Ok(ProjectId(0)),
            other => other,
        }
    }
}

fn unknown_key(key: &str) -> Refusal {
    Refusal::Invalid(format!(
        "`{key}` is not an attribute: use repository, environment, branch or workflow"
    ))
}
