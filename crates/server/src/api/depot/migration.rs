//! `depot.ci.v1.MigrationService` and `depot.ci.v2.MigrationService`: what `depot ci
//! migrate` asks before it moves workflows from GitHub. Here workflows run from
//! where they are, so there are only answers: which repositories there are, and
//! what the compiler says of their workflows.

mod analysis;

use std::sync::Arc;

use connectrpc::{RequestContext, Response, Router, ServiceRequest, ServiceResult};
use tappet_model::ProjectId;
use tappet_rpc::depot::ci::v1::{
    self, GetInstallationRequest, GetInstallationResponse, ImportSecretsAndVarsRequest,
    ImportSecretsAndVarsResponse, Installation,
};
use tappet_rpc::depot::ci::v2::{
    self, GetRepositoryMigrationAnalysisRequest, GetRepositoryMigrationAnalysisResponse,
    ListMigrationRepositoriesRequest, ListMigrationRepositoriesResponse, MigrationRepository,
    RegisterSecretMigrationIntentResponse, ReportSecretImportRequest, ReportSecretImportResponse,
    RetryWorkflowMigrationRequest, RetryWorkflowMigrationResponse, SecretMigrationIntent,
    StartWorkflowMigrationRequest, StartWorkflowMigrationResponse,
};
use tappet_store::{PageRequest, Project, ProjectFilter};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use crate::app::SharedApp;
use crate::clock;
use crate::rights::{Right, viewer};

/// Repositories of a page when nothing else is asked for.
const PAGE_SIZE: u32 = 50;
/// Repositories of a page at most.
const PAGE_SIZE_LIMIT: u32 = 100;
/// The one connection to repositories that a server has: itself.
const INSTALLATION: &str = "tappet";

/// Both services.
pub struct Migration {
    app: SharedApp,
}

/// Mounts them.
pub fn register(app: &SharedApp, services: Router) -> Router {
    let migration = Arc::new(Migration { app: app.clone() });
    let services = v1::MigrationServiceExt::register(migration.clone(), services);
    v2::MigrationServiceExt::register(migration, services)
}

fn nothing_to_migrate() -> RpcError {
    RpcError::failed_precondition(
        "there is nothing to migrate: this server runs the workflows of .depot/workflows and \
         .github/workflows where they are",
    )
}

fn no_import() -> RpcError {
    RpcError::failed_precondition(
        "this server cannot read secrets and variables at a forge: add them with `depot ci \
         secrets bulk` and `depot ci vars add`",
    )
}

fn message(project: &Project) -> MigrationRepository {
    MigrationRepository {
        id: project.id.to_string(),
        name: project.name.clone(),
        full_name: project.path.clone(),
    }
}

