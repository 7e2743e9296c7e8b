//! Variables of a group, that is, of a path under which projects live (GitLab:
//! `lib/api/group_variables.rb`).

use tappet_store::VariableLevel;

use super::auth::{self, JobTokens};
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::settings_variables::{self, Kind, Managed};
use crate::api::operation::Audience;
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::clock;
use crate::rights::{GroupStanding, group_standing};

static KIND: Kind = Kind {
    all: "/groups/{id}/variables",
    one: "/groups/{id}/variables/{key}",
    ids: [
        "listGroupVariables",
        "getGroupVariable",
        "createGroupVariable",
        "updateGroupVariable",
        "deleteGroupVariable",
    ],
    audience: Audience::User,
    has_scopes: true,
    open: |app, call| Box::pin(open(app, call)),
};

/// `/groups/:id/variables`, for administrators and for those who own every
/// project of the group.
pub fn routes() -> Routes {
    settings_variables::routes(&KIND)
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Managed> {
    let caller = auth::authenticate(app, call, JobTokens::Ignored).await?;
    let user = caller.require_user()?;
    let path = call.path("id").to_owned();
    let projects = app
        .store
        .projects_under(&path, user.id, clock::now())
        .await?;
    match group_standing(user, &projects) {
        GroupStanding::Manages => Ok(Managed {
            level: VariableLevel::Group(path),
            caller,
        }),
        GroupStanding::Sees => Err(ApiError::forbidden()),
        GroupStanding::Nothing => Err(ApiError::missing("Group")),
    }
}
