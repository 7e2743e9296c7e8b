//! Which variant of a setting applies (Depot: "Manage secrets and variables", How
//! multiple variants resolve).
//!
//! Inside one kind of condition one has to fit, across kinds all have to. Of those
//! that fit, one with an environment comes first, then one with a repository, then
//! the narrower branch, then the narrower workflow file. A variant without
//! conditions fits everywhere and comes last. Between equals, which people should
//! avoid, the one that was changed last counts.

use std::cmp::Reverse;

use tappet_model::ProjectId;
use tappet_store::{VariantAttribute, VariantAttributes, WorkflowVariant};

use super::glob::{self, Narrowness};

/// Where a job runs, or what is known of it. `None`: not known; an empty list:
/// known to be nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Context {
    /// Projects.
    pub repository: Option<Vec<ProjectId>>,
    /// Names of environments.
    pub environment: Option<Vec<String>>,
    /// Names of branches.
    pub branch: Option<Vec<String>>,
    /// Paths of workflow files.
    pub workflow: Option<Vec<String>>,
}

impl Context {
    /// Everything is known.
    pub(super) fn of_job(
        project: ProjectId,
        branch: Option<&str>,
        workflow: Option<&str>,
        environment: Option<&str>,
    ) -> Self {
        let list = |value: Option<&str>| Some(value.map(str::to_owned).into_iter().collect());
        Self {
            repository: Some(vec![project]),
            environment: list(environment.filter(|name| !name.is_empty())),
            branch: list(branch),
            workflow: list(workflow),
        }
    }

    /// Nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a variant stands where only a part is known (Depot: `VariantResolution`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// It is the one.
    Resolved,
    /// It may be the one; what is known does not tell.
    Indeterminate,
    /// Another one comes first whatever else is known.
    LowerPriority,
}

/// How specific a variant is, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    environment: bool,
    repository: bool,
    branch: Option<Narrowness>,
    workflow: Option<Narrowness>,
}

/// Whether a variant applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fit {
    No,
    Maybe(Rank),
    Yes(Rank),
}

/// The variant that a job gets.
pub(super) fn winner<'a>(
    variants: &'a [WorkflowVariant],
    context: &Context,
) -> Option<&'a WorkflowVariant> {
    let fitting = variants
        .iter()
        .filter_map(|variant| match fit(&variant.attributes, context) {
            Fit::Yes(rank) => Some((rank, variant)),
            Fit::No | Fit::Maybe(_) => None,
        });
    let (_, variant) =
        fitting.max_by_key(|(rank, variant)| (*rank, variant.updated_at, variant.id))?;
    Some(variant)
}

/// How each variant stands; `None` for those that do not apply.
pub(super) fn resolutions(
    variants: &[WorkflowVariant],
    context: &Context,
) -> Vec<Option<Resolution>> {
    let fits: Vec<Fit> = variants
        .iter()
        .map(|variant| fit(&variant.attributes, context))
        .collect();
    let others = |own: usize| fits.iter().enumerate().filter(move |(at, _)| *at != own);
    let resolution = |at: usize, fit: &Fit| {
        let (Fit::Yes(rank) | Fit::Maybe(rank)) = fit else {
            return None;
        };
        let is_beaten = others(at).any(|(_, other)| matches!(other, Fit::Yes(own) if own > rank));
        let is_open = others(at)
            .any(|(_, other)| matches!(other, Fit::Yes(own) | Fit::Maybe(own) if own >= rank));
        Some(match fit {
            _ if is_beaten => Resolution::LowerPriority,
            Fit::Yes(_) if !is_open => Resolution::Resolved,
            _ => Resolution::Indeterminate,
        })
    };
    fits.iter()
        .enumerate()
        .map(|(at, fit)| resolution(at, fit))
        .collect()
}

/// The order in which variants are shown: the least specific first.
pub(super) fn order(variant: &WorkflowVariant) -> impl Ord + use<> {
    let rank = match fit(&variant.attributes, &Context::default()) {
        Fit::Yes(rank) | Fit::Maybe(rank) => Some(rank),
        Fit::No => None,
    };
    (rank, Reverse(variant.updated_at), variant.id)
}

/// One kind of condition: those of a variant, against what is known.
struct Condition<K> {
    /// Of the narrowest that fits, or may fit.
    rank: Option<K>,
    is_certain: bool,
}

