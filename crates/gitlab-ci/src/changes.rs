//! `changes`: whether a pipeline changes certain files (GitLab:
//! `entry/rules/rule/changes.rb`, `build/rules/rule/clause/changes.rb`,
//! `build/policy/changes.rb`).

use std::sync::Arc;

use tappet_yaml::Mapping;

use crate::entry::{Entry, Field, strings};
use crate::expansion::expand_existing;
use crate::fnmatch::Pattern;
use crate::keywords;
use crate::plan::Context;
use crate::validation::{Location, Report};

/// The most patterns of one rule.
const MAX_PATTERNS: usize = 50;

/// More comparisons than these are not made: then the pattern counts as fitting.
const MAX_COMPARISONS: usize = 50_000;

/// Variables in variables go no deeper in a rule.
const MAX_DEPTH: usize = 8;

/// What a pipeline changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    /// These files, by their paths from the root of the repository.
    Paths(Arc<[String]>),
    /// There is nothing to compare with, or too much changed to tell: everything
    /// counts as changed.
    Unknown,
    /// `compare_to` names no commit.
    NoSuchRef,
}

/// `compare_to` names no commit, in GitLab's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("rules:changes:compare_to is not a valid ref")]
pub(crate) struct InvalidCompareTo;

/// `changes` of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    paths: Vec<String>,
    compare_to: Option<String>,
}

/// Reads it; `location` is that of `changes`.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Changes> {
    if field.node.as_sequence().is_some() {
        let paths = strings(field.node);
        if paths.is_none() {
            let text = "config should be an array of strings";
            report.invalid(field.position, location, text);
        }
        let paths = few(paths?, field, "config", location, report)?;
        return Some(Changes {
            paths,
            compare_to: None,
        });
    }
    match field.node.as_mapping() {
        Some(mapping) => compared(mapping, field, location, report),
        None => {
            let text = "should be an array or a hash";
            report.invalid(field.position, location, text);
            None
        }
    }
}

fn compared(
    mapping: &Mapping,
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Changes> {
    let entry = Entry {
        location,
        mapping,
        position: field.position,
    };
    if !entry.check_keys(&keywords::CHANGES, report) {
        return None;
    }
    if entry.get("paths").is_none() && entry.get("regexp").is_none() {
        let text = "should be an array of strings";
        entry.invalid_key(report, field.position, "paths", text);
    }
    let paths = entry.strings("paths", report)?;
    Some(Changes {
        paths: few(paths, field, "paths", location, report)?,
        compare_to: entry.string("compare_to", report),
    })
}

/// The patterns, unless there are too many.
pub(crate) fn few(
    patterns: Vec<String>,
    field: Field<'_>,
    name: &str,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Vec<String>> {
    if patterns.len() > MAX_PATTERNS {
        let text = format_args!("{name} has too many entries (maximum {MAX_PATTERNS})");
        report.invalid(field.position, location, text);
        return None;
    }
    Some(patterns)
}

impl Changes {
    /// Whether the pipeline changes a file that a pattern fits.
    pub(crate) fn hold(
        &self,
        context: &Context<'_>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, InvalidCompareTo> {
        let compare_to = self.compare_to.as_deref();
        let compare_to = compare_to.map(|text| expanded(text, lookup));
        let paths = match (context.changed)(compare_to.as_deref()) {
            Changed::NoSuchRef => return Err(InvalidCompareTo),
            Changed::Unknown => return Ok(true),
            Changed::Paths(paths) => paths,
        };
        let patterns: Vec<String> = self
            .paths
            .iter()
            .map(|pattern| expanded(pattern, lookup))
            .collect();
        Ok(any_fits(&patterns, &paths))
    }
}

/// `changes` of `only` and `except`, whose patterns know no variables.
pub(crate) fn policy_holds(patterns: &[String], context: &Context<'_>) -> bool {
    match (context.changed)(None) {
        Changed::Paths(paths) => any_fits(patterns, &paths),
        Changed::Unknown | Changed::NoSuchRef => true,
    }
}

/// A text of a rule with its variables, and those in their values.
pub(crate) fn expanded(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    nested(text, lookup, MAX_DEPTH)
}

fn nested(text: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: usize) -> String {
    let value = |name: &str| {
        let value = lookup(name)?;
        Some(match depth {
            0 => value,
            _ => nested(&value, lookup, depth - 1),
        })
    };
    if text.contains(['$', '%']) {
        expand_existing(text, &value)
    } else {
        text.to_owned()
    }
}

/// Whether one of the patterns fits one of the paths.
pub(crate) fn any_fits(patterns: &[String], paths: &[String]) -> bool {
    if patterns.is_empty() || paths.is_empty() {
        return false;
    }
    if patterns.len().saturating_mul(paths.len()) > MAX_COMPARISONS {
        return true;
    }
    let read: Option<Vec<Pattern>> = patterns.iter().map(|text| Pattern::new(text)).collect();
    let Some(patterns) = read else {
        return true;
    };
    paths.iter().any(|path| {
        let path: Vec<char> = path.chars().collect();
        patterns.iter().any(|pattern| pattern.matches(&path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_of_comparisons_a_pattern_counts_as_fitting() {
        let patterns = vec!["nothing".to_owned(); 50];
        let paths = vec!["a".to_owned(); 1_000];
        assert!(!any_fits(&patterns, &paths));
        let paths = vec!["a".to_owned(); 1_001];
        assert!(any_fits(&patterns, &paths));
    }

    #[test]
    fn variables_in_circles_come_to_an_end() {
        let lookup = |name: &str| (name == "A").then(|| "x$A".to_owned());
        assert_eq!(expanded("$A/b", &lookup), format!("{}$A/b", "x".repeat(9)));
    }
}
