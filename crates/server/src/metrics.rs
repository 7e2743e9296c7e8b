//! Figures for Prometheus at `/-/metrics`: what was started and how it ended,
//! what waits, and how calls were answered. Numbers only, no names.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use subtle::ConstantTimeEq;
use tappet_engine::Transition;
use tappet_model::Source;
use tappet_store::Advance;

use crate::app::{App, SharedApp};

/// Bounds of the buckets of answer times, in seconds.
const ANSWER_TIMES: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct BySource {
    source: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ByStatus {
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ByAnswer {
    method: &'static str,
    code: u16,
}

/// The figures of one server.
pub struct Metrics {
    registry: Registry,
    runs_started: Family<BySource, Counter>,
    runs_finished: Family<ByStatus, Counter>,
    jobs_finished: Family<ByStatus, Counter>,
    answers: Family<ByAnswer, Counter>,
    answer_times: Histogram,
    jobs_pending: Gauge<i64, AtomicI64>,
    jobs_running: Gauge<i64, AtomicI64>,
    runners_waiting: Gauge<i64, AtomicI64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("tappet"),
            runs_started: Family::default(),
            runs_finished: Family::default(),
            jobs_finished: Family::default(),
            answers: Family::default(),
            answer_times: Histogram::new(ANSWER_TIMES),
            jobs_pending: Gauge::default(),
            jobs_running: Gauge::default(),
            runners_waiting: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "runs_started",
            "Runs that were created",
            self.runs_started.clone(),
        );
        registry.register(
            "runs_finished",
            "Runs that ended",
            self.runs_finished.clone(),
        );
        registry.register(
            "jobs_finished",
            "Attempts that ended",
            self.jobs_finished.clone(),
        );
        registry.register(
            "http_requests",
            "Calls that were answered",
            self.answers.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time until the answer began",
            self.answer_times.clone(),
        );
        registry.register(
            "jobs_pending",
            "Attempts that wait",
            self.jobs_pending.clone(),
        );
        registry.register(
            "jobs_running",
            "Attempts that run",
            self.jobs_running.clone(),
        );
        registry.register(
            "runners_waiting",
            "Requests of runners that wait for work",
            self.runners_waiting.clone(),
        );
        self
    }

    /// A run was created.
    pub fn run_started(&self, source: Source) {
        let source = source.as_str();
        self.runs_started.get_or_create(&BySource { source }).inc();
    }

    /// A run or its attempts changed.
    pub fn changed(&self, advance: &Advance) {
        for transition in &advance.transitions {
            let (family, status) = match transition {
                Transition::Job { to, .. } => (&self.jobs_finished, *to),
                Transition::Run { to, .. } => (&self.runs_finished, *to),
                Transition::NewAttempt { .. } => continue,
            };
            if status.is_completed() {
                let status = status.as_str();
                family.get_or_create(&ByStatus { status }).inc();
            }
        }
    }

    fn answered(&self, method: &'static str, code: StatusCode, after: Duration) {
        let code = code.as_u16();
        self.answers.get_or_create(&ByAnswer { method, code }).inc();
        self.answer_times.observe(after.as_secs_f64());
    }

    fn text(&self, app: &App) -> Result<String, std::fmt::Error> {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.jobs_pending.set(count(app.dispatch.pending()));
        self.jobs_running.set(count(app.held.len()));
        self.runners_waiting.set(count(app.dispatch.waiting()));
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Counts every answer.
pub async fn count(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let method = known_method(request.method());
    let began = std::time::Instant::now();
    let response = next.run(request).await;
    app.metrics
        .answered(method, response.status(), began.elapsed());
    response
}

/// Verbs as labels; whatever else a client invents is one label.
fn known_method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

/// `GET /-/metrics`, for anybody unless `metrics_token` is set.
pub async fn serve(State(app): State<SharedApp>, headers: HeaderMap) -> Response {
    if let Some(token) = &app.config.metrics_token
        && !has_token(&headers, token)
    {
        return (
            StatusCode::UNAUTHORIZED,
            "send the metrics token as Authorization: Bearer\n",
        )
            .into_response();
    }
    match app.metrics.text(&app) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "cannot write the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(token.as_bytes())))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestServer;

    #[tokio::test]
    async fn figures_follow_what_happens() {
        let server = TestServer::start().await;
        server.get("/-/healthz").send().await;
        let reply = server.get("/-/metrics").send().await;
        assert_eq!(reply.status, 200);
        let text = reply.text();
        assert!(text.contains("tappet_jobs_pending 0"), "{text}");
        assert!(
            text.contains(r#"tappet_http_requests_total{method="GET",code="200"} 1"#),
            "{text}"
        );
    }
}
