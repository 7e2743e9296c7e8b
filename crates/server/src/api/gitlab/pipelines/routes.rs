//! Addresses of pipelines, with what they promise.

use http::StatusCode;

use super::{bridges, create, delete, events, get, jobs, latest, list, metadata, steer, variables};
use crate::api::gitlab::BASE;
use crate::api::gitlab::entities::job::Job;
use crate::api::gitlab::entities::pipeline::{NamedPipeline, Pipeline};
use crate::api::gitlab::entities::pipeline_basic::ListedPipeline;
use crate::api::gitlab::entities::variable::Variable;
use crate::api::operation::{
    self, Audience, Shape, boolean, integer, object, objects, one_of, some_of, text, time,
};
use crate::api::routes::Routes;

/// The words of all statuses.
pub const STATUS_WORDS: &[&str] = &[
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
    "scheduled",
];

const SCOPES: &[&str] = &["running", "pending", "finished", "branches", "tags"];
const ORDERS: &[&str] = &["id", "status", "ref", "updated_at", "user_id"];
const DIRECTIONS: &[&str] = &["asc", "desc"];

/// Pipelines.
pub fn routes() -> Routes {
    reading().and(changing())
}

fn reading() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/pipelines")
                .id("listPipelines")
                .about("Lists the pipelines of a project.")
                .audience(Audience::Visitor)
                .query(one_of("scope", SCOPES))
                .query(one_of("status", STATUS_WORDS))
                .query(text("ref"))
                .query(text("sha"))
                .query(text("source").about("What started it, such as `trigger`."))
                .query(text("name"))
                .query(text("username").about("Who started it."))
                .query(boolean("yaml_errors"))
                .query(time("updated_after"))
                .query(time("updated_before"))
                .query(time("created_after"))
                .query(time("created_before"))
                .query(one_of("order_by", ORDERS))
                .query(one_of("sort", DIRECTIONS))
                .paged()
                .replies_list::<ListedPipeline<'_>>(StatusCode::OK),
            list::list,
        )
        .add(
            operation::get("/projects/{id}/pipelines/latest")
                .id("getLatestPipeline")
                .about("Shows the newest pipeline of the commit that a ref points to.")
                .audience(Audience::Visitor)
                .query(text("ref").about("The default branch unless given."))
                .replies::<NamedPipeline<'_>>(StatusCode::OK),
            latest,
        )
        .add(
            operation::get("/projects/{id}/pipelines/{pipeline_id}")
                .id("getPipeline")
                .about("Shows one pipeline.")
                .audience(Audience::Visitor)
                .replies::<NamedPipeline<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::get("/projects/{id}/pipelines/{pipeline_id}/variables")
                .id("listPipelineVariables")
                .about("Lists the variables that a pipeline was started with.")
                .replies_list::<Variable<'_>>(StatusCode::OK),
            variables,
        )
        .add(
            operation::get("/projects/{id}/pipelines/{pipeline_id}/jobs")
                .id("listPipelineJobs")
                .about("Lists the jobs of a pipeline, the newest first.")
                .audience(Audience::Visitor)
                .query(some_of("scope", STATUS_WORDS))
                .query(boolean("include_retried"))
                .paged()
                .replies_list::<Job<'_>>(StatusCode::OK),
            jobs::list,
        )
        .add(
            operation::get("/projects/{id}/pipelines/{pipeline_id}/bridges")
                .id("listPipelineBridges")
                .about("Lists jobs that start other pipelines; there are none.")
                .audience(Audience::Visitor)
                .query(some_of("scope", STATUS_WORDS))
                .paged()
                .replies_list::<Job<'_>>(StatusCode::OK),
            bridges::list,
        )
        .add(
            operation::get("/projects/{id}/pipelines/{pipeline_id}/events")
                .id("followPipeline")
                .about("Streams what happens in a pipeline until it ends.")
                .audience(Audience::Visitor)
                .query(integer("after").about("Id of the last event seen."))
                .header(text("Last-Event-ID").about("The same, from a browser."))
                .reply(StatusCode::OK, Shape::Bytes("text/event-stream")),
            events::follow,
        )
}

fn changing() -> Routes {
    Routes::under(BASE)
        .add(
            operation::post("/projects/{id}/pipeline")
                .id("createPipeline")
                .about("Starts a pipeline as the caller.")
                .body(text("ref").required().about("Branch or tag."))
                .body(objects("variables").about("`key`, `value` and `variable_type` each."))
                .body(object("inputs").about("Not supported: refused unless empty."))
                .header(text("Idempotency-Key").about("The same key starts one pipeline."))
                .replies::<Pipeline<'_>>(StatusCode::CREATED),
            create::create,
        )
        .add(
            operation::post("/projects/{id}/pipelines/{pipeline_id}/cancel")
                .id("cancelPipeline")
                .about("Cancels what has not ended.")
                .replies::<Pipeline<'_>>(StatusCode::OK),
            steer::cancel,
        )
        .add(
            operation::post("/projects/{id}/pipelines/{pipeline_id}/retry")
                .id("retryPipeline")
                .about("Repeats jobs that failed or were canceled.")
                .replies::<Pipeline<'_>>(StatusCode::CREATED),
            steer::retry,
        )
        .add(
            operation::put("/projects/{id}/pipelines/{pipeline_id}/metadata")
                .id("updatePipelineMetadata")
                .about("Gives a pipeline another name.")
                .body(text("name").required().about("At most 255 characters."))
                .replies::<NamedPipeline<'_>>(StatusCode::OK),
            metadata::update,
        )
        .add(
            operation::delete("/projects/{id}/pipelines/{pipeline_id}")
                .id("deletePipeline")
                .about("Deletes a pipeline with its jobs, logs and artifacts.")
                .header(text("If-Unmodified-Since").about("412 when it changed later."))
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete::delete,
        )
}

#[cfg(test)]
mod tests {
    use tappet_model::Status;

    use super::*;

    #[test]
    fn every_status_is_described() {
        let words = Status::ALL.iter().map(|status| status.as_str());
        assert!(words.eq(STATUS_WORDS.iter().copied()));
    }
}
