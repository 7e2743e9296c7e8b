//! Addresses of artifacts, with what they promise.

use http::StatusCode;

use super::{archive, change, file, of_ref, tree};
use crate::api::gitlab::BASE;
use crate::api::gitlab::entities::artifact_entry::ArtifactEntry;
use crate::api::gitlab::entities::job::Job;
use crate::api::operation::{self, Audience, Shape, boolean, text};
use crate::api::routes::Routes;

/// Artifacts.
pub fn routes() -> Routes {
    reading().and(changing())
}

fn reading() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/jobs/{job_id}/artifacts")
                .id("downloadArtifacts")
                .about("Sends the archive of a job.")
                .audience(Audience::Visitor)
                .header(text("Range"))
                .reply(StatusCode::OK, Shape::Bytes("application/zip")),
            archive,
        )
        .add(
            operation::get("/projects/{id}/jobs/{job_id}/artifacts/tree")
                .id("listArtifactFiles")
                .about("Lists what the archive of a job holds.")
                .audience(Audience::Visitor)
                .query(text("path").about("A directory; the root unless given."))
                .query(boolean("recursive"))
                .paged()
                .replies_list::<ArtifactEntry>(StatusCode::OK),
            tree::tree,
        )
        .add(
            operation::get("/projects/{id}/jobs/{job_id}/artifacts/{*path}")
                .shown_as("/projects/{id}/jobs/{job_id}/artifacts/{path}")
                .id("downloadArtifactFile")
                .about("Sends one file out of the archive of a job.")
                .audience(Audience::Visitor)
                .reply(StatusCode::OK, Shape::Bytes("application/octet-stream")),
            file,
        )
        .add(
            operation::get("/projects/{id}/jobs/artifacts/{*rest}")
                .shown_as("/projects/{id}/jobs/artifacts/{ref}/download")
                .id("downloadArtifactsOfRef")
                .about("Sends the archive of a job of the newest successful pipeline of a ref.")
                .audience(Audience::Visitor)
                .query(text("job").required().about("Name of the job."))
                .query(
                    boolean("search_recent_successful_pipelines")
                        .about("Looks into earlier successful pipelines too."),
                )
                .header(text("Range"))
                .reply(StatusCode::OK, Shape::Bytes("application/zip")),
            of_ref::of_ref,
        )
        .also(
            operation::get("/projects/{id}/jobs/artifacts/{ref}/raw/{path}")
                .id("downloadArtifactFileOfRef")
                .about("Sends one file out of such an archive.")
                .audience(Audience::Visitor)
                .query(text("job").required().about("Name of the job."))
                .query(boolean("search_recent_successful_pipelines"))
                .reply(StatusCode::OK, Shape::Bytes("application/octet-stream")),
        )
}

fn changing() -> Routes {
    Routes::under(BASE)
        .add(
            operation::post("/projects/{id}/jobs/{job_id}/artifacts/{*path}")
                .shown_as("/projects/{id}/jobs/{job_id}/artifacts/keep")
                .id("keepArtifacts")
                .about("Lets the artifacts of a job never expire.")
                .replies::<Job<'_>>(StatusCode::OK),
            change::keep,
        )
        .add(
            operation::delete("/projects/{id}/jobs/{job_id}/artifacts")
                .id("deleteJobArtifacts")
                .about("Removes the artifacts of a job.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            change::delete,
        )
        .add(
            operation::delete("/projects/{id}/artifacts")
                .id("deleteProjectArtifacts")
                .about("Removes the artifacts of a project, in the background.")
                .reply(StatusCode::ACCEPTED, Shape::Empty),
            change::delete_all,
        )
}
