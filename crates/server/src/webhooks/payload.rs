//! What a webhook tells (GitLab: `lib/gitlab/data_builder/{pipeline,build}.rb`).
//!
//! Values of variables stay here: receivers get the names alone. Times have the
//! older form `2026-02-01 10:20:30 UTC`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::{Value, json};
use tappet_git::Commit;
use tappet_model::{AttemptId, RefKind, RunId, RunnerId, Status, Timestamp};
use tappet_store::{Attempt, Project, Run, Runner, StoreResult, User};

use crate::app::App;
use crate::config::Config;
use crate::intake;

/// What stands where a value would.
const HIDDEN: &str = "[MASKED]";

/// What a webhook can tell of.
pub struct Subject {
    project: Project,
    run: Run,
    attempt: Option<Attempt>,
    user: Option<User>,
    commit: Option<Arc<Commit>>,
}

impl Subject {
    /// A run, or one of its attempts; `None` when it is gone.
    pub async fn find(
        app: &App,
        run: RunId,
        attempt: Option<AttemptId>,
    ) -> StoreResult<Option<Self>> {
        let attempt = match attempt {
            Some(id) => match app.store.attempt(id).await? {
                Some(attempt) => Some(attempt),
                None => return Ok(None),
            },
            None => None,
        };
        let Some(run) = app.store.run(run).await? else {
            return Ok(None);
        };
        let Some(project) = app.store.project(run.project_id).await? else {
            return Ok(None);
        };
        let user = app.user_of(&run).await?;
        let commit = match app.repositories.of(&project).await {
            Ok(repository) => repository.commit(&run.sha).await.ok(),
            Err(_) => None,
        };
        Ok(Some(Self {
            project,
            run,
            attempt,
            user,
            commit,
        }))
    }

    /// The run belongs to somebody who is blocked.
    pub fn is_of_blocked_user(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.is_blocked)
    }

    /// What the header says.
    pub fn event(&self) -> &'static str {
        match self.attempt {
            Some(_) => "Job Hook",
            None => "Pipeline Hook",
        }
    }
}

/// The body for a subject; `status` is what it became when it has gone on since.
pub async fn of(app: &App, subject: &Subject, status: Option<Status>) -> StoreResult<Value> {
    match &subject.attempt {
        Some(attempt) => of_job(app, subject, attempt, status.unwrap_or(attempt.status)).await,
        None => of_run(app, subject, status.unwrap_or(subject.run.status)).await,
    }
}

async fn of_run(app: &App, subject: &Subject, status: Status) -> StoreResult<Value> {
    let Subject { project, run, .. } = subject;
    let config = &app.config;
    let attempts = app.store.run_attempts(run.id).await?;
    let mut runners: HashMap<RunnerId, Option<Runner>> = HashMap::new();
    for id in attempts.iter().filter_map(|attempt| attempt.runner_id) {
        if let Entry::Vacant(runner) = runners.entry(id) {
            runner.insert(app.store.runner(id).await?);
        }
    }
    let builds: Vec<Value> = attempts
        .iter()
        .map(|attempt| {
            let runner = attempt.runner_id.and_then(|id| runners.get(&id)?.as_ref());
            build(subject, attempt, runner)
        })
        .collect();
    let is_over = matches!(status, Status::Success | Status::Failed | Status::Canceled);
    let finished_at = run.finished_at.filter(|_| is_over);
    let protected = app
        .is_protected(project, run.ref_kind, &run.ref_name)
        .await?;
    let mut body = json!({
        "object_kind": "pipeline",
        "object_attributes": {
            "id": run.id,
            "iid": run.iid,
            "name": run.name,
            "ref": run.ref_name,
            "ref_status_name": run.ref_name,
            "tag": run.ref_kind == RefKind::Tag,
            "sha": run.sha,
            "before_sha": run.origin.before(),
            "source": run.source,
            "status": status,
            "detailed_status": detailed_status(status, run.has_warnings),
            "stages": run.stages,
            "created_at": time(Some(run.created_at)),
            "finished_at": time(finished_at),
            "duration": finished_at.and(run.busy_micros).map(|micros| micros / 1_000_000),
            "queued_duration": run
                .started_at
                .map(|started| started.since(run.created_at).as_secs()),
            "protected_ref": protected,
            "variables": variables(app, run).await?,
            "url": config.url(&format!("/{}/-/pipelines/{}", project.path, run.id)),
        },
        "merge_request": null,
        "user": person(subject.user.as_ref()),
        "project": project_facts(app, project).await,
        "commit": commit(config, subject),
        "builds": builds,
    });
    add_source(app, run, &mut body).await?;
    Ok(body)
}

