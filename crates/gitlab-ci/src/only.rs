//! `only` and `except`: the older way to say for which refs and sources a job
//! is made (GitLab: `entry/policy.rb`, `build/policy/*.rb`).

use regex::Regex;
use tappet_model::{RefKind, Source};
use tappet_yaml::Node;

use crate::changes;
use crate::entry::{Entry, Field};
use crate::expression::{Expression, compile, delimited};
use crate::keywords;
use crate::plan::Context;
use crate::validation::{Location, Report};

/// The clauses of one `only` or `except`.
pub(crate) struct Policy {
    pub(crate) refs: Option<Vec<RefPattern>>,
    pub(crate) variables: Option<Vec<Expression>>,
    pub(crate) changes: Option<Vec<String>>,
    /// The job says nothing; this is what GitLab takes it to mean.
    pub(crate) is_default: bool,
}

/// One entry of `refs`: `pattern` or `pattern@project/path`.
pub(crate) struct RefPattern {
    text: String,
    /// The length of the part before the first `@`.
    pattern_length: usize,
    regex: Option<Regex>,
}

/// What `only` says when a job has no rules of any kind.
pub(crate) fn default_only() -> Policy {
    Policy {
        refs: Some(default_refs()),
        variables: None,
        changes: None,
        is_default: true,
    }
}

/// The refs of an `only` that names none.
pub(crate) fn default_refs() -> Vec<RefPattern> {
    ["branches", "tags"].map(RefPattern::word).into()
}

/// The whole keyword; `location` is that of `only` or `except`.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Policy> {
    if field.node.as_sequence().is_some() {
        let refs = refs(field.node);
        if refs.is_none() {
            let text = format_args!("config {REFS_EXPECTED}");
            report.invalid(field.position, location, text);
        }
        return Some(Policy {
            refs,
            variables: None,
            changes: None,
            is_default: false,
        });
    }
    let Some(mapping) = field.node.as_mapping() else {
        let text = "has to be either an array of conditions or a hash";
        report.invalid(field.position, location, text);
        return None;
    };
    let entry = Entry {
        location,
        mapping,
        position: field.position,
    };
    if mapping.is_empty() {
        entry.invalid(report, "config can't be blank");
    }
    entry.check_keys(&keywords::POLICY, report);
    let ref_patterns = entry.get("refs").map(|field| {
        let patterns = refs(field.node);
        if patterns.is_none() {
            entry.invalid_key(report, field.position, "refs", REFS_EXPECTED);
        }
        patterns.unwrap_or_default()
    });
    Some(Policy {
        refs: ref_patterns,
        variables: conditions(&entry, report),
        changes: entry.strings("changes", report),
        is_default: false,
    })
}

const REFS_EXPECTED: &str = "should be an array of strings or regular expressions using re2 syntax";

fn refs(node: &Node) -> Option<Vec<RefPattern>> {
    let items = node.as_sequence()?.iter();
    items.map(|item| RefPattern::read(item.as_str()?)).collect()
}

fn conditions(entry: &Entry<'_>, report: &mut Report) -> Option<Vec<Expression>> {
    entry.strings("variables", report)?;
    let field = entry.get("variables")?;
    let items = field.node.as_sequence()?.iter();
    let read: Option<Vec<_>> = items.map(|item| report.conditions.read(item)).collect();
    if read.is_none() {
        let text = "invalid expression syntax";
        entry.invalid_key(report, field.position, "variables", text);
    }
    read
}

impl RefPattern {
    /// A text that GitLab accepts. It checks the text as a whole, but matches
    /// only the part before the first `@`.
    fn read(text: &str) -> Option<Self> {
        let pattern_length = text.find('@').unwrap_or(text.len());
        let regex = |text| delimited(text).map(|(body, flags)| compile(body, flags));
        let of_pattern = regex(&text[..pattern_length]);
        let of_whole = if pattern_length == text.len() {
            of_pattern.clone()
        } else {
            regex(text)
        };
        if matches!(of_whole, Some(None)) {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            pattern_length,
            regex: of_pattern.flatten(),
        })
    }

    fn word(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            pattern_length: text.len(),
            regex: None,
        }
    }

    fn matches(&self, context: &Context<'_>) -> bool {
        let (pattern, path) = self.text.split_at(self.pattern_length);
        let is_for_project = path.is_empty() || &path[1..] == context.project_path;
        is_for_project && self.matches_pattern(pattern, context)
    }

    fn matches_pattern(&self, pattern: &str, context: &Context<'_>) -> bool {
        if is_source_word(pattern, context.source) {
            return true;
        }
        if context.source == Source::MergeRequestEvent {
            return false;
        }
        let kind = match context.ref_kind {
            // GitLab 8, which ran commits by their id: whatever is no tag.
            RefKind::Branch | RefKind::Commit => "branches",
            RefKind::Tag => "tags",
            RefKind::PullRequest => return false,
        };
        if pattern == kind {
            return true;
        }
        match &self.regex {
            Some(regex) => regex.is_match(context.ref_name),
            None => pattern == context.ref_name,
        }
    }
}

/// The source's word without `_event`, or its English plural.
fn is_source_word(pattern: &str, source: Source) -> bool {
    let word = source.as_str();
    let word = word.strip_suffix("_event").unwrap_or(word);
    let plural = if word.ends_with("sh") { "es" } else { "s" };
    pattern
        .strip_prefix(word)
        .is_some_and(|rest| rest.is_empty() || rest == plural)
}

impl Policy {
    /// Why an `only` with these clauses keeps a job out; none when every clause
    /// is met.
    pub(crate) fn unmet(
        &self,
        context: &Context<'_>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Option<String> {
        if self.is_default && context.unspoken_jobs_join {
            return None;
        }
        if let Some(refs) = &self.refs
            && !refs.iter().any(|pattern| pattern.matches(context))
        {
            let place = describe(context);
            return Some(format!("only: {} does not match {place}", words(refs)));
        }
        if let Some(variables) = &self.variables
            && !variables.iter().any(|condition| condition.is_true(lookup))
        {
            return Some("only: no expression of variables is true".to_owned());
        }
        if let Some(patterns) = &self.changes
            && !changes::policy_holds(patterns, context)
        {
            return Some("only: no file of changes was changed".to_owned());
        }
        None
    }

    /// Why an `except` with these clauses keeps a job out; none when no clause
    /// is met.
    pub(crate) fn met(
        &self,
        context: &Context<'_>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Option<String> {
        if let Some(refs) = &self.refs
            && let Some(pattern) = refs.iter().find(|pattern| pattern.matches(context))
        {
            let place = describe(context);
            return Some(format!("except: {} matches {place}", pattern.text));
        }
        if let Some(variables) = &self.variables
            && variables.iter().any(|condition| condition.is_true(lookup))
        {
            return Some("except: an expression of variables is true".to_owned());
        }
        if let Some(patterns) = &self.changes
            && changes::policy_holds(patterns, context)
        {
            return Some("except: a file of changes was changed".to_owned());
        }
        None
    }
}

fn words(refs: &[RefPattern]) -> String {
    let texts: Vec<&str> = refs.iter().map(|pattern| pattern.text.as_str()).collect();
    if texts.is_empty() {
        return "[]".to_owned();
    }
    texts.join(", ")
}

fn describe(context: &Context<'_>) -> String {
    format!(
        "{} {} started by {}",
        context.ref_kind.as_str(),
        context.ref_name,
        context.source
    )
}
