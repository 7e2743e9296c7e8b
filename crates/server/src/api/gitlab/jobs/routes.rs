//! Addresses of jobs, with what they promise.

use http::StatusCode;

use super::{erase, get, list, own, play, steer};
use crate::api::gitlab::entities::job::Job;
use crate::api::gitlab::pipelines::STATUS_WORDS;
use crate::api::gitlab::{BASE, trace};
use crate::api::operation::{
    self, Shape, boolean, integer, object, objects, one_of, some_of, text,
};
use crate::api::routes::Routes;

/// Jobs and their logs.
pub fn routes() -> Routes {
    reading().and(changing())
}

fn reading() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/job")
                .id("getOwnJob")
                .about("Shows the job that the job token of the call belongs to.")
                .replies::<Job<'_>>(StatusCode::OK),
            own::own,
        )
        .add(
            operation::get("/projects/{id}/jobs")
                .id("listJobs")
                .about("Lists the jobs of all pipelines of a project, the newest first.")
                .query(some_of("scope", STATUS_WORDS))
                .query(text("ref").about("Only of pipelines of this branch or tag."))
                .query(one_of("pagination", &["keyset", "legacy"]))
                .query(integer("cursor").about("With keyset: as the last answer gave it."))
                .query(text("order_by").about("With keyset: only `id`."))
                .query(text("sort").about("With keyset: only `desc`."))
                .paged()
                .replies_list::<Job<'_>>(StatusCode::OK),
            list::list,
        )
        .add(
            operation::get("/projects/{id}/jobs/{job_id}")
                .id("getJob")
                .about("Shows one job.")
                .replies::<Job<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::get("/projects/{id}/jobs/{job_id}/trace")
                .id("getJobLog")
                .about("Sends the log of a job as text.")
                .header(text("Range"))
                .reply(StatusCode::OK, Shape::Bytes("text/plain")),
            trace::text,
        )
        .add(
            operation::get("/projects/{id}/jobs/{job_id}/trace/events")
                .id("followJobLog")
                .about("Streams the log of a job until it ends.")
                .query(integer("offset").about("Bytes seen already."))
                .header(text("Last-Event-ID").about("The same, from a browser."))
                .reply(StatusCode::OK, Shape::Bytes("text/event-stream")),
            trace::follow,
        )
}

fn changing() -> Routes {
    Routes::under(BASE)
        .add(
            operation::post("/projects/{id}/jobs/{job_id}/cancel")
                .id("cancelJob")
                .about("Cancels a job that has not ended.")
                .body(boolean("force").about("Ends what is canceling; for maintainers."))
                .replies::<Job<'_>>(StatusCode::CREATED),
            steer::cancel,
        )
        .add(
            operation::post("/projects/{id}/jobs/{job_id}/retry")
                .id("retryJob")
                .about("Repeats an ended job.")
                .body(object("inputs").about("Not supported: refused unless empty."))
                .replies::<Job<'_>>(StatusCode::CREATED),
            steer::retry,
        )
        .add(
            operation::post("/projects/{id}/jobs/{job_id}/play")
                .id("playJob")
                .about("Starts a manual or delayed job.")
                .body(objects("job_variables_attributes").about("`key` and `value` each."))
                .body(object("job_inputs").about("Not supported: refused unless empty."))
                .replies::<Job<'_>>(StatusCode::OK),
            play::play,
        )
        .add(
            operation::post("/projects/{id}/jobs/{job_id}/erase")
                .id("eraseJob")
                .about("Removes log and artifacts of an ended job.")
                .replies::<Job<'_>>(StatusCode::CREATED),
            erase::erase,
        )
}
