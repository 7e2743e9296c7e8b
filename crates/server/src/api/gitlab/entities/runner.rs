//! A runner beside a job.

use serde::Serialize;
use tappet_store::Runner as RunnerRecord;
use utoipa::ToSchema;

use super::Time;

/// GitLab: `API::Entities::Ci::Runner`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Runner<'a> {
    id: i64,
    description: &'a str,
    ip_address: Option<&'a str>,
    active: bool,
    paused: bool,
    is_shared: bool,
    runner_type: &'static str,
    name: Option<&'a str>,
    online: bool,
    created_by: Option<()>,
    created_at: Time,
    status: &'static str,
    job_execution_status: &'static str,
}

impl<'a> Runner<'a> {
    /// Shows a runner; `is_busy` while the job beside it runs.
    pub fn of(runner: &'a RunnerRecord, is_busy: bool) -> Self {
        Self {
            id: runner.id.0,
            description: &runner.description,
            ip_address: None,
            active: !runner.is_paused,
            paused: runner.is_paused,
            is_shared: true,
            runner_type: "instance_type",
            name: None,
            online: true,
            created_by: None,
            created_at: Time(runner.created_at),
            status: "online",
            job_execution_status: if is_busy { "active" } else { "idle" },
        }
    }
}
