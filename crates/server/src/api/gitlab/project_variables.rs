//! Variables of a project (GitLab: `lib/api/ci/variables.rb`).

use tappet_store::VariableLevel;

use super::access::{self, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::errors::ApiResult;
use super::settings_variables::{self, Kind, Managed};
use crate::api::operation::Audience;
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::rights::Right;

static KIND: Kind = Kind {
    all: "/projects/{id}/variables",
    one: "/projects/{id}/variables/{key}",
    ids: [
        "listProjectVariables",
        "getProjectVariable",
        "createProjectVariable",
        "updateProjectVariable",
        "deleteProjectVariable",
    ],
    audience: Audience::User,
    has_scopes: true,
    open: |app, call| Box::pin(open(app, call)),
};

/// `/projects/:id/variables`, for maintainers.
pub fn routes() -> Routes {
    settings_variables::routes(&KIND)
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Managed> {
    let access = access::open_project(app, call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::ManageVariables)?;
    Ok(Managed {
        level: VariableLevel::Project(access.project.id),
        caller: access.caller,
    })
}
