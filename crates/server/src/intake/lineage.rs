//! Runs that jobs start: each knows the job it came from, so a circle of projects
//! that start each other is seen and ends (GitLab ends only those of `trigger:`
//! jobs: `pipeline_loop_detected`, `reached_max_descendant_pipelines_depth`).

use tappet_git::ResolvedRef;
use tappet_store::{Ancestor, Project};

use super::{Refusal, RunRequest, not_started};
use crate::app::App;

/// How often the same project and ref may stand among the runs that led to a run.
const MAX_SAME: usize = 2;

/// Refuses a run that a job asks for when too many jobs led to it.
pub async fn check(app: &App, request: &RunRequest, resolved: &ResolvedRef) -> Result<(), Refusal> {
    let Some(job) = request.source_job else {
        return Ok(());
    };
    let Some(job) = app.store.attempt(job).await? else {
        return Ok(());
    };
    let limit = app.config.limits.downstream_depth;
    let ancestors = app
        .store
        .ancestry(job.run_id, limit.saturating_add(1))
        .await?;
    match problem(&ancestors, &request.project, resolved, limit) {
        Some(problem) => Err(not_started(problem)),
        None => Ok(()),
    }
}

/// Why a run of this project and ref must not follow on `ancestors`.
fn problem(
    ancestors: &[Ancestor],
    project: &Project,
    resolved: &ResolvedRef,
    limit: u32,
) -> Option<String> {
    let is_same = |ancestor: &&Ancestor| {
        ancestor.project_id == project.id
            && ancestor.ref_kind == resolved.kind
            && ancestor.ref_name == resolved.name
    };
    if ancestors.iter().filter(is_same).count() >= MAX_SAME {
        return Some(format!(
            "Pipeline loop detected: jobs of '{}' on '{}' led to this pipeline {MAX_SAME} times \
             already. Please break the circle of jobs that trigger each other.",
            project.path, resolved.name
        ));
    }
    let depth = u32::try_from(ancestors.len()).unwrap_or(u32::MAX);
    (depth > limit).then(|| {
        format!(
            "You reached the maximum depth of downstream pipelines ({limit}). Please let fewer \
             jobs trigger each other in a row."
        )
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{ProjectId, RefKind, RunId};

    use super::*;

    fn ancestor(project: i64, ref_name: &str) -> Ancestor {
        Ancestor {
            run_id: RunId(1),
            project_id: ProjectId(project),
            ref_kind: RefKind::Branch,
            ref_name: ref_name.into(),
        }
    }

    #[rstest]
    #[case::first(vec![(2, "main")], None)]
    #[case::once_before(vec![(2, "main"), (1, "main")], None)]
    #[case::circle(vec![(2, "main"), (1, "main"), (2, "main"), (1, "main")], Some("loop"))]
    #[case::itself(vec![(1, "main"), (1, "main")], Some("loop"))]
    #[case::other_refs(vec![(1, "a"), (1, "b"), (1, "c")], None)]
    #[case::as_deep_as_may_be((10..15).map(|id| (id, "main")).collect(), None)]
    #[case::too_deep((10..16).map(|id| (id, "main")).collect(), Some("maximum depth"))]
    fn circles_and_long_rows_end(
        #[case] ancestors: Vec<(i64, &str)>,
        #[case] expected: Option<&str>,
    ) {
        let ancestors: Vec<_> = ancestors
            .into_iter()
            .map(|(project, name)| ancestor(project, name))
            .collect();
        let resolved = ResolvedRef {
            name: "main".into(),
            kind: RefKind::Branch,
            sha: "a".repeat(40).parse().unwrap(),
            tag_message: None,
        };
        let found = problem(&ancestors, &Project::example("acme/web"), &resolved, 5);
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        assert!(
            found
                .unwrap_or_default()
                .contains(expected.unwrap_or_default())
        );
    }
}
