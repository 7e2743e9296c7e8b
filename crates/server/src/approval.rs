//! Somebody read what a fork changes, and lets its run go.

use serde_json::json;
use tappet_store::{Advance, Run, StoreResult};

use crate::app::App;
use crate::audit::Entry;
use crate::ci_configs::Actor;

/// Lets a run go that waits for it; refused when it does not.
pub async fn approve(app: &App, actor: &Actor, run: &Run) -> StoreResult<Advance> {
    let advance = app.approve_run(run.id).await?;
    let entry = Entry::new("run_approved", Some(actor.user))
        .credential(actor.credential.as_str())
        .project(run.project_id)
        .details(json!({ "run_id": run.id, "sha": run.sha.as_str() }));
    app.audit(entry).await;
    Ok(advance)
}