/// Names of the given variables, without their values.
async fn variables(app: &App, run: &Run) -> StoreResult<Vec<Value>> {
    let Some(sealed) = app.store.run_variables(run.id).await? else {
        return Ok(Vec::new());
    };
    let given = intake::unseal(&app.secrets, &sealed).unwrap_or_default();
    Ok(given
        .iter()
        .map(|variable| json!({ "key": variable.key, "value": HIDDEN }))
        .collect())
}

/// What a job works on, if anything (GitLab: `DataBuilder::Build`).
fn environment(attempt: &Attempt) -> Option<Value> {
    let environment = attempt.environment.as_ref()?;
    Some(json!({
        "name": environment.name,
        "action": environment.action.as_str(),
        "deployment_tier": environment.tier().as_str(),
    }))
}

/// One job of a run's payload.
fn build(subject: &Subject, attempt: &Attempt, runner: Option<&Runner>) -> Value {
    json!({
        "id": attempt.id,
        "stage": attempt.stage,
        "name": attempt.name,
        "status": attempt.status,
        "created_at": time(Some(attempt.created_at)),
        "started_at": time(attempt.started_at),
        "finished_at": time(attempt.finished_at),
        "duration": seconds(attempt.started_at, attempt.finished_at),
        "queued_duration": seconds(attempt.queued_at, attempt.started_at),
        "failure_reason": failure_reason(attempt),
        "when": attempt.when.as_str(),
        "manual": attempt.is_manual,
        "allow_failure": attempt.allow_failure,
        "user": person(subject.user.as_ref()),
        "runner": runner.map(runner_facts),
        "artifacts_file": {
            "filename": attempt.archive.as_ref().map(|archive| &archive.filename),
            "size": attempt.archive.as_ref().map(|archive| archive.size_bytes),
        },
        "environment": environment(attempt),
    })
}

async fn of_job(
    app: &App,
    subject: &Subject,
    attempt: &Attempt,
    status: Status,
) -> StoreResult<Value> {
    let Subject { project, run, .. } = subject;
    let runner = match attempt.runner_id {
        Some(id) => app.store.runner(id).await?,
        None => None,
    };
    let facts = project_facts(app, project).await;
    let is_over = matches!(status, Status::Success | Status::Failed | Status::Canceled);
    let finished_at = attempt.finished_at.filter(|_| is_over);
    let commit = subject.commit.as_deref();
    let run_ended = run.finished_at;
    let mut body = json!({
        "object_kind": "build",
        "ref": run.ref_name,
        "tag": run.ref_kind == RefKind::Tag,
        "before_sha": run.origin.before(),
        "sha": run.sha,
        "retries_count": attempt.number.saturating_sub(1),
        "build_id": attempt.id,
        "build_name": attempt.name,
        "build_stage": attempt.stage,
        "build_status": status,
        "build_created_at": time(Some(attempt.created_at)),
        "build_started_at": time(attempt.started_at),
        "build_finished_at": time(finished_at),
        "build_created_at_iso": attempt.created_at.to_seconds_text(),
        "build_started_at_iso": attempt.started_at.map(Timestamp::to_seconds_text),
        "build_finished_at_iso": finished_at.map(Timestamp::to_seconds_text),
        "build_duration": seconds(attempt.started_at, finished_at),
        "build_queued_duration": seconds(attempt.queued_at, attempt.started_at),
        "build_allow_failure": attempt.allow_failure,
        "build_failure_reason": failure_reason(attempt).unwrap_or("unknown_failure"),
        "pipeline_id": run.id,
        "runner": runner.as_ref().map(runner_facts),
        "project_id": project.id,
        "project_name": full_name(project),
        "user": person(subject.user.as_ref()),
        // The id is the pipeline's, as in GitLab.
        "commit": {
            "id": run.id,
            "name": run.name,
            "sha": run.sha,
            "message": commit.map_or(run.commit_title.as_str(), |commit| &commit.message),
            "author_name": commit.map(|commit| &commit.author_name),
            "author_email": commit.map(|commit| &commit.author_email),
            "author_url": commit.map(|commit| format!("mailto:{}", commit.author_email)),
            "status": run.status,
            "duration": run.busy_micros.map(|micros| micros / 1_000_000),
            "started_at": time(run.started_at),
            "finished_at": time(run_ended),
            "started_at_iso": run.started_at.map(Timestamp::to_seconds_text),
            "finished_at_iso": run_ended.map(Timestamp::to_seconds_text),
        },
        "repository": {
            "name": project.name,
            "url": facts["git_ssh_url"],
            "description": project.description,
            "homepage": facts["web_url"],
            "git_http_url": facts["git_http_url"],
            "git_ssh_url": facts["git_ssh_url"],
            "visibility_level": facts["visibility_level"],
        },
        "project": facts,
        "environment": environment(attempt),
    });
    add_source(app, run, &mut body).await?;
    Ok(body)
}

