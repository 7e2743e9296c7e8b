//! Test results of a run: whole, and in numbers
//! (GitLab: `app/serializers/test_report_entity.rb`, `test_report_summary_entity.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::BASE;
use super::access::Login;
use super::call::Call;
use super::entities::test_report::{TestReport, TestReportSummary};
use super::errors::ApiResult;
use super::pipelines;
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

/// `GET /projects/:id/pipelines/:pipeline_id/test_report`.
pub async fn whole(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, run) = pipelines::open(&app, &call, Login::Optional, Right::ReadPipelines).await?;
    let suites = reports::tests_of_run(&app, run.id).await?;
    let shown = TestReport::of(&app.config, &access.project, &suites);
    Ok(axum::Json(shown).into_response())
}

/// `GET /projects/:id/pipelines/:pipeline_id/test_report_summary`.
pub async fn summary(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (_, run) = pipelines::open(&app, &call, Login::Optional, Right::ReadPipelines).await?;
    let summaries = app.store.test_summaries(run.id).await?;
    Ok(axum::Json(TestReportSummary::of(&summaries)).into_response())
}