/// The path of a project in an address such as `github.com/acme/web.git`.
fn path_in(address: &str) -> &str {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = address.split_once('/').map_or(address, |(host, rest)| {
        // `acme/web` has no host in front.
        if host.contains(['.', ':', '@']) {
            rest
        } else {
            address
        }
    });
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

impl Migration {
    /// A project by its path that the caller sees.
    async fn project(&self, caller: &Caller, path: &str) -> RpcResult<Project> {
        let found = self.app.store.project_by_any_path(path).await?;
        self.seen(caller, found, path).await
    }

    async fn seen(
        &self,
        caller: &Caller,
        found: Option<Project>,
        name: &str,
    ) -> RpcResult<Project> {
        if let Some(project) = found {
            let standing = self.app.standing(Some(&caller.user), &project).await?;
            if standing.may(Right::ReadProject, &project) {
                return Ok(project);
            }
        }
        Err(RpcError::not_found(format!(
            "there is no repository `{name}` on this server: name the path of a project"
        )))
    }
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl v1::MigrationService for Migration {
    async fn get_installation(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetInstallationRequest>,
    ) -> ServiceResult<GetInstallationResponse> {
        let caller = Caller::reading(&ctx)?;
        if request.repo.is_empty() {
            return Err(RpcError::invalid("repo is required: the path of a project").into());
        }
        let project = self.project(&caller, request.repo).await?;
        let (owner, _) = project.path.split_once('/').unwrap_or((&project.path, ""));
        Response::ok(GetInstallationResponse {
            installations: vec![Installation {
                installation_id: INSTALLATION.to_owned(),
                settings_url: self.app.config.url(&format!("/{}", project.path)),
                owner: owner.to_owned(),
                requires_new_perms: false,
                repo_accessible: true,
            }],
        })
    }

    async fn import_secrets_and_vars(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ImportSecretsAndVarsRequest>,
    ) -> ServiceResult<ImportSecretsAndVarsResponse> {
        Caller::writing(&ctx)?;
        Err(no_import().into())
    }
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl v2::MigrationService for Migration {
    async fn list_repositories(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ListMigrationRepositoriesRequest>,
    ) -> ServiceResult<ListMigrationRepositoriesResponse> {
        let caller = Caller::reading(&ctx)?;
        let per_page = match request.page_size {
            0 => PAGE_SIZE,
            asked => asked.min(PAGE_SIZE_LIMIT),
        };
        let after = match request.page_token {
            "" => None,
            token => Some(token.parse::<ProjectId>().map_err(|_| {
                RpcError::invalid(
                    "page_token is none that this list gave out; leave it out to begin again",
                )
            })?),
        };
        let filter = ProjectFilter {
            viewer: viewer(Some(&caller.user)),
            id_after: after,
            ascending: true,
            ..ProjectFilter::default()
        };
        let page = PageRequest { page: 1, per_page };
        let found = self.app.store.visible_projects(filter, clock::now(), page);
        let found = found.await.map_err(RpcError::from)?;
        let last = found.items.last().filter(|_| found.has_next);
        Response::ok(ListMigrationRepositoriesResponse {
            repositories: found.items.iter().map(message).collect(),
            next_page_token: last.map(|last| last.id.to_string()).unwrap_or_default(),
        })
    }

    async fn get_repository_analysis(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetRepositoryMigrationAnalysisRequest>,
    ) -> ServiceResult<GetRepositoryMigrationAnalysisResponse> {
        let caller = Caller::reading(&ctx)?;
        let request = request.to_owned_message();
        let project = match (&*request.workflow_repo_id, &*request.repository_url) {
            ("", "") => {
                return Err(
                    RpcError::invalid("workflow_repo_id or repository_url is required").into(),
                );
            }
            ("", url) => self.project(&caller, path_in(url)).await?,
            (id, _) => {
                let number = id.parse().unwrap_or(ProjectId(0));
                let found = self.app.store.project(number).await;
                self.seen(&caller, found.map_err(RpcError::from)?, id)
                    .await?
            }
        };
        let files = match request.workflow_files.into_option() {
            Some(files) => analysis::given(files.workflows),
            None => {
                let standing = self.app.standing(Some(&caller.user), &project).await;
                let standing = standing.map_err(RpcError::from)?;
                if !standing.may(Right::ReadRepository, &project) {
                    return Err(RpcError::denied(
                        "you may not read the files of this repository: ask a maintainer",
                    )
                    .into());
                }
                analysis::files_of(&self.app, &project).await?
            }
        };
        let workflows = files.into_iter().map(|file| analysis::of(&self.app, file));
        Response::ok(GetRepositoryMigrationAnalysisResponse {
            workflows: workflows.collect(),
            repository: message(&project).into(),
            migrations: Vec::new(),
        })
    }

    async fn start_migration(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, StartWorkflowMigrationRequest>,
    ) -> ServiceResult<StartWorkflowMigrationResponse> {
        Caller::writing(&ctx)?;
        Err(nothing_to_migrate().into())
    }

    async fn retry_migration(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, RetryWorkflowMigrationRequest>,
    ) -> ServiceResult<RetryWorkflowMigrationResponse> {
        Caller::writing(&ctx)?;
        Err(nothing_to_migrate().into())
    }

    async fn report_secret_import(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ReportSecretImportRequest>,
    ) -> ServiceResult<ReportSecretImportResponse> {
        Caller::writing(&ctx)?;
        Err(no_import().into())
    }

    async fn register_secret_migration_intent(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, SecretMigrationIntent>,
    ) -> ServiceResult<RegisterSecretMigrationIntentResponse> {
        Caller::writing(&ctx)?;
        Err(no_import().into())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("acme/web", "acme/web")]
    #[case("github.com/acme/web", "acme/web")]
    #[case("https://github.com/acme/tools/web.git", "acme/tools/web")]
    #[case("origin.cursor.com/acme/api/", "acme/api")]
    #[case("http://127.0.0.1:8080/acme/web", "acme/web")]
    #[case("web", "web")]
    fn an_address_ends_in_the_path_of_a_project(#[case] address: &str, #[case] path: &str) {
        assert_eq!(path_in(address), path);
    }
}