fn fit(attributes: &VariantAttributes, context: &Context) -> Fit {
    let repository = condition(
        attributes,
        context.repository.as_deref(),
        |attribute| match attribute {
            VariantAttribute::Repository(id) => Some(id),
            _ => None,
        },
        |own, known| own == known,
        |_| (),
    );
    let environment = condition(
        attributes,
        context.environment.as_deref(),
        |attribute| match attribute {
            VariantAttribute::Environment(name) => Some(name),
            _ => None,
        },
        |own, known| own == known,
        |_| (),
    );
    let branch = condition(
        attributes,
        context.branch.as_deref(),
        |attribute| match attribute {
            VariantAttribute::Branch(pattern) => Some(pattern),
            _ => None,
        },
        |own, known| glob::matches(own, known),
        |own| glob::narrowness(own),
    );
    let workflow = condition(
        attributes,
        context.workflow.as_deref(),
        |attribute| match attribute {
            VariantAttribute::Workflow(pattern) => Some(pattern),
            _ => None,
        },
        |own, known| is_workflow(own, known),
        |own| glob::narrowness(own),
    );
    let (Some(repository), Some(environment), Some(branch), Some(workflow)) =
        (repository, environment, branch, workflow)
    else {
        return Fit::No;
    };
    let rank = Rank {
        environment: environment.rank.is_some(),
        repository: repository.rank.is_some(),
        branch: branch.rank,
        workflow: workflow.rank,
    };
    let is_certain =
        repository.is_certain && environment.is_certain && branch.is_certain && workflow.is_certain;
    if is_certain {
        Fit::Yes(rank)
    } else {
        Fit::Maybe(rank)
    }
}

