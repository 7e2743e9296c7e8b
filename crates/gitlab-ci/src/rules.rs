//! `rules` of a job and of `workflow:`: the first rule whose condition holds
//! decides (GitLab: `entry/rules.rb`, `entry/rules/rule.rb`).

use tappet_model::Variable;
use tappet_model::plan::When;
use tappet_yaml::Node;

use crate::clauses::{self, Clauses};
use crate::entry::{Entry, Field};
use crate::keywords::{self, Keys};
use crate::needs::{self, Need};
use crate::script::{MAX_NESTING, flatten};
use crate::start_in;
use crate::validation::{Location, Report};
use crate::variables::{self, Place};

/// One rule as written.
pub(crate) struct Rule {
    pub(crate) clauses: Clauses,
    /// None: that of the job, or `always` for a workflow.
    pub(crate) when: Option<RuleWhen>,
    pub(crate) allow_failure: Option<bool>,
    pub(crate) variables: Vec<Variable>,
    /// None: those of the job.
    pub(crate) needs: Option<Vec<Need>>,
}

/// `when` of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RuleWhen {
    /// The job or pipeline is left out.
    Never,
    /// It is in.
    Run(When),
}

/// Whose rules are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Job,
    Workflow,
}

impl Owner {
    fn keys(self) -> &'static Keys {
        match self {
            Owner::Job => &keywords::JOB_RULE,
            Owner::Workflow => &keywords::WORKFLOW_RULE,
        }
    }
}

/// The maps of a list of maps and lists; none when something else is in it or
/// it is nested too deep.
pub(crate) fn flat_rules(node: &Node) -> Option<Vec<&Node>> {
    let mut rules = Vec::new();
    node.as_sequence()?;
    flatten(node, MAX_NESTING, &mut |leaf| {
        leaf.as_mapping()?;
        rules.push(leaf);
        Some(())
    })?;
    Some(rules)
}

/// The rules in order; `location` is that of `rules`.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    owner: Owner,
    report: &mut Report,
) -> Vec<Rule> {
    let Some(nodes) = flat_rules(field.node) else {
        let text = "config should be an array containing hashes and arrays of hashes";
        report.invalid(field.position, location, text);
        return Vec::new();
    };
    if nodes.is_empty() {
        report.invalid(field.position, location, "config can't be blank");
    }
    let location = location.child("rule");
    nodes
        .into_iter()
        .filter_map(|node| {
            let entry = Entry {
                location: &location,
                mapping: node.as_mapping()?,
                position: node.position,
            };
            Some(rule(&entry, owner, report))
        })
        .collect()
}

fn rule(entry: &Entry<'_>, owner: Owner, report: &mut Report) -> Rule {
    if entry.mapping.is_empty() {
        entry.invalid(report, "config can't be blank");
    }
    entry.check_keys(owner.keys(), report);
    let mut rule = Rule {
        clauses: clauses::read(entry, report),
        when: when(entry, owner, report),
        allow_failure: entry.boolean("allow_failure", report),
        variables: Vec::new(),
        needs: None,
    };
    if let Some(field) = entry.get("start_in")
        && !is_delayed(entry)
    {
        let text = "config contains disallowed keys: start_in";
        report.invalid(field.position, entry.location, text);
    }
    if let Some(field) = entry.get("variables") {
        let location = entry.location.child("variables");
        rule.variables = variables::read(field, &location, Place::Rule, report);
    }
    if let Some(field) = entry.get("needs") {
        rule.needs = needs::read(field, &entry.location.child("needs"), report);
    }
    rule
}

fn is_delayed(entry: &Entry<'_>) -> bool {
    entry.get("when").and_then(|field| field.node.as_str()) == Some("delayed")
}

fn when(entry: &Entry<'_>, owner: Owner, report: &mut Report) -> Option<RuleWhen> {
    let field = entry.get("when")?;
    let word = field.node.to_text();
    match (word.as_deref(), owner) {
        (Some("never"), _) => return Some(RuleWhen::Never),
        (Some("always"), _) => return Some(RuleWhen::Run(When::Always)),
        (Some("on_success"), Owner::Job) => return Some(RuleWhen::Run(When::OnSuccess)),
        (Some("on_failure"), Owner::Job) => return Some(RuleWhen::Run(When::OnFailure)),
        (Some("manual"), Owner::Job) => return Some(RuleWhen::Run(When::Manual)),
        (Some("delayed"), Owner::Job) => {
            if entry.get("start_in").is_none() {
                entry.invalid_key(report, field.position, "start_in", "can't be blank");
                return None;
            }
            let start_in_s = start_in::read(entry, field.position, report)?;
            return Some(RuleWhen::Run(When::Delayed { start_in_s }));
        }
        _ => {
            let shown = word.unwrap_or_else(|| field.node.kind_name().to_owned());
            let text = format_args!("when unknown value: {shown}");
            report.invalid(field.position, entry.location, text);
        }
    }
    None
}
