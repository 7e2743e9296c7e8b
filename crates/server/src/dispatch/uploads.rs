//! What a runner uploads after a job: the archive and each report
//! (GitLab: `app/presenters/ci/build_runner_presenter.rb`).

use tappet_model::plan::{ArtifactSpec, ReportSpec};
use tappet_model::runner_protocol::ArtifactUpload;

/// One entry per file to upload, in order.
pub(super) fn of(spec: Option<&ArtifactSpec>) -> Vec<ArtifactUpload> {
    let Some(spec) = spec else {
        return Vec::new();
    };
    let reports = spec.reports.iter();
    let reports = reports.map(|report| report_upload(report, spec.expire_in.as_deref()));
    archive(spec).into_iter().chain(reports).collect()
}

fn archive(spec: &ArtifactSpec) -> Option<ArtifactUpload> {
    let keeps_files = spec.untracked || !spec.paths.is_empty();
    keeps_files.then(|| ArtifactUpload {
        name: spec.name.clone(),
        untracked: spec.untracked,
        paths: spec.paths.clone(),
        exclude: spec.exclude.clone(),
        when: spec.when.as_str().to_owned(),
        expire_in: spec.expire_in.clone(),
        artifact_type: "archive".to_owned(),
        artifact_format: "zip".to_owned(),
    })
}

/// Whatever the outcome of the job: a failed test is worth a report above all.
fn report_upload(report: &ReportSpec, expire_in: Option<&str>) -> ArtifactUpload {
    ArtifactUpload {
        name: Some(report.kind.file_name().to_owned()),
        untracked: false,
        paths: report.paths.clone(),
        exclude: Vec::new(),
        when: "always".to_owned(),
        expire_in: expire_in.map(str::to_owned),
        artifact_type: report.kind.as_str().to_owned(),
        artifact_format: "gzip".to_owned(),
    }
}
