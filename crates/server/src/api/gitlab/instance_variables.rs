//! Variables of the whole instance (GitLab: `lib/api/admin/ci/variables.rb`).

use tappet_store::VariableLevel;

use super::auth::{self, JobTokens};
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::settings_variables::{self, Kind, Managed};
use crate::api::operation::Audience;
use crate::api::routes::Routes;
use crate::app::SharedApp;

static KIND: Kind = Kind {
    all: "/admin/ci/variables",
    one: "/admin/ci/variables/{key}",
    ids: [
        "listInstanceVariables",
        "getInstanceVariable",
        "createInstanceVariable",
        "updateInstanceVariable",
        "deleteInstanceVariable",
    ],
    audience: Audience::Admin,
    has_scopes: false,
    open: |app, call| Box::pin(open(app, call)),
};

/// `/admin/ci/variables`, for administrators.
pub fn routes() -> Routes {
    settings_variables::routes(&KIND)
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Managed> {
    let caller = auth::authenticate(app, call, JobTokens::Ignored).await?;
    if !caller.require_user()?.is_admin {
        return Err(ApiError::forbidden());
    }
    Ok(Managed {
        level: VariableLevel::Instance,
        caller,
    })
}
