//! The answer: failures in groups, with what to look at next.

use tappet_model::Status;
use tappet_rpc::depot::ci::v1::{
    DrillDownCommand, DrillDownCommandKind as CommandKind, FailureDiagnosisBounds,
    FailureDiagnosisBreakdownRow, FailureDiagnosisCommandCapabilities,
    FailureDiagnosisConclusion as Conclusion, FailureDiagnosisContext, FailureDiagnosisEmptyReason,
    FailureDiagnosisResourceStatus as Resource, FailureDiagnosisState as State,
    FailureDiagnosisTarget, FailureDiagnosisTargetType as TargetType, FailureGroup,
    GetFailureDiagnosisResponse, RelevantErrorLine, RepresentativeAttempt,
};
use tappet_store::{Attempt, Workflow};

use crate::api::depot::ORGANISATION;
use crate::api::depot::ids::Kind;
use crate::api::depot::opening::Opened;
use crate::api::depot::runs::number;
use crate::api::depot::tree::{Branch, Job, job_key};
use crate::api::depot::words;
use crate::diagnosis::evidence::{Evidence, MOST_LINES, plain};
use crate::logs::lines::LogLine;

/// With more failures, only places to look at are told.
pub const MOST_PROBLEMS: usize = 100;
const MOST_GROUPS: usize = 10;
const MOST_OF_A_GROUP: usize = 3;
const MOST_ROWS: usize = 20;
const LONGEST_MESSAGE: usize = 1000;
const LONGEST_LINE: usize = 500;

/// What is diagnosed.
#[derive(Debug)]
pub enum Target {
    /// A run.
    Run,
    /// A workflow.
    Workflow,
    /// A job, as its newest attempt.
    Job(Attempt),
    /// An attempt.
    Attempt(Attempt),
}

/// One failure.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// Where.
    pub branch: &'a Branch,
    /// The attempt that failed; `None`: the workflow's file was refused.
    pub attempt: Option<&'a Attempt>,
    /// The key of its job.
    pub key: String,
    /// What its log tells.
    pub evidence: Evidence,
}

/// Puts the answer together.
pub fn report(
    id: &str,
    opened: &Opened,
    target: &Target,
    branches: &[Branch],
    problems: Vec<Problem<'_>>,
) -> GetFailureDiagnosisResponse {
    let state = match (problems.len(), target) {
        (0, _) => State::Empty,
        (count, _) if count > MOST_PROBLEMS => State::OverLimit,
        (_, Target::Job(_) | Target::Attempt(_)) => State::FocusedFailure,
        _ => State::GroupedFailures,
    };
    let mut response = GetFailureDiagnosisResponse {
        org_id: ORGANISATION.to_owned(),
        target: target_message(id, opened, target, branches).into(),
        context: context(opened, target, branches).into(),
        state: state.into(),
        command_capabilities: FailureDiagnosisCommandCapabilities {
            summary_command_available: true,
        }
        .into(),
        ..GetFailureDiagnosisResponse::default()
    };
    let mut bounds = bounds(branches, &problems);
    match state {
        State::Empty => {
            let reason = FailureDiagnosisEmptyReason::NoFailureEvidence;
            response.empty_reason = reason.into();
        }
        State::OverLimit => {
            let (rows, omitted) = breakdown(&problems);
            bounds.omitted_workflow_breakdown_count = omitted[0];
            bounds.omitted_job_breakdown_count = omitted[1];
            bounds.truncated = omitted != [0, 0];
            response.next_commands = rows
                .iter()
                .flat_map(|row| row.next_commands.clone())
                .take(MOST_GROUPS)
                .collect();
            response.over_limit_breakdown = rows;
        }
        State::FocusedFailure => {
            let failures = problems.iter();
            response.representative_attempts = failures
                .map(|problem| representative(opened, problem))
                .collect();
            response.next_commands = problems.iter().flat_map(commands).collect();
        }
        _ => {
            let groups = grouped(problems);
            bounds.total_failure_group_count = count(groups.len());
            bounds.omitted_failure_group_count = count(groups.len().saturating_sub(MOST_GROUPS));
            bounds.truncated = bounds.omitted_failure_group_count > 0;
            let shown = groups.iter().take(MOST_GROUPS);
            response.failure_groups = shown.map(|group| group_message(opened, group)).collect();
            response.next_commands = groups
                .iter()
                .take(MOST_GROUPS)
                .flat_map(|group| commands(&group[0]))
                .collect();
        }
    }
    response.bounds = bounds.into();
    response
}

