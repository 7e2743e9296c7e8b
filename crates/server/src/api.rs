//! The HTTP interfaces, one folder for each dialect. No dialect leaves its folder.
//! What a route promises stands beside it, in [`operation`].

pub mod datafold;
pub mod depot;
pub mod gitlab;
pub mod openapi;
pub mod operation;
pub mod routes;
pub mod runner;
pub mod tidy_path;

use routes::Routes;

/// Every route that is part of a promise to clients.
pub fn routes_of_all() -> Routes {
    gitlab::routes()
        .and(runner::routes())
        .and(depot::routes())
        .and(datafold::routes())
        .and(crate::instance::routes())
}
