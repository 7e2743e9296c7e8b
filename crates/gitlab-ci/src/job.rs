//! One job as written, checked on its own (GitLab: `entry/job.rb`,
//! `entry/processable.rb`).
//!
//! What a job says about other jobs is checked in [`graph`](crate::graph), and
//! what it takes from `default:` is added in [`compile`](crate::compile).

use tappet_model::plan::{AllowFailure, ArtifactSpec, RetryPolicy, When};
use tappet_model::{Position, Variable};
use tappet_yaml::{Key, KeyKind, Mapping, Node};

use crate::entry::{Entry, strings};
use crate::environment::{self, Declared};
use crate::inherit::{self, Inherit};
use crate::needs::{self, Need};
use crate::only::{self, Policy};
use crate::rules::{self, Owner, Rule};
use crate::validation::{Location, Report};
use crate::variables::{self, Place};
use crate::{
    allow_failure, artifacts, coverage, keywords, retry, script, stages, start_in, tags, timeout,
};

/// The longest job name, in characters.
const MAX_NAME: usize = 255;

const WHEN: &[&str] = &["on_success", "on_failure", "always", "manual", "delayed"];

const MULTIPLE_PIPELINES: &str = "may allow multiple pipelines to run for a single action due to \
     `rules:when` clause with no `workflow:rules` - read more: \
     https://docs.gitlab.com/ci/debugging/#pipeline-warnings";

/// A job of the file.
pub(crate) struct Job {
    pub(crate) name: String,
    /// Where its name stands.
    pub(crate) position: Position,
    pub(crate) stage: String,
    pub(crate) stage_position: Position,
    pub(crate) inclusion: Inclusion,
    pub(crate) when: When,
    pub(crate) allow_failure: AllowFailure,
    pub(crate) needs: Option<Vec<Need>>,
    pub(crate) dependencies: Option<Dependencies>,
    pub(crate) inherit: Inherit,
    pub(crate) variables: Vec<Variable>,
    pub(crate) script: Vec<String>,
    pub(crate) before_script: Option<Vec<String>>,
    pub(crate) after_script: Option<Vec<String>>,
    pub(crate) artifacts: Option<ArtifactSpec>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeout_s: Option<u64>,
    pub(crate) environment: Option<Declared>,
    pub(crate) coverage: Option<String>,
}

/// `dependencies`: whose artifacts a job wants.
pub(crate) struct Dependencies {
    pub(crate) names: Vec<String>,
    pub(crate) position: Position,
}

/// What decides whether a job is part of a pipeline.
pub(crate) enum Inclusion {
    /// Its rules.
    Rules(Vec<Rule>),
    /// `only` and `except`; with neither it is always part.
    Policies {
        only: Option<Policy>,
        except: Option<Policy>,
    },
}

/// What an entry of the root that is no keyword is.
pub(crate) enum Kind {
    Hidden,
    Job,
    /// A job that starts another pipeline.
    Bridge,
    Unknown,
}

/// Tells jobs from other entries.
pub(crate) fn kind(name: &str, node: &Node) -> Kind {
    if name.starts_with('.') {
        return Kind::Hidden;
    }
    let has = |key: &str| node.as_mapping().is_some_and(|map| map.contains_key(key));
    if has("script") || has("run") {
        Kind::Job
    } else if has("trigger") || has("needs") {
        Kind::Bridge
    } else {
        Kind::Unknown
    }
}

/// Reads one job. None when GitLab would not look into its keys any further;
/// the report then says why.
pub(crate) fn read(
    key: &Key,
    mapping: &Mapping,
    workflow_has_rules: bool,
    report: &mut Report,
) -> Option<Job> {
    let jobs = Location::root("jobs");
    let name = if key.text.is_empty() {
        "job"
    } else {
        &key.text
    };
    let location = jobs.child(name);
    let entry = Entry {
        location: &location,
        mapping,
        position: key.position,
    };
    let is_valid = [
        entry.check_keys(&keywords::JOB, report),
        check_name(&entry, key, report),
        check_script(&entry, report),
        check_shapes(&entry, report),
    ];
    let when = when(&entry, report);
    let rules_fit = check_rules(&entry, report);
    if is_valid.contains(&false) || !rules_fit {
        return None;
    }
    Some(job(&entry, key, when?, workflow_has_rules, report))
}

