//! Test results of a run: whole, and in numbers
//! (GitLab: `app/serializers/test_report_entity.rb`, `test_report_summary_entity.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::RunId;
use tappet_store::Run;

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::test_report::{TestReport, TestReportSummary};
use super::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Audience};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::reports;
use crate::rights::Right;

/// Test results.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/pipelines/{pipeline_id}/test_report")
                .id("getTestReport")
                .about("Shows the tests of a pipeline.")
                .audience(Audience::Visitor)
                .replies::<TestReport<'_>>(StatusCode::OK),
            whole,
        )
        .add(
            operation::get("/projects/{id}/pipelines/{pipeline_id}/test_report_summary")
                .id("getTestReportSummary")
                .about("Counts the tests of a pipeline.")
                .audience(Audience::Visitor)
                .replies::<TestReportSummary>(StatusCode::OK),
            summary,
        )
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<(Access, Run)> {
    let access = access::open_project(app, call, Login::Optional, JobTokens::Accepted).await?;
    let id = RunId(call.number("pipeline_id")?);
    access.require(Right::ReadPipelines)?;
    let run = app.store.run(id).await?;
    let run = run.filter(|run| run.project_id == access.project.id);
    Ok((access, run.ok_or_else(ApiError::record_not_found)?))
}

/// `GET /projects/:id/pipelines/:pipeline_id/test_report`.
pub async fn whole(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, run) = open(&app, &call).await?;
    let suites = reports::tests_of_run(&app, run.id).await?;
    let shown = TestReport::of(&app.config, &access.project, &suites);
    Ok(axum::Json(shown).into_response())
}

/// `GET /projects/:id/pipelines/:pipeline_id/test_report_summary`.
pub async fn summary(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (_, run) = open(&app, &call).await?;
    let summaries = app.store.test_summaries(run.id).await?;
    Ok(axum::Json(TestReportSummary::of(&summaries)).into_response())
}
