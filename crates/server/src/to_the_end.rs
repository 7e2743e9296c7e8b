//! A call that changes something runs to its end even when the client hangs up:
//! a run that was committed must still reach the runners.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};

/// Gives each changing call a task of its own, which outlives the connection.
pub async fn run(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a call broke off");
            let body = serde_json::json!({ "message": "500 Internal Server Error" });
            (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(body)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;
    use tokio::sync::Notify;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_call_whose_client_hung_up_is_finished() {
        let (began, go_on, done) = (Notify::new(), Notify::new(), Notify::new());
        let signals = Arc::new((began, go_on, done));
        let handler = {
            let signals = signals.clone();
            async move || {
                signals.0.notify_one();
                signals.1.notified().await;
                signals.2.notify_one();
            }
        };
        let router: Router = Router::new()
            .route("/", post(handler))
            .layer(axum::middleware::from_fn(run));
        let call = router.oneshot(Request::post("/").body(Body::empty()).unwrap());
        tokio::select! {
            _ = call => unreachable!("the handler waits for the test"),
            () = signals.0.notified() => {}
        }
        signals.1.notify_one();
        signals.2.notified().await;
    }
}
