//! What the compiler says of workflow files.

use std::sync::Arc;

use tappet_model::Diagnostic;
use tappet_rpc::depot::ci::v2::{
    MigrationDiagnostic, MigrationDiagnosticSeverity, MigrationReadiness, MigrationWorkflowFile,
    RepositoryWorkflowMigration, WorkflowAnalysis, WorkflowMigrationStatus,
};
use tappet_store::Project;

use crate::api::depot::errors::{RpcError, RpcResult};
use crate::app::App;
use crate::intake::{WORKFLOW_FILE_LIMIT, WORKFLOW_FOLDERS};

/// A workflow file, or why it cannot be read.
pub(super) struct WorkflowFile {
    path: String,
    bytes: Result<Arc<[u8]>, String>,
}

/// Files that came with the call.
pub(super) fn given(files: Vec<MigrationWorkflowFile>) -> Vec<WorkflowFile> {
    files
        .into_iter()
        .map(|file| WorkflowFile {
            path: file.path,
            bytes: Ok(file.content.into_bytes().into()),
        })
        .collect()
}

/// The workflows on the default branch of a project.
pub(super) async fn files_of(app: &App, project: &Project) -> RpcResult<Vec<WorkflowFile>> {
    let unavailable = |error: &dyn std::error::Error| RpcError::unavailable(error.to_string());
    let repository = app.repositories.of(project).await;
    let repository = repository.map_err(|error| unavailable(&error))?;
    let Some(branch) = app.repositories.default_branch(project, &repository).await else {
        return Ok(Vec::new());
    };
    let head = repository.find_commit(&branch).await;
    let Some(head) = head.map_err(|error| unavailable(&error))? else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for folder in WORKFLOW_FOLDERS {
        let Ok(names) = repository.files_in(&head, folder).await else {
            continue;
        };
        let is_yaml = |name: &&String| name.ends_with(".yml") || name.ends_with(".yaml");
        for name in names.iter().filter(is_yaml) {
            let path = format!("{folder}/{name}");
            let file = repository.file_at(&head, &path, WORKFLOW_FILE_LIMIT).await;
            files.push(WorkflowFile {
                bytes: file
                    .map(|file| file.bytes)
                    .map_err(|error| format!("cannot read {path}: {error}")),
                path,
            });
        }
    }
    Ok(files)
}

/// Ready, or what keeps it from running.
pub(super) fn of(app: &App, file: WorkflowFile) -> RepositoryWorkflowMigration {
    let problems = match file.bytes {
        Ok(bytes) => app.intake.workflow_problems(&bytes),
        Err(problem) => vec![Diagnostic::whole_file(problem)],
    };
    let readiness = if problems.is_empty() {
        MigrationReadiness::MIGRATION_READINESS_READY
    } else {
        MigrationReadiness::MIGRATION_READINESS_NOT_READY
    };
    let analysis = WorkflowAnalysis {
        migration_readiness: readiness.into(),
        caveats: Vec::new(),
        blockers: problems.iter().map(blocker).collect(),
    };
    RepositoryWorkflowMigration {
        path: file.path,
        analysis: analysis.into(),
        migration_status: WorkflowMigrationStatus::WORKFLOW_MIGRATION_STATUS_NOT_STARTED.into(),
        latest_migration_id: None,
    }
}

fn blocker(problem: &Diagnostic) -> MigrationDiagnostic {
    MigrationDiagnostic {
        code: "invalid_workflow".to_owned(),
        message: problem.to_string(),
        severity: MigrationDiagnosticSeverity::MIGRATION_DIAGNOSTIC_SEVERITY_FAILS.into(),
        ..MigrationDiagnostic::default()
    }
}