/// Failures of the same cause together, the largest group first.
fn grouped(problems: Vec<Problem<'_>>) -> Vec<Vec<Problem<'_>>> {
    let mut groups: Vec<Vec<Problem<'_>>> = Vec::new();
    for problem in problems {
        let same = |group: &&mut Vec<Problem<'_>>| {
            group[0].evidence.fingerprint == problem.evidence.fingerprint
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(problem),
            None => groups.push(vec![problem]),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

fn group_message(opened: &Opened, group: &[Problem<'_>]) -> FailureGroup {
    let first = &group[0];
    let message = Cut::of(&first.evidence.message, LONGEST_MESSAGE);
    let cause = first.evidence.cause.clone();
    FailureGroup {
        fingerprint: first.evidence.fingerprint.clone(),
        source: if first.attempt.is_some() {
            "log"
        } else {
            "workflow"
        }
        .to_owned(),
        count: count(group.len()),
        error_message: message.text,
        error_message_truncated: message.is_cut,
        error_message_original_length: message.length,
        diagnosis: cause.diagnosis,
        possible_fix: cause.possible_fix,
        representatives: group
            .iter()
            .take(MOST_OF_A_GROUP)
            .map(|problem| representative(opened, problem))
            .collect(),
        omitted_representative_count: count(group.len().saturating_sub(MOST_OF_A_GROUP)),
    }
}

fn representative(opened: &Opened, problem: &Problem<'_>) -> RepresentativeAttempt {
    let workflow = &problem.branch.workflow;
    let message = Cut::of(&problem.evidence.message, LONGEST_MESSAGE);
    let cause = problem.evidence.cause.clone();
    let mut representative = RepresentativeAttempt {
        run_id: Kind::Run.write(opened.run.id),
        workflow_id: Kind::Workflow.write(workflow.id),
        workflow_name: workflow.name.clone().unwrap_or_default(),
        workflow_path: workflow.path.clone().unwrap_or_default(),
        error_message: message.text,
        error_message_truncated: message.is_cut,
        error_message_original_length: message.length,
        diagnosis: cause.diagnosis,
        possible_fix: cause.possible_fix,
        relevant_lines: problem.evidence.lines.iter().map(line_message).collect(),
        next_commands: commands(problem),
        ..RepresentativeAttempt::default()
    };
    if let Some(attempt) = problem.attempt {
        representative.job_id = Kind::Job.write(attempt.job_id);
        representative.job_key.clone_from(&problem.key);
        representative.job_display_name.clone_from(&attempt.name);
        representative.job_status = resource_of_job(attempt).into();
        representative.job_conclusion = conclusion(attempt).into();
        representative.attempt_id = Kind::Attempt.write(attempt.id);
        representative.attempt = number(attempt);
        representative.attempt_status = resource(words::run_status(attempt.status)).into();
        representative.attempt_conclusion = conclusion(attempt).into();
    }
    representative
}

fn line_message(line: &LogLine) -> RelevantErrorLine {
    let content = Cut::of(&plain(&line.text), LONGEST_LINE);
    RelevantErrorLine {
        step_id: line.step.clone().unwrap_or_else(|| line.section.clone()),
        line_number: line.number,
        content: content.text,
        content_truncated: content.is_cut,
        content_original_length: content.length,
    }
}

/// What to run next to see more of a failure.
fn commands(problem: &Problem<'_>) -> Vec<DrillDownCommand> {
    let Some(attempt) = problem.attempt else {
        return Vec::new();
    };
    let id = Kind::Attempt.write(attempt.id);
    vec![
        command(CommandKind::Logs, &["logs", &id], &id, "Show the whole log"),
        command(
            CommandKind::Summary,
            &["summary", &id],
            &id,
            "Show what the steps summed up",
        ),
    ]
}

fn command(kind: CommandKind, words: &[&str], id: &str, label: &str) -> DrillDownCommand {
    let argv = ["depot", "ci"].iter().chain(words);
    DrillDownCommand {
        kind: kind.into(),
        argv: argv.map(|word| (*word).to_owned()).collect(),
        target_id: id.to_owned(),
        label: label.to_owned(),
    }
}

/// Where the failures are, when they are too many; and how many workflows and jobs
/// are left out.
fn breakdown(problems: &[Problem<'_>]) -> (Vec<FailureDiagnosisBreakdownRow>, [u32; 2]) {
    let mut workflows: Vec<(&Workflow, u32)> = Vec::new();
    for problem in problems {
        let workflow = &problem.branch.workflow;
        match workflows.last_mut() {
            Some((known, count)) if known.id == workflow.id => *count += 1,
            _ => workflows.push((workflow, 1)),
        }
    }
    let of_workflows = workflows.iter().take(MOST_ROWS).map(|(workflow, count)| {
        let id = Kind::Workflow.write(workflow.id);
        let words = ["diagnose", "--workflow", &id];
        let label = "Diagnose this workflow";
        FailureDiagnosisBreakdownRow {
            target_type: TargetType::Workflow.into(),
            label: workflow
                .name
                .clone()
                .unwrap_or_else(|| workflow.file.clone()),
            status: resource(words::run_status(workflow.status)).into(),
            failed_problem_candidate_count: *count,
            next_commands: vec![command(CommandKind::DiagnoseWorkflow, &words, &id, label)],
            target_id: id,
        }
    });
    let jobs: Vec<(&Problem<'_>, &Attempt)> = problems
        .iter()
        .filter_map(|problem| Some((problem, problem.attempt?)))
        .collect();
    let of_jobs = jobs.iter().take(MOST_ROWS).map(|(problem, attempt)| {
        let id = Kind::Job.write(attempt.job_id);
        let words = ["diagnose", "--job", &id];
        let label = "Diagnose this job";
        FailureDiagnosisBreakdownRow {
            target_type: TargetType::Job.into(),
            label: problem.key.clone(),
            status: resource_of_job(attempt).into(),
            failed_problem_candidate_count: 1,
            next_commands: vec![command(CommandKind::DiagnoseJob, &words, &id, label)],
            target_id: id,
        }
    });
    let omitted = [workflows.len(), jobs.len()].map(|all| count(all.saturating_sub(MOST_ROWS)));
    (of_workflows.chain(of_jobs).collect(), omitted)
}

fn bounds(branches: &[Branch], problems: &[Problem<'_>]) -> FailureDiagnosisBounds {
    let jobs = || branches.iter().flat_map(|branch| &branch.jobs);
    let with = |status: Status| jobs().filter(|job| job.newest().status == status).count();
    FailureDiagnosisBounds {
        failed_problem_candidate_count: count(problems.len()),
        failed_problem_candidate_cap: count(MOST_PROBLEMS),
        total_problem_job_count: count(with(Status::Failed)),
        skipped_dependent_count: count(with(Status::Skipped)),
        failure_group_limit: count(MOST_GROUPS),
        representatives_per_group_limit: count(MOST_OF_A_GROUP),
        total_attempt_count: count(jobs().flat_map(Job::attempts).count()),
        relevant_line_limit: count(MOST_LINES),
        error_line_body_char_limit: count(LONGEST_LINE),
        error_message_char_limit: count(LONGEST_MESSAGE),
        over_limit_workflow_breakdown_limit: count(MOST_ROWS),
        over_limit_job_breakdown_limit: count(MOST_ROWS),
        ..FailureDiagnosisBounds::default()
    }
}

fn target_message(
    id: &str,
    opened: &Opened,
    target: &Target,
    branches: &[Branch],
) -> FailureDiagnosisTarget {
    let (target_type, status) = match target {
        Target::Run => (
            TargetType::Run,
            resource(words::run_status(opened.run.status)),
        ),
        Target::Workflow => (
            TargetType::Workflow,
            branches.first().map_or(Resource::Unspecified, |branch| {
                resource(words::run_status(branch.workflow.status))
            }),
        ),
        Target::Job(attempt) => (TargetType::Job, resource_of_job(attempt)),
        Target::Attempt(attempt) => (
            TargetType::Attempt,
            resource(words::run_status(attempt.status)),
        ),
    };
    FailureDiagnosisTarget {
        target_id: id.to_owned(),
        target_type: target_type.into(),
        status: status.into(),
    }
}

fn context(opened: &Opened, target: &Target, branches: &[Branch]) -> FailureDiagnosisContext {
    let run = &opened.run;
    let mut context = FailureDiagnosisContext {
        run_id: Kind::Run.write(run.id),
        repo: opened.project.path.clone(),
        r#ref: words::full_ref(run),
        sha: run.sha.to_string(),
        head_sha: run.sha.to_string(),
        trigger: words::trigger(run.source).to_owned(),
        run_status: resource(words::run_status(run.status)).into(),
        ..FailureDiagnosisContext::default()
    };
    let branch = match target {
        Target::Run => return context,
        _ => branches.first(),
    };
    if let Some(branch) = branch {
        let workflow = &branch.workflow;
        context.workflow_id = Kind::Workflow.write(workflow.id);
        context.workflow_name = workflow.name.clone().unwrap_or_default();
        context.workflow_path = workflow.path.clone().unwrap_or_default();
        context.workflow_status = resource(words::run_status(workflow.status)).into();
        if let Target::Job(attempt) | Target::Attempt(attempt) = target {
            context.job_id = Kind::Job.write(attempt.job_id);
            context.job_key = job_key(workflow, attempt);
            context.job_display_name.clone_from(&attempt.name);
            let newest = branch.jobs.iter().map(Job::newest);
            let newest = newest.clone().find(|job| job.job_id == attempt.job_id);
            let newest = newest.unwrap_or(attempt);
            context.job_status = resource_of_job(newest).into();
            context.job_conclusion = conclusion(newest).into();
            context.attempt_id = Kind::Attempt.write(attempt.id);
            context.attempt = number(attempt);
            context.attempt_status = resource(words::run_status(attempt.status)).into();
            context.attempt_conclusion = conclusion(attempt).into();
        }
    }
    context
}

fn resource_of_job(attempt: &Attempt) -> Resource {
    resource(words::job_status(attempt))
}

fn resource(word: &str) -> Resource {
    match word {
        "queued" => Resource::Queued,
        "waiting" => Resource::Waiting,
        "running" => Resource::Running,
        "finished" => Resource::Finished,
        "failed" => Resource::Failed,
        "cancelled" => Resource::Cancelled,
        "skipped" => Resource::Skipped,
        _ => Resource::Unspecified,
    }
}

fn conclusion(attempt: &Attempt) -> Conclusion {
    match words::conclusion(attempt.status, attempt.failure_reason) {
        Some("success") => Conclusion::Success,
        Some("failure") => Conclusion::Failure,
        Some("cancelled") => Conclusion::Cancelled,
        Some("skipped") => Conclusion::Skipped,
        Some("timed_out") => Conclusion::TimedOut,
        _ => Conclusion::Unspecified,
    }
}

/// A text that was cut to so many characters.
struct Cut {
    text: String,
    is_cut: bool,
    length: u32,
}

impl Cut {
    fn of(text: &str, most: usize) -> Self {
        let length = text.chars().count();
        Self {
            text: text.chars().take(most).collect(),
            is_cut: length > most,
            length: count(length),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