/// A map with `trigger` or `needs` and no script: none of them works yet.
pub(crate) fn refuse_bridge(key: &Key, mapping: &Mapping, report: &mut Report) {
    let jobs = Location::root("jobs");
    let location = jobs.child(&key.text);
    let entry = Entry {
        location: &location,
        mapping,
        position: key.position,
    };
    if let Some(trigger) = entry.get("trigger") {
        report.unsupported(trigger.position, Some(&location), "trigger");
        return;
    }
    let upstream = entry
        .get("needs")
        .and_then(|needs| needs.node.as_mapping()?.key("pipeline"));
    match upstream {
        Some(key) => report.unsupported(key.position, Some(&location), "needs:pipeline"),
        None => entry.invalid(
            report,
            "config should contain either a trigger or a needs:pipeline",
        ),
    }
}

fn check_name(entry: &Entry<'_>, key: &Key, report: &mut Report) -> bool {
    let wrong = if key.text.trim().is_empty() {
        "name can't be blank".to_owned()
    } else if !matches!(key.kind, KeyKind::String | KeyKind::Symbol) {
        "name should be a symbol".to_owned()
    } else if key.text.chars().count() > MAX_NAME {
        format!("name is too long (maximum is {MAX_NAME} characters)")
    } else {
        return true;
    };
    entry.invalid(report, wrong);
    false
}

fn check_script(entry: &Entry<'_>, report: &mut Report) -> bool {
    if entry.mapping.contains_key("run") && !entry.mapping.contains_key("script") {
        return true;
    }
    if entry.get("trigger").is_some() {
        let text = "config these keys cannot be used together: script, trigger";
        entry.invalid(report, text);
        return false;
    }
    let is_blank = match entry.get("script") {
        None => true,
        Some(field) => {
            let node = field.node;
            node.as_str().is_some_and(|text| text.trim().is_empty())
                || node.as_sequence().is_some_and(<[Node]>::is_empty)
                || node.as_mapping().is_some_and(Mapping::is_empty)
                || node.as_bool() == Some(false)
        }
    };
    if is_blank {
        let position = entry
            .mapping
            .key("script")
            .map_or(entry.position, |key| key.position);
        entry.invalid_key(report, position, "script", "can't be blank");
    }
    !is_blank
}

/// The types of keys that GitLab checks before it looks inside.
fn check_shapes(entry: &Entry<'_>, report: &mut Report) -> bool {
    let mut is_valid = true;
    let mut check = |name: &str, text: &str, fits: &dyn Fn(&Node) -> bool| {
        if let Some(field) = entry.get(name)
            && !fits(field.node)
        {
            entry.invalid_key(report, field.position, name, text);
            is_valid = false;
        }
    };
    check(
        "extends",
        "should be an array of strings or a string",
        &|node| node.as_str().is_some() || strings(node).is_some(),
    );
    check("dependencies", "should be an array of strings", &|node| {
        strings(node).is_some()
    });
    check(
        "allow_failure",
        "should be a hash or a boolean value",
        &|node| node.as_bool().is_some() || node.as_mapping().is_some(),
    );
    check(
        "rules",
        "should be an array containing hashes and arrays of hashes",
        &|node| rules::flat_rules(node).is_some(),
    );
    is_valid
}

/// When the job starts; none when `when` or `start_in` is wrong.
fn when(entry: &Entry<'_>, report: &mut Report) -> Option<When> {
    let written = entry.get("when");
    let word = entry.one_of("when", WHEN, report);
    let when = match (word, written) {
        (Some("on_failure"), _) => Some(When::OnFailure),
        (Some("always"), _) => Some(When::Always),
        (Some("manual"), _) => Some(When::Manual),
        (Some("delayed"), Some(field)) => start_in::read(entry, field.position, report)
            .map(|start_in_s| When::Delayed { start_in_s }),
        (Some(_), _) | (None, None) => Some(When::OnSuccess),
        (None, Some(_)) => None,
    };
    // With rules the delay belongs into the rule.
    let has_delay = word == Some("delayed") && entry.get("rules").is_none();
    match entry.get("start_in") {
        Some(field) if !has_delay => {
            entry.invalid_key(report, field.position, "start_in", "must be blank");
            None
        }
        _ => when,
    }
}

fn check_rules(entry: &Entry<'_>, report: &mut Report) -> bool {
    if entry.get("rules").is_none() {
        return true;
    }
    let excluded: Vec<_> = ["only", "except", "start_in"]
        .into_iter()
        .filter_map(|name| Some((name, entry.get(name)?.position)))
        .collect();
    let Some((_, position)) = excluded.first() else {
        return true;
    };
    let names: Vec<&str> = excluded.iter().map(|(name, _)| *name).collect();
    let text = format!(
        "config key may not be used with `rules`: {}",
        names.join(", ")
    );
    report.invalid(*position, entry.location, text);
    false
}

