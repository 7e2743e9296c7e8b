//! `environment` of a job (GitLab: `entry/environment.rb`).
//!
//! The name decides which variables of the settings the job gets. Tappet keeps
//! no list of environments, so what would only stop one is accepted with a
//! warning.

use tappet_model::environment::has_name_characters;
use tappet_model::{DeploymentTier, Environment, EnvironmentAction, Position};

use crate::entry::{Entry, Field};
use crate::keywords;
use crate::validation::{Location, Report};

const NAME_CHARACTERS: &str = "can contain only letters, digits, '-', '_', '/', '$', '{', '}', \
     '.', and spaces, but it cannot start or end with '/'";

/// The longest `url` as written, in characters.
const MAX_URL: usize = 255;

/// What a job says about its environment.
pub(crate) struct Declared {
    /// With the name as written.
    pub(crate) environment: Environment,
    /// The job that would stop it, and where that is said.
    pub(crate) on_stop: Option<(String, Position)>,
}

/// The whole keyword; `location` is that of `environment`.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Declared> {
    if let Some(name) = field.node.as_str() {
        check_name(Some(name), field.position, location, report)?;
        return Some(Declared {
            environment: Environment {
                name: name.to_owned(),
                url: None,
                action: EnvironmentAction::default(),
                written_tier: None,
            },
            on_stop: None,
        });
    }
    let Some(mapping) = field.node.as_mapping() else {
        let text = "config should be a hash or a string";
        report.invalid(field.position, location, text);
        return None;
    };
    let entry = Entry {
        location,
        mapping,
        position: field.position,
    };
    entry.check_keys(&keywords::ENVIRONMENT, report);
    let name = name(&entry, report);
    let url = url(&entry, report);
    let action = action(&entry, report);
    let written_tier = tier(&entry, report);
    let on_stop = entry.string("on_stop", report).zip(entry.get("on_stop"));
    if let Some((job, field)) = &on_stop {
        let how = format!("by itself; run the job {job} instead");
        warn_of_no_effect("on_stop", &how, *field, location, report);
    }
    let expiry = entry.string("auto_stop_in", report);
    if let Some((_, field)) = expiry.zip(entry.get("auto_stop_in")) {
        warn_of_no_effect("auto_stop_in", "by itself", field, location, report);
    }
    Some(Declared {
        environment: Environment {
            name: name?,
            url,
            action,
            written_tier,
        },
        on_stop: on_stop.map(|(job, field)| (job, field.position)),
    })
}

fn warn_of_no_effect(
    key: &str,
    how: &str,
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) {
    let message = format!("{location} `{key}` has no effect: Tappet stops no environment {how}");
    report.warn(field.position, message);
}

fn name(entry: &Entry<'_>, report: &mut Report) -> Option<String> {
    let field = entry.get("name");
    let position = field.map_or(entry.position, |field| field.position);
    // GitLab looks at the characters of whatever is there, a number as well.
    if let Some(field) = field
        && field.node.as_str().is_none()
    {
        entry.invalid_key(report, position, "name", NAME_CHARACTERS);
        return None;
    }
    let name = field.and_then(|field| field.node.as_str());
    check_name(name, position, entry.location, report)?;
    name.map(str::to_owned)
}

fn check_name(
    name: Option<&str>,
    position: Position,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<()> {
    let name = name.unwrap_or_default();
    let is_blank = name.trim().is_empty();
    if is_blank {
        report.invalid(position, location, "name can't be blank");
    }
    let is_allowed = has_name_characters(name);
    if !is_allowed {
        report.invalid(position, location, format_args!("name {NAME_CHARACTERS}"));
    }
    (!is_blank && is_allowed).then_some(())
}

fn url(entry: &Entry<'_>, report: &mut Report) -> Option<String> {
    let url = entry.string("url", report)?;
    if url.chars().count() > MAX_URL {
        let position = entry
            .get("url")
            .map_or(entry.position, |field| field.position);
        let text = format!("is too long (maximum is {MAX_URL} characters)");
        entry.invalid_key(report, position, "url", &text);
    }
    Some(url)
}

fn action(entry: &Entry<'_>, report: &mut Report) -> EnvironmentAction {
    let expected = "should be start, stop, prepare, verify, or access";
    let action = entry.read("action", expected, report, |node| {
        let word = node.as_str()?;
        let mut all = EnvironmentAction::ALL.into_iter();
        all.find(|action| action.as_str() == word)
    });
    action.unwrap_or_default()
}

fn tier(entry: &Entry<'_>, report: &mut Report) -> Option<DeploymentTier> {
    let words = DeploymentTier::ALL.map(DeploymentTier::as_str).join(", ");
    let expected = format!("must be one of {words}");
    entry.read("deployment_tier", &expected, report, |node| {
        let word = node.as_str()?;
        let mut all = DeploymentTier::ALL.into_iter();
        all.find(|tier| tier.as_str() == word)
    })
}
