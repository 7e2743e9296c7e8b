//! Which run came of a call: Datafold's `SubmitCiJob`.

use serde::Serialize;
use tappet_model::RunId;
use utoipa::ToSchema;

/// Which run came of a call. Both fields are the same; clients read one or the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CiJob {
    /// What `ci trigger` reads.
    ci_run_id: Option<i64>,
    /// What `ci submit` reads.
    run_id: Option<i64>,
}

impl CiJob {
    /// Of a run, or of none.
    pub fn of(run: Option<RunId>) -> Self {
        let id = run.map(|run| run.0);
        Self {
            ci_run_id: id,
            run_id: id,
        }
    }
}
