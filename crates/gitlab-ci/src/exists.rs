//! `exists` of a rule: whether a commit holds certain files (GitLab:
//! `entry/rules/rule/exists.rb`, `build/rules/rule/clause/exists.rb`).

use crate::changes::{any_fits, expanded, few};
use crate::entry::{Entry, Field, strings};
use crate::keywords;
use crate::plan::Context;
use crate::validation::{Location, Report};

/// `exists` of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Exists {
    paths: Vec<String>,
}

/// Reads it; `location` is that of `exists`.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Exists> {
    let node = field.node;
    let (paths, name) = if let Some(path) = node.as_str() {
        (vec![path.to_owned()], "config")
    } else if node.as_sequence().is_some() {
        let paths = strings(node);
        if paths.is_none() {
            let text = "config should be an array of strings";
            report.invalid(field.position, location, text);
        }
        (paths?, "config")
    } else if let Some(mapping) = node.as_mapping() {
        let entry = Entry {
            location,
            mapping,
            position: field.position,
        };
        if !entry.check_keys(&keywords::EXISTS, report) {
            return None;
        }
        if !mapping.contains_key("paths") {
            entry.invalid(report, "config missing required keys: paths");
            return None;
        }
        (entry.strings("paths", report).unwrap_or_default(), "paths")
    } else {
        let text = "should be a string, an array of strings, or a hash";
        report.invalid(field.position, location, text);
        return None;
    };
    let paths = few(paths, field, name, location, report)?;
    Some(Exists { paths })
}

impl Exists {
    /// Whether the commit holds one of the files.
    pub(crate) fn holds(
        &self,
        context: &Context<'_>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> bool {
        if self.paths.is_empty() {
            return false;
        }
        let Some(files) = (context.files)() else {
            return true;
        };
        let wanted = self.paths.iter().map(|path| expanded(path, lookup));
        let (exact, patterns): (Vec<String>, Vec<String>) =
            wanted.partition(|path| !path.contains(['*', '?', '[', '{']));
        let is_there = |path: &String| match path.ends_with('/') {
            true => files.iter().any(|file| file.starts_with(path.as_str())),
            false => files.iter().any(|file| file == path),
        };
        exact.iter().any(is_there) || fits_one_by_one(&patterns, &files)
    }
}

/// Endings such as `**/*.rb` count no comparisons, as in GitLab.
fn fits_one_by_one(patterns: &[String], files: &[String]) -> bool {
    let (endings, patterns): (Vec<&String>, Vec<&String>) = patterns
        .iter()
        .partition(|pattern| ending(pattern).is_some());
    let has_ending = |pattern: &&String| {
        ending(pattern).is_some_and(|ending| files.iter().any(|file| file.ends_with(ending)))
    };
    let patterns: Vec<String> = patterns.into_iter().cloned().collect();
    endings.iter().any(has_ending) || any_fits(&patterns, files)
}

/// `.rb` of `**/*.rb`.
fn ending(pattern: &str) -> Option<&str> {
    let rest = pattern.strip_prefix("**/*")?;
    let is_plain = rest.starts_with('.') && !rest.contains(['/', '*', '?', '[', '{']);
    is_plain.then_some(rest)
}