/// The run whose job started this one.
async fn add_source(app: &App, run: &Run, body: &mut Value) -> StoreResult<()> {
    let Some(id) = run.origin.source_attempt_id else {
        return Ok(());
    };
    let Some(job) = app.store.attempt(id).await? else {
        return Ok(());
    };
    if let Some(project) = app.store.project(job.project_id).await? {
        body["source_pipeline"] = json!({
            "project": {
                "id": project.id,
                "web_url": app.config.url(&format!("/{}", project.path)),
                "path_with_namespace": project.path,
            },
            "job_id": job.id,
            "pipeline_id": job.run_id,
        });
    }
    Ok(())
}

async fn project_facts(app: &App, project: &Project) -> Value {
    let default_branch = match app.repositories.of(project).await {
        Ok(repository) => app.repositories.default_branch(project, &repository).await,
        Err(_) => project.default_branch.clone(),
    };
    let (namespace, _) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
    // Addresses of repositories may hold passwords, and say where things lie.
    json!({
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "web_url": app.config.url(&format!("/{}", project.path)),
        "avatar_url": null,
        "git_ssh_url": null,
        "git_http_url": null,
        "namespace": namespace,
        "visibility_level": match project.visibility.as_str() {
            "public" => 20,
            "internal" => 10,
            _ => 0,
        },
        "path_with_namespace": project.path,
        "default_branch": default_branch,
        "ci_config_path": project.ci_config_path,
    })
}

fn full_name(project: &Project) -> String {
    match project.path.rsplit_once('/') {
        Some((namespace, _)) => {
            format!("{} / {}", namespace.replace('/', " / "), project.name)
        }
        None => project.name.clone(),
    }
}

fn commit(config: &Config, subject: &Subject) -> Value {
    let Subject { project, run, .. } = subject;
    let commit = subject.commit.as_deref();
    json!({
        "id": run.sha,
        "message": commit.map_or(run.commit_title.as_str(), |commit| &commit.message),
        "title": commit.map_or(run.commit_title.as_str(), Commit::title),
        "timestamp": commit.map(|commit| commit.committed_at.to_seconds_text()),
        "url": config.url(&format!("/{}/-/commit/{}", project.path, run.sha)),
        "author": {
            "name": commit.map(|commit| &commit.author_name),
            "email": commit.map(|commit| &commit.author_email),
        },
    })
}

/// Who started the run, as GitLab shows people whose address is not public.
fn person(user: Option<&User>) -> Value {
    user.map_or(Value::Null, |user| {
        json!({
            "id": user.id,
            "name": user.name,
            "username": user.username,
            "avatar_url": null,
            "email": "[REDACTED]",
        })
    })
}

fn runner_facts(runner: &Runner) -> Value {
    json!({
        "id": runner.id,
        "description": runner.description,
        "runner_type": "instance_type",
        "active": !runner.is_paused,
        "is_shared": true,
        "tags": runner.tags,
    })
}

fn failure_reason(attempt: &Attempt) -> Option<&'static str> {
    attempt.failure_reason.map(|reason| reason.as_str())
}

fn seconds(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    Some(to?.since(from?).as_secs_f64())
}

/// `2026-02-01 10:20:30 UTC`.
fn time(time: Option<Timestamp>) -> Option<String> {
    let text = time?.to_seconds_text();
    Some(text.replace('T', " ").replace('Z', " UTC"))
}

/// GitLab's label of a status.
fn detailed_status(status: Status, has_warnings: bool) -> &'static str {
    match status {
        Status::Success if has_warnings => "passed with warnings",
        Status::Success => "passed",
        Status::WaitingForResource => "waiting for resource",
        Status::WaitingForCallback => "waiting for callback",
        Status::Manual => "waiting for manual action",
        Status::Scheduled => "waiting for delayed job",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_older_form() {
        let at = Timestamp::parse("2026-02-01T10:20:30.999Z");
        assert_eq!(time(at).as_deref(), Some("2026-02-01 10:20:30 UTC"));
        assert_eq!(time(None), None);
    }
}