fn job(
    entry: &Entry<'_>,
    key: &Key,
    when: When,
    workflow_has_rules: bool,
    report: &mut Report,
) -> Job {
    let location = entry.location;
    let (stage, stage_position) = stage(entry, report);
    let commands = |name: &str, report: &mut Report| {
        script::read(entry.get(name)?, &location.child(name), report)
    };
    let script = commands("script", report).unwrap_or_default();
    let before_script = commands("before_script", report);
    let after_script = commands("after_script", report);
    let needs = entry
        .get("needs")
        .and_then(|field| needs::read(field, &location.child("needs"), report));
    let dependencies = entry.get("dependencies").and_then(|field| {
        Some(Dependencies {
            names: strings(field.node)?,
            position: field.position,
        })
    });
    check_dependencies_are_needed(entry, dependencies.as_ref(), needs.as_deref(), report);
    Job {
        name: key.text.clone(),
        position: key.position,
        stage,
        stage_position,
        inclusion: inclusion(entry, workflow_has_rules, report),
        when,
        allow_failure: allow_failure(entry, when, report),
        needs,
        dependencies,
        inherit: entry
            .get("inherit")
            .map(|field| inherit::read(field, &location.child("inherit"), report))
            .unwrap_or_default(),
        variables: entry
            .get("variables")
            .map(|field| variables::read(field, &location.child("variables"), Place::Job, report))
            .unwrap_or_default(),
        script,
        before_script,
        after_script,
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
        environment: entry
            .get("environment")
            .and_then(|field| environment::read(field, &location.child("environment"), report)),
        coverage: entry
            .get("coverage")
            .and_then(|field| coverage::read(field, &location.child("coverage"), report)),
    }
}

fn stage(entry: &Entry<'_>, report: &mut Report) -> (String, Position) {
    let Some(field) = entry.get("stage") else {
        return (stages::OF_JOBS.to_owned(), entry.position);
    };
    let name = field.node.as_str();
    if name.is_none() {
        let location = entry.location.child("stage");
        report.invalid(field.position, &location, "config should be a string");
    }
    (name.unwrap_or_default().to_owned(), field.position)
}

/// What the job says; without a word a manual job may fail.
fn allow_failure(entry: &Entry<'_>, when: When, report: &mut Report) -> AllowFailure {
    let location = entry.location.child("allow_failure");
    entry
        .get("allow_failure")
        .and_then(|field| allow_failure::read(field, &location, report))
        .unwrap_or_else(|| allow_failure::of(when == When::Manual))
}

fn inclusion(entry: &Entry<'_>, workflow_has_rules: bool, report: &mut Report) -> Inclusion {
    if let Some(field) = entry.get("rules") {
        let location = entry.location.child("rules");
        let rules = rules::read(field, &location, Owner::Job, report);
        if !workflow_has_rules {
            warn_about_last_rule(entry, field.node, report);
        }
        return Inclusion::Rules(rules);
    }
    let policy = |name: &str, report: &mut Report| {
        only::read(entry.get(name)?, &entry.location.child(name), report)
    };
    let except = policy("except", report);
    let only = match policy("only", report) {
        None if workflow_has_rules => None,
        None => Some(Policy {
            is_default: except.is_none(),
            ..only::default_only()
        }),
        Some(policy) => Some(Policy {
            refs: Some(policy.refs.unwrap_or_else(only::default_refs)),
            ..policy
        }),
    };
    Inclusion::Policies { only, except }
}

fn warn_about_last_rule(entry: &Entry<'_>, rules: &Node, report: &mut Report) {
    let rules = rules::flat_rules(rules).unwrap_or_default();
    let Some(rule) = rules.last().and_then(|rule| rule.as_mapping()) else {
        return;
    };
    let Some(key) = rule.key("when").filter(|_| rule.len() == 1) else {
        return;
    };
    if rule.get("when").and_then(Node::as_str) != Some("never") {
        let message = format!("{} {MULTIPLE_PIPELINES}", entry.location);
        report.warn(key.position, message);
    }
}

fn check_dependencies_are_needed(
    entry: &Entry<'_>,
    dependencies: Option<&Dependencies>,
    needs: Option<&[Need]>,
    report: &mut Report,
) {
    let (Some(dependencies), Some(needs)) = (dependencies, needs) else {
        return;
    };
    if needs.is_empty() {
        return;
    }
    let missing: Vec<&str> = dependencies
        .names
        .iter()
        .map(String::as_str)
        .filter(|name| !needs.iter().any(|need| need.job == *name))
        .collect();
    if !missing.is_empty() {
        let text = format!("the {} should be part of needs", missing.join(", "));
        entry.invalid_key(report, dependencies.position, "dependencies", &text);
    }
}
