//! `GET /projects/:id/pipelines/:pipeline_id/events`: what happens in a run, as
//! it happens.

use std::collections::VecDeque;

use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::{Stream, stream};
use serde_json::json;
use tappet_model::RunId;
use tappet_store::EventRecord;

use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::events;
use crate::app::SharedApp;
use crate::rights::Right;

/// Rows read at a time.
const BATCH: u32 = 100;

/// Events `run` and `job` with the stored JSON and their row's id, then one
/// `end` with `{"status":…}` once the run is over. `Last-Event-ID` or `?after=`
/// goes on where a reader stopped. When what follows that place is [too
/// old](crate::retention) to be there, `job` and `run` tell how all stands now.
pub async fn follow(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (_, run) = super::open_to_read(&app, &call, Right::ReadPipelines, Ok(())).await?;
    let after = events::resume_after(&call, "after")?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let ready = app.store.events_instead_of_lost(run.id, after).await?;
    let follower = Follower {
        app: app.clone(),
        run: run.id,
        after,
        ready: ready.into(),
    };
    Ok(events::reply(run_events(follower), &app.shutdown))
}

struct Follower {
    app: SharedApp,
    run: RunId,
    after: i64,
    ready: VecDeque<EventRecord>,
}

/// Broken reads end the stream without an `end`, so a browser tries again.
fn run_events(follower: Follower) -> impl Stream<Item = Event> + Send + 'static {
    stream::unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Some(event)) => Some((event, Some(follower))),
            Ok(None) => Some((follower.end().await?, None)),
            Err(error) => {
                tracing::error!(%error, "cannot follow a run");
                None
            }
        }
    })
}

impl Follower {
    /// The next event; `None` when the run is over and all of it was told.
    async fn next(&mut self) -> Result<Option<Event>, tappet_store::StoreError> {
        if let Some(event) = self.take() {
            return Ok(Some(event));
        }
        // Subscribed before the rows are read, so that nothing falls between.
        let mut changes = self.app.changes.subscribe(self.run);
        loop {
            changes.mark_unchanged();
            let is_over = match self.app.store.run(self.run).await? {
                Some(run) => run.status.is_completed(),
                None => true,
            };
            let rows = self.app.store.events(self.run, self.after, BATCH).await?;
            self.ready.extend(rows);
            if let Some(event) = self.take() {
                return Ok(Some(event));
            }
            if is_over || changes.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> Option<Event> {
        let row = self.ready.pop_front()?;
        self.after = row.id;
        Some(
            Event::default()
                .event(row.kind)
                .id(row.id.to_string())
                .data(row.body),
        )
    }

    async fn end(&self) -> Option<Event> {
        let run = self.app.store.run(self.run).await.ok().flatten()?;
        let data = json!({ "status": run.status }).to_string();
        Some(Event::default().event("end").data(data))
    }
}
