//! Whether an event starts a workflow.

use crate::workflow::triggers::{Filter, Trigger, Triggers};

/// Something that happened in a repository.
#[derive(Clone, Copy, Default, Debug)]
pub struct Occurrence<'a> {
    /// `push`, `pull_request`, …
    pub event: &'a str,
    /// What about it: `opened`.
    pub activity: Option<&'a str>,
    /// Of a push: the full ref, `refs/heads/main`.
    pub git_ref: Option<&'a str>,
    /// The branch that filters look at when it is not the pushed one: the base
    /// of a pull request, the head of a finished workflow.
    pub branch: Option<&'a str>,
    /// What changed, from the root of the repository; none: not known, and then
    /// path filters let everything through.
    pub changed_paths: Option<&'a [&'a str]>,
    /// Of a `workflow_run`: the name of the other workflow.
    pub workflow: Option<&'a str>,
}

impl Triggers {
    /// Whether the event starts the workflow.
    pub fn matches(&self, occurrence: &Occurrence<'_>) -> bool {
        self.events
            .iter()
            .any(|trigger| trigger.matches(occurrence))
    }

    /// Whether it matters which files such an event changes.
    pub fn look_at_paths(&self, event: &str) -> bool {
        self.events
            .iter()
            .any(|trigger| trigger.event.name == event && trigger.paths.is_some())
    }
}

impl Trigger {
    fn matches(&self, occurrence: &Occurrence<'_>) -> bool {
        self.event.name == occurrence.event
            && self.wants_activity(occurrence.activity)
            && self.wants_workflow(occurrence.workflow)
            && self.wants_ref(occurrence)
    }

    fn wants_activity(&self, activity: Option<&str>) -> bool {
        let Some(activity) = activity else {
            return self.types.is_none();
        };
        match &self.types {
            Some(types) => types.iter().any(|name| name == activity),
            None => {
                let defaults = self.event.default_types;
                defaults.is_empty() || defaults.contains(&activity)
            }
        }
    }

    fn wants_workflow(&self, workflow: Option<&str>) -> bool {
        match &self.workflows {
            Some(patterns) => workflow.is_some_and(|name| patterns.keep(name)),
            None => true,
        }
    }

    /// With filters for branches only, no tag starts it, and the other way
    /// round; paths of a tag are not looked at.
    fn wants_ref(&self, occurrence: &Occurrence<'_>) -> bool {
        let tag = occurrence
            .git_ref
            .and_then(|name| name.strip_prefix("refs/tags/"));
        if let Some(tag) = tag {
            return match (&self.tags, &self.branches) {
                (Some(filter), _) => filter.keeps(tag),
                (None, Some(_)) => false,
                (None, None) => true,
            };
        }
        let branch = occurrence.branch.or_else(|| {
            occurrence
                .git_ref
                .and_then(|name| name.strip_prefix("refs/heads/"))
        });
        let wants_branch = match (&self.branches, &self.tags) {
            (Some(filter), _) => branch.is_some_and(|branch| filter.keeps(branch)),
            (None, Some(_)) => false,
            (None, None) => true,
        };
        wants_branch && self.wants_paths(occurrence.changed_paths)
    }

    fn wants_paths(&self, changed: Option<&[&str]>) -> bool {
        let (Some(filter), Some(changed)) = (&self.paths, changed) else {
            return true;
        };
        changed.iter().any(|path| filter.keeps(path))
    }
}

impl Filter {
    fn keeps(&self, text: &str) -> bool {
        match self {
            Self::Only(patterns) => patterns.keep(text),
            Self::Ignore(patterns) => !patterns.keep(text),
        }
    }
}
