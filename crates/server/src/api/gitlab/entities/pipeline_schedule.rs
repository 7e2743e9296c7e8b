//! A pipeline schedule.

use serde::Serialize;
use tappet_model::Variable as PlainVariable;
use tappet_store::{Project, Run, Schedule, User};
use utoipa::ToSchema;

use super::Time;
use super::pipeline_basic::PipelineBasic;
use super::user_basic::UserBasic;
use super::variable::Variable;
use crate::config::Config;

/// GitLab: `API::Entities::Ci::PipelineSchedule`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PipelineSchedule<'a> {
    id: i64,
    description: &'a str,
    #[serde(rename = "ref")]
    ref_name: &'a str,
    cron: &'a str,
    cron_timezone: &'a str,
    next_run_at: Option<Time>,
    active: bool,
    created_at: Time,
    updated_at: Time,
    owner: Option<UserBasic<'a>>,
    /// Why nothing started the last time; GitLab keeps this in its log.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

impl<'a> PipelineSchedule<'a> {
    /// Shows a schedule.
    pub fn of(config: &Config, schedule: &'a Schedule, owner: Option<&'a User>) -> Self {
        Self {
            id: schedule.id.0,
            description: &schedule.description,
            ref_name: &schedule.ref_name,
            cron: &schedule.cron,
            cron_timezone: &schedule.cron_timezone,
            next_run_at: schedule.next_run_at.map(Time),
            active: schedule.is_active,
            created_at: Time(schedule.created_at),
            updated_at: Time(schedule.updated_at),
            owner: owner.map(|owner| UserBasic::of(config, owner)),
            failure: schedule.failure.as_deref(),
        }
    }
}

/// GitLab: `API::Entities::Ci::PipelineScheduleDetails`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PipelineScheduleDetails<'a> {
    #[serde(flatten)]
    schedule: PipelineSchedule<'a>,
    last_pipeline: Option<PipelineBasic<'a>>,
    /// Only for those who may see the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Vec<Variable<'a>>>,
    /// For the same people; always empty, since pipelines take no inputs here.
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Vec<Input>>,
}

/// An input of the pipelines that a schedule starts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Input {
    name: String,
    value: String,
}

impl<'a> PipelineScheduleDetails<'a> {
    /// Shows a schedule with its newest run.
    pub fn of(
        config: &Config,
        project: &Project,
        schedule: PipelineSchedule<'a>,
        last_run: Option<&'a Run>,
    ) -> Self {
        Self {
            schedule,
            last_pipeline: last_run.map(|run| PipelineBasic::of(config, project, run)),
            variables: None,
            inputs: None,
        }
    }

    /// With its variables and inputs.
    #[must_use]
    pub fn with_variables(mut self, variables: &'a [PlainVariable]) -> Self {
        self.variables = Some(variables.iter().map(Variable::of).collect());
        self.inputs = Some(Vec::new());
        self
    }
}
