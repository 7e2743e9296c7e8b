//! The GitLab Runner protocol, for the embedded runner and for gitlab-runner
//! alike: hand-out, log, state, artifacts.
//!
//! A job token is the fence of its attempt: once the attempt is over, every
//! call with it is answered 403 with `Job-Status` and changes nothing.

mod artifacts;
mod fence;
mod jobs_request;
mod local_changes;
mod named_artifacts;
mod trace;
mod update;
mod verify;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use http::StatusCode;

use super::operation::{
    Audience, Operation, Shape, boolean, get, integer, object, one_of, patch, post, put, text,
};
use super::routes::Routes;
use crate::app::SharedApp;

/// Bytes of one PATCH; gitlab-runner sends at most 1 MiB.
const TRACE_PATCH_LIMIT: usize = 8 * 1024 * 1024;

const JSON: Shape = Shape::Bytes("application/json");

/// Routes of the protocol below the path prefix.
pub fn router() -> Router<SharedApp> {
    routes().into_router()
}

/// The same with what each promises.
pub fn routes() -> Routes {
    // A question for work ends with its connection; what is reported must not.
    questions().and(
        reports().map(|router| router.layer(axum::middleware::from_fn(crate::to_the_end::run))),
    )
}

/// The token of a runner or a job is the credential of these calls.
fn with_token(operation: Operation) -> Operation {
    operation
        .audience(Audience::Anybody)
        .body(text("token").about("Of the runner or of the job."))
}

fn questions() -> Routes {
    Routes::under("/api/v4").add(
        with_token(post("/jobs/request"))
            .id("requestJob")
            .about("Hands the oldest fitting job to a runner, or waits for one.")
            .body(text("system_id"))
            .body(text("last_update"))
            .body(object("info").about("Version and features of the runner."))
            .reply(StatusCode::CREATED, JSON)
            .reply(StatusCode::NO_CONTENT, Shape::Empty),
        jobs_request::request,
    )
}

fn reports() -> Routes {
    Routes::under("/api/v4")
        .add(
            with_token(post("/runners/verify"))
                .id("verifyRunner")
                .about("Says whether a runner's token is good.")
                .body(text("system_id"))
                .reply(StatusCode::OK, JSON),
            verify::verify,
        )
        .add(
            with_token(put("/jobs/{id}"))
                .id("updateJob")
                .about("Reports the state of a running job.")
                .body(one_of("state", &["running", "success", "failed"]).required())
                .body(text("failure_reason"))
                .body(integer("exit_code"))
                .body(text("checksum").about("CRC-32 of the log: `crc32:0123abcd`."))
                .reply(StatusCode::OK, Shape::Empty)
                .reply(StatusCode::ACCEPTED, Shape::Empty),
            update::update,
        )
        .and(trace_route())
        .and(artifact_routes())
}

fn trace_route() -> Routes {
    let route = Routes::under("/api/v4").add(
        patch("/jobs/{id}/trace")
            .id("appendJobLog")
            .about("Appends raw bytes to the log of a running job.")
            .audience(Audience::Anybody)
            .header(text("JOB-TOKEN").required())
            .header(text("Content-Range").required().about("`0-99`."))
            .reply(StatusCode::ACCEPTED, Shape::Empty),
        trace::append,
    );
    route.map(|router| router.layer(DefaultBodyLimit::max(TRACE_PATCH_LIMIT)))
}

fn artifact_routes() -> Routes {
    let routes = Routes::under("/api/v4")
        .add(
            post("/jobs/{id}/artifacts")
                .id("uploadJobArtifacts")
                .about("Uploads a file of a running job.")
                .audience(Audience::Anybody)
                .header(text("JOB-TOKEN").required())
                .query(text("artifact_type"))
                .query(text("artifact_format"))
                .query(
                    text("artifact_name")
                        .about("With the type `artifact`, which only a zip may have."),
                )
                .query(
                    boolean("overwrite")
                        .about("Takes the place of the run's file of the same name."),
                )
                .query(text("expire_in"))
                .reply(StatusCode::CREATED, JSON),
            artifacts::upload,
        )
        .add(
            get("/jobs/{id}/artifacts")
                .id("downloadDependency")
                .about("Sends the archive of a job to a running job of the same run.")
                .audience(Audience::Anybody)
                .header(text("JOB-TOKEN").required())
                .reply(StatusCode::OK, Shape::Bytes("application/zip")),
            artifacts::download,
        )
        .and(steps_routes());
    routes.map(|router| router.layer(DefaultBodyLimit::disable()))
}

/// What only our own runner asks, for jobs with steps.
fn steps_routes() -> Routes {
    Routes::under("/api/v4")
        .add(
            get("/jobs/{id}/tappet/artifacts")
                .id("listNamedArtifacts")
                .about("Lists the named files of a running job's run, the newest of each name.")
                .audience(Audience::Anybody)
                .header(text("JOB-TOKEN").required())
                .reply(StatusCode::OK, JSON),
            named_artifacts::list,
        )
        .add(
            get("/jobs/{id}/tappet/artifacts/{artifact_id}")
                .id("downloadNamedArtifact")
                .about("Sends a named file to a running job of the same run.")
                .audience(Audience::Anybody)
                .header(text("JOB-TOKEN").required())
                .reply(StatusCode::OK, Shape::Bytes("application/zip")),
            named_artifacts::download,
        )
        .add(
            get("/jobs/{id}/tappet/patch")
                .id("downloadLocalChanges")
                .about("Sends the caller's local changes to a running job.")
                .audience(Audience::Anybody)
                .header(text("JOB-TOKEN").required())
                .query(text("key").about("`patch/<base>/<digest>`."))
                .reply(StatusCode::OK, Shape::Bytes("text/x-diff")),
            local_changes::download,
        )
}
