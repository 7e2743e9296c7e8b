//! `depot.ci.v1.CIService`: each method finds the caller and hands over to the file
//! of its subject.

use connectrpc::{RequestContext, Response, ServiceRequest, ServiceResult, ServiceStream};
use tappet_rpc::depot::ci::v1 as ci;

use super::caller::Caller;
use super::logs::{self, StreamCount};
use super::{artifacts, diagnosis, metrics, runs, start, steer, summary, workflows};
use crate::app::SharedApp;

/// The service.
pub struct Ci {
    app: SharedApp,
    streams: StreamCount,
}

impl Ci {
    /// Of this server.
    pub fn new(app: SharedApp) -> Self {
        Self {
            app,
            streams: StreamCount::default(),
        }
    }
}

/// Methods of one request and one reply: who may call, and the function that does it.
macro_rules! unary {
    ($self:ident, $ctx:ident, $scope:ident, $call:path $(, $argument:expr)*) => {{
        let caller = Caller::$scope(&$ctx)?;
        Response::ok($call(&$self.app, &caller $(, $argument)*).await?)
    }};
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl ci::CiService for Ci {
    async fn run(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::RunRequest>,
    ) -> ServiceResult<ci::RunResponse> {
        start::run(&self.app, &ctx, &request).await
    }

    async fn dispatch_workflow(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::DispatchWorkflowRequest>,
    ) -> ServiceResult<ci::DispatchWorkflowResponse> {
        start::dispatch(&self.app, &ctx, &request).await
    }

    async fn retry_job(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::RetryJobRequest>,
    ) -> ServiceResult<ci::RetryJobResponse> {
        unary!(
            self,
            ctx,
            writing,
            steer::retry_job,
            request.workflow_id,
            request.job_id
        )
    }

    async fn rerun_workflow(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::RerunWorkflowRequest>,
    ) -> ServiceResult<ci::RerunWorkflowResponse> {
        unary!(
            self,
            ctx,
            writing,
            steer::rerun_workflow,
            request.workflow_id
        )
    }

    async fn retry_failed_jobs(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::RetryFailedJobsRequest>,
    ) -> ServiceResult<ci::RetryFailedJobsResponse> {
        unary!(
            self,
            ctx,
            writing,
            steer::retry_failed_jobs,
            request.workflow_id
        )
    }

    async fn cancel_job(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::CancelJobRequest>,
    ) -> ServiceResult<ci::CancelJobResponse> {
        unary!(
            self,
            ctx,
            writing,
            steer::cancel_job,
            request.workflow_id,
            request.job_id
        )
    }

    async fn cancel_workflow(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::CancelWorkflowRequest>,
    ) -> ServiceResult<ci::CancelWorkflowResponse> {
        unary!(
            self,
            ctx,
            writing,
            steer::cancel_workflow,
            request.workflow_id
        )
    }

    async fn get_run(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetRunRequest>,
    ) -> ServiceResult<ci::GetRunResponse> {
        unary!(self, ctx, reading, runs::get, request.run_id)
    }

    async fn cancel_run(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::CancelRunRequest>,
    ) -> ServiceResult<ci::CancelRunResponse> {
        unary!(self, ctx, writing, steer::cancel_run, request.run_id)
    }

    async fn get_run_status(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetRunStatusRequest>,
    ) -> ServiceResult<ci::GetRunStatusResponse> {
        unary!(self, ctx, reading, runs::status, request.run_id)
    }

    async fn get_workflow(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetWorkflowRequest>,
    ) -> ServiceResult<ci::GetWorkflowResponse> {
        unary!(self, ctx, reading, workflows::get, request.workflow_id)
    }

    async fn get_failure_diagnosis(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetFailureDiagnosisRequest>,
    ) -> ServiceResult<ci::GetFailureDiagnosisResponse> {
        unary!(self, ctx, reading, diagnosis::get, &request)
    }

    async fn get_job_attempt_metrics(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetJobAttemptMetricsRequest>,
    ) -> ServiceResult<ci::GetJobAttemptMetricsResponse> {
        unary!(self, ctx, reading, metrics::of_attempt, request.attempt_id)
    }

    async fn get_job_metrics(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetJobMetricsRequest>,
    ) -> ServiceResult<ci::GetJobMetricsResponse> {
        unary!(self, ctx, reading, metrics::of_job, request.job_id)
    }

    async fn get_run_metrics(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetRunMetricsRequest>,
    ) -> ServiceResult<ci::GetRunMetricsResponse> {
        unary!(self, ctx, reading, metrics::of_run, request.run_id)
    }

    async fn get_job_summary(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetJobSummaryRequest>,
    ) -> ServiceResult<ci::GetJobSummaryResponse> {
        unary!(
            self,
            ctx,
            reading,
            summary::get,
            request.job_id,
            request.attempt_id
        )
    }

    async fn list_artifacts(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::ListArtifactsRequest>,
    ) -> ServiceResult<ci::ListArtifactsResponse> {
        unary!(self, ctx, reading, artifacts::list, &request)
    }

    async fn get_artifact_download_url(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetArtifactDownloadURLRequest>,
    ) -> ServiceResult<ci::GetArtifactDownloadURLResponse> {
        unary!(
            self,
            ctx,
            reading,
            artifacts::download_url,
            request.artifact_id
        )
    }

    async fn get_job_attempt_logs(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::GetJobAttemptLogsRequest>,
    ) -> ServiceResult<ci::GetJobAttemptLogsResponse> {
        unary!(
            self,
            ctx,
            reading,
            logs::page,
            request.attempt_id,
            request.page_token
        )
    }

    async fn list_runs(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::ListRunsRequest>,
    ) -> ServiceResult<ci::ListRunsResponse> {
        unary!(self, ctx, reading, runs::list, &request)
    }

    async fn list_workflows(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::ListWorkflowsRequest>,
    ) -> ServiceResult<ci::ListWorkflowsResponse> {
        unary!(self, ctx, reading, workflows::list, &request)
    }

    async fn stream_job_attempt_logs(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::StreamJobAttemptLogsRequest>,
    ) -> ServiceResult<ServiceStream<ci::StreamJobAttemptLogsResponse>> {
        let caller = Caller::reading(&ctx)?;
        let of = (request.attempt_id, request.job_id);
        let stream = logs::stream(&self.app, &caller, &self.streams, of, request.cursor);
        Response::ok(stream.await?)
    }

    async fn export_job_attempt_logs(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ci::ExportJobAttemptLogsRequest>,
    ) -> ServiceResult<ServiceStream<ci::ExportJobAttemptLogsResponse>> {
        let caller = Caller::reading(&ctx)?;
        let of = (request.attempt_id, request.job_id);
        Response::ok(logs::export(&self.app, &caller, of, request.format).await?)
    }
}
