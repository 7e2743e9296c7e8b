//! The instance and the caller, where old scripts look for them.

use http::StatusCode;

use super::BASE;
use crate::api::gitlab::{instance, users};
use crate::api::operation::{self, Shape};
use crate::api::routes::Routes;

/// `/version` and `/user`, as in version 4.
pub fn routes() -> Routes {
    let json = Shape::Bytes("application/json");
    Routes::under(BASE)
        .add(
            operation::get("/version")
                .id("v3GetVersion")
                .about("Tells the version of the server.")
                .reply(StatusCode::OK, json),
            instance::version,
        )
        .add(
            operation::get("/user")
                .id("v3GetUser")
                .about("Tells who calls.")
                .reply(StatusCode::OK, json),
            users::own,
        )
}