/// `None`: the variant does not apply.
fn condition<'a, T: 'a, K: Ord>(
    attributes: &'a VariantAttributes,
    known: Option<&[T]>,
    of_kind: impl Fn(&'a VariantAttribute) -> Option<&'a T>,
    fits: impl Fn(&T, &T) -> bool,
    rank: impl Fn(&T) -> K,
) -> Option<Condition<K>> {
    let own: Vec<&T> = attributes.iter().filter_map(of_kind).collect();
    if own.is_empty() {
        return Some(Condition {
            rank: None,
            is_certain: true,
        });
    }
    let fitting = own
        .into_iter()
        .filter(|own| known.is_none_or(|known| known.iter().any(|value| fits(own, value))));
    Some(Condition {
        rank: Some(fitting.map(rank).max()?),
        is_certain: known.is_some(),
    })
}

/// A pattern without a slash is for the name of the file, wherever it lies.
fn is_workflow(pattern: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let path = path.strip_prefix("./").unwrap_or(path);
    glob::matches(pattern, if pattern.contains('/') { path } else { name })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{Timestamp, WorkflowVariantId};

    use super::*;

    /// `env=production branch=main`; `default` has no conditions.
    fn variant(text: &str) -> WorkflowVariant {
        let attributes = text.split(' ').filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            Some(match key {
                "repo" => VariantAttribute::Repository(ProjectId(value.parse().unwrap())),
                "env" => VariantAttribute::Environment(value.into()),
                "branch" => VariantAttribute::Branch(value.into()),
                "file" => VariantAttribute::Workflow(value.into()),
                other => panic!("unknown key {other}"),
            })
        });
        WorkflowVariant {
            id: WorkflowVariantId(1),
            name: text.into(),
            sealed_value: Vec::new(),
            description: None,
            attributes: attributes.collect(),
            updated_at: Timestamp(0),
        }
    }

    fn variants(texts: &[&str]) -> Vec<WorkflowVariant> {
        texts.iter().map(|text| variant(text)).collect()
    }

    fn job() -> Context {
        let file = ".depot/workflows/deploy.yml";
        Context::of_job(
            ProjectId(1),
            Some("release/v2"),
            Some(file),
            Some("production"),
        )
    }

    #[rstest]
    #[case("default", true)]
    #[case("repo=1", true)]
    #[case("repo=2", false)]
    #[case::either_of_a_kind("repo=2 repo=1", true)]
    #[case::every_kind("repo=1 env=production branch=release/* file=deploy.yml", true)]
    #[case::one_kind_fails("repo=1 env=staging", false)]
    #[case::an_environment_is_no_pattern("env=prod*", false)]
    #[case::the_case_counts("env=Production", false)]
    #[case::branch_by_pattern("branch=main branch=release/*", true)]
    #[case::another_branch("branch=main", false)]
    #[case::file_by_name("file=deploy.yml", true)]
    #[case::file_by_path("file=.depot/workflows/deploy.yml", true)]
    #[case::file_by_other_path("file=.github/workflows/deploy.yml", false)]
    #[case::file_by_pattern("file=deploy*", true)]
    fn a_variant_applies_where_each_kind_of_condition_has_one_that_fits(
        #[case] text: &str,
        #[case] expected: bool,
    ) {
        let of = [variant(text)];
        assert_eq!(winner(&of, &job()).is_some(), expected);
    }

    #[rstest]
    #[case(&["default"])]
    #[case::workflow_over_none(&["default", "file=*"])]
    #[case::narrower_file(&["file=*", "file=deploy*", "file=deploy.yml"])]
    #[case::branch_over_workflow(&["file=deploy.yml", "branch=**"])]
    #[case::narrower_branch(&["branch=**", "branch=release/*", "branch=release/v2"])]
    #[case::repository_over_branch_and_workflow(&["branch=release/v2 file=deploy.yml", "repo=1"])]
    #[case::environment_over_repository(&["repo=1 branch=release/v2", "env=production"])]
    #[case::more_kinds(&["env=production", "env=production repo=1", "env=production repo=1 file=*"])]
    #[case::the_value_that_fits_counts(&["branch=main branch=release/*", "branch=release/v*"])]
    fn the_most_specific_wins(#[case] least_to_most: &[&str]) {
        let mut of = variants(least_to_most);
        let expected = (*least_to_most.last().unwrap()).to_owned();
        assert_eq!(winner(&of, &job()).unwrap().name, expected);
        of.reverse();
        assert_eq!(winner(&of, &job()).unwrap().name, expected);
    }

    #[test]
    fn between_equals_the_one_changed_last_counts() {
        let mut of = variants(&["repo=1", "repo=1"]);
        of[0].updated_at = Timestamp(5);
        of[0].name = "newer".into();
        assert_eq!(winner(&of, &job()).unwrap().name, "newer");
    }

    #[rstest]
    #[case("branch=main")]
    #[case("branch=*")]
    #[case("env=production")]
    #[case("file=*")]
    fn a_job_without_it_fits_no_condition_on_it(#[case] text: &str) {
        let tag_run_of_inline_text = Context::of_job(ProjectId(1), None, None, None);
        let of = [variant(text)];
        assert_eq!(winner(&of, &tag_run_of_inline_text), None);
    }

    use Resolution::{Indeterminate, LowerPriority, Resolved};

    #[rstest]
    #[case::alone("repo=1", &[("default", Some(Resolved))])]
    #[case::beaten("repo=1", &[("default", Some(LowerPriority)), ("repo=1", Some(Resolved))])]
    #[case::elsewhere("repo=1", &[("default", Some(Resolved)), ("repo=2", None)])]
    #[case::may_be_beaten("repo=1", &[("default", Some(Indeterminate)), ("env=production", Some(Indeterminate))])]
    #[case::cannot_win_any_more("repo=1", &[("branch=main", Some(LowerPriority)), ("repo=1", Some(Resolved))])]
    #[case::a_tie("repo=1", &[("repo=1", Some(Indeterminate)), ("repo=1", Some(Indeterminate))])]
    #[case::all_known("repo=1 env=production", &[("repo=1", Some(LowerPriority)), ("env=production", Some(Resolved)), ("env=staging", None)])]
    fn what_is_known_tells_how_far_it_is_decided(
        #[case] known: &str,
        #[case] expected: &[(&str, Option<Resolution>)],
    ) {
        let mut context = Context::default();
        for attribute in variant(known).attributes.iter() {
            match attribute {
                VariantAttribute::Repository(id) => context.repository = Some(vec![*id]),
                VariantAttribute::Environment(name) => {
                    context.environment = Some(vec![name.clone()]);
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        let texts: Vec<&str> = expected.iter().map(|(text, _)| *text).collect();
        let found = resolutions(&variants(&texts), &context);
        let wanted: Vec<_> = expected.iter().map(|(_, resolution)| *resolution).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn variants_are_shown_from_the_least_specific_on() {
        let mut of = variants(&["env=a", "repo=1", "default", "branch=main"]);
        of.sort_by_key(order);
        let names: Vec<_> = of.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["default", "branch=main", "repo=1", "env=a"]);
    }
}
