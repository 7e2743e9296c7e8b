//! Who the caller is and which databases there are: what Datafold's clients ask before
//! they do anything else.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::Head;
use super::caller::{Reach, identify};
use super::refusal::Reply;
use crate::api::operation;
use crate::api::routes::Routes;
use crate::app::SharedApp;

/// The one organisation of a server.
const ORGANISATION: (i64, &str) = (1, "Tappet");

/// Both routes.
pub fn routes() -> Routes {
    Routes::under("/api/v1")
        .add(
            operation::get("/organization/meta")
                .id("showOrganization")
                .about("Tells the organization and the caller's number.")
                .replies::<Meta>(StatusCode::OK),
            meta,
        )
        .add(
            operation::get("/data_sources")
                .id("listDataSources")
                .about("Lists databases to compare tables in; this server has none.")
                .replies_list::<DataSource>(StatusCode::OK),
            data_sources,
        )
}

/// The organisation and the caller.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Meta {
    org_id: i64,
    org_name: &'static str,
    user_id: i64,
}

/// A database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct DataSource {
    id: i64,
    name: String,
    r#type: String,
}

async fn meta(State(app): State<SharedApp>, head: Head) -> Reply<Json<Meta>> {
    let caller = identify(&app, &head, Reach::Reads).await?;
    let (org_id, org_name) = ORGANISATION;
    Ok(Json(Meta {
        org_id,
        org_name,
        user_id: caller.user.id.0,
    }))
}

async fn data_sources(State(app): State<SharedApp>, head: Head) -> Reply<Json<Vec<DataSource>>> {
    identify(&app, &head, Reach::Reads).await?;
    Ok(Json(Vec::new()))
}
