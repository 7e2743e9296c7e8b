//! Version 3 of GitLab's API and the calls of GitLab CI 7.14, as far as scripts
//! that start and watch builds use them. The errors are those of GitLab 9.5
//! (GitLab: `lib/api/v3`; `gitlab-ci` 7.14: `lib/api/triggers.rb`).

mod builds;
mod ci7;
mod entities;
mod instance;
mod pipelines;
mod projects;
mod trigger_run;
mod triggers;

use crate::api::routes::Routes;

/// Where this version of the API begins.
const BASE: &str = "/api/v3";

/// All of it.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .and(builds::routes())
        .and(ci7::routes())
        .and(instance::routes())
        .and(pipelines::routes())
        .and(projects::routes())
        .and(trigger_run::routes())
        .and(triggers::routes())
}
