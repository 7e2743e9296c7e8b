//! `uses` of a step: which action.

use tappet_model::workflow_job::{StepAction, UsedAction};

use crate::source::entry::Entry;
use crate::source::report::Report;

const INSTEAD: &str = "actions/checkout, actions/upload-artifact, actions/download-artifact and composite actions of \
     this repository (`./path`) work; do the rest in a `run` step";

/// Reads `uses`.
pub(super) fn read(entry: &Entry<'_>, report: &mut Report) -> Option<UsedAction> {
    let uses = entry.filled("uses", report)?;
    let position = entry.get("uses")?.position;
    if uses.starts_with("./") || uses.starts_with(".\\") {
        return Some(UsedAction::Local(uses));
    }
    let keyword = format!("uses: {uses}");
    if uses.starts_with("docker://") {
        report.unsupported(position, &keyword, INSTEAD);
        return None;
    }
    let Some((owner, name, path)) = split(&uses) else {
        report.error(
            position,
            format!("Expected format {{org}}/{{repo}}[/path]@ref. Actual '{uses}'"),
        );
        return None;
    };
    let is = |wanted: &str| {
        path.is_empty()
            && owner.eq_ignore_ascii_case("actions")
            && name.eq_ignore_ascii_case(wanted)
    };
    if is("checkout") {
        Some(UsedAction::Checkout)
    } else if is("upload-artifact") {
        Some(UsedAction::UploadArtifact)
    } else if is("download-artifact") {
        Some(UsedAction::DownloadArtifact)
    } else {
        report.unsupported(position, &keyword, INSTEAD);
        None
    }
}

/// What GitHub calls a step that uses an action of a repository and has no `name`:
/// `Run actions/checkout@v4`. (GitHub runner: `ActionRunner.GenerateDisplayName`.)
pub(super) fn name_of_unnamed(entry: &Entry<'_>) -> Option<String> {
    let uses = entry.get("uses")?.to_text()?;
    uses.contains('@').then(|| format!("Run {uses}"))
}

/// Owner, repository and path of `owner/repo/path@ref`.
fn split(uses: &str) -> Option<(&str, &str, &str)> {
    let (name, git_ref) = uses.split_once('@')?;
    let mut parts = name.splitn(3, ['/', '\\']);
    let (owner, repo) = (parts.next()?, parts.next()?);
    let path = parts.next().unwrap_or_default();
    let is_whole = !owner.is_empty() && !repo.is_empty() && !git_ref.is_empty();
    (is_whole && !git_ref.contains('@')).then_some((owner, repo, path))
}

/// What GitHub makes the id of a step of that has none.
pub(super) fn id_part(action: &StepAction) -> &'static str {
    match action {
        StepAction::Run { .. } | StepAction::ApplyPatch { .. } => "run",
        StepAction::Uses { action, .. } => match action {
            UsedAction::Checkout => "actions/checkout",
            UsedAction::UploadArtifact => "actions/upload-artifact",
            UsedAction::DownloadArtifact => "actions/download-artifact",
            UsedAction::Local(_) => "self",
        },
    }
}
