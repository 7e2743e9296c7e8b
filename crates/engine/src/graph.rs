//! What the engine has to know of a plan: stages, needs and conditions.

use serde::{Deserialize, Serialize};
use tappet_model::plan::{AllowFailure, Plan, RetryPolicy, When};

/// The fixed part of a run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Graph {
    /// Jobs in stage order.
    pub jobs: Vec<GraphJob>,
    /// `workflow:auto_cancel:on_job_failure: all`.
    #[serde(default)]
    pub cancel_on_job_failure: bool,
}

/// The fixed part of a job.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GraphJob {
    /// Position of its stage.
    pub stage: usize,
    /// On which outcome it starts.
    pub when: When,
    /// Which failures are warnings.
    pub allow_failure: AllowFailure,
    /// Indexes of the jobs it waits for; `None`: all earlier stages. They are of
    /// the same or an earlier stage and form no cycle; the compilers see to it.
    pub needs: Option<Vec<usize>>,
    /// When it is repeated by itself.
    pub retry: RetryPolicy,
}

impl Graph {
    /// The graph of a plan.
    pub fn of(plan: &Plan) -> Self {
        let jobs = plan
            .jobs
            .iter()
            .map(|job| GraphJob {
                stage: job.stage,
                when: job.when,
                allow_failure: job.allow_failure.clone(),
                needs: job
                    .needs
                    .as_ref()
                    .map(|needs| needs.iter().map(|need| need.job).collect()),
                retry: job.retry.clone(),
            })
            .collect();
        Self {
            jobs,
            cancel_on_job_failure: false,
        }
    }
}
