//! `default:` and its old spellings at the root: keys that a job has when it
//! does not say them itself; nothing is merged (GitLab: `entry/default.rb`).

use tappet_model::Diagnostic;
use tappet_model::plan::{ArtifactSpec, RetryPolicy};
use tappet_yaml::Mapping;

use crate::entry::{Entry, Field};
use crate::validation::{Location, Report};
use crate::{artifacts, keywords, retry, script, tags, timeout};

/// What jobs fall back to.
#[derive(Default)]
pub(crate) struct Defaults {
    pub(crate) before_script: Option<Vec<String>>,
    pub(crate) after_script: Option<Vec<String>>,
    pub(crate) artifacts: Option<ArtifactSpec>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeout_s: Option<u64>,
}

/// Reads `default:` (`field`, if it is there) and the scripts at the root.
pub(crate) fn read(root: &Mapping, field: Option<Field<'_>>, report: &mut Report) -> Defaults {
    let mut defaults = match field {
        Some(field) => read_default(field, report),
        None => Defaults::default(),
    };
    let in_default = field.and_then(|field| field.node.as_mapping());
    for (name, target) in [
        ("before_script", &mut defaults.before_script),
        ("after_script", &mut defaults.after_script),
    ] {
        let Some(field) = crate::entry::field(root, name) else {
            continue;
        };
        if in_default.is_some_and(|mapping| crate::entry::field(mapping, name).is_some()) {
            let message = format!("{name} is defined in top-level and `default:` entry");
            report.error(Diagnostic::at(field.position, message));
        }
        *target = script::read(field, &Location::root(name), report);
    }
    defaults
}

fn read_default(field: Field<'_>, report: &mut Report) -> Defaults {
    let location = Location::root("default");
    let Some(mapping) = field.node.as_mapping() else {
        report.invalid(field.position, &location, "config should be a hash");
        return Defaults::default();
    };
    let entry = Entry {
        location: &location,
        mapping,
        position: field.position,
    };
    if !entry.check_keys(&keywords::DEFAULT, report) {
        return Defaults::default();
    }
    let scripts = |name: &str, report: &mut Report| {
        script::read(entry.get(name)?, &location.child(name), report)
    };
    Defaults {
        before_script: scripts("before_script", report),
        after_script: scripts("after_script", report),
        artifacts: entry
            .get("artifacts")
            .and_then(|field| artifacts::read(field, &location.child("artifacts"), report)),
        tags: entry
            .get("tags")
            .and_then(|field| tags::read(field, &location.child("tags"), report)),
        retry: entry
            .get("retry")
            .and_then(|field| retry::read(field, report)),
        timeout_s: entry
            .get("timeout")
            .and_then(|field| timeout::read(field, &location.child("timeout"), report)),
    }
}
