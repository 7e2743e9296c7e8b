//! `artifacts`: files that a job leaves behind (GitLab: `entry/artifacts.rb`).

use tappet_model::plan::{ArtifactSpec, ArtifactWhen, ReportKind, ReportSpec};
use tappet_yaml::Node;

use crate::duration;
use crate::entry::{Entry, Field, strings};
use crate::keywords;
use crate::validation::{Location, Report};

/// The whole keyword; `location` is that of `artifacts`.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<ArtifactSpec> {
    let Some(mapping) = field.node.as_mapping() else {
        report.invalid(field.position, location, "config should be a hash");
        return None;
    };
    let entry = Entry {
        location,
        mapping,
        position: field.position,
    };
    entry.check_keys(&keywords::ARTIFACTS, report);
    Some(ArtifactSpec {
        name: entry.string("name", report),
        paths: entry.strings("paths", report).unwrap_or_default(),
        exclude: entry.strings("exclude", report).unwrap_or_default(),
        untracked: entry.boolean("untracked", report).unwrap_or_default(),
        when: when(&entry, report),
        expire_in: expire_in(&entry, report),
        reports: entry
            .get("reports")
            .map(|field| reports(field, &location.child("reports"), report))
            .unwrap_or_default(),
    })
}

/// In the order of the file (GitLab: `entry/reports.rb`).
fn reports(field: Field<'_>, location: &Location<'_>, report: &mut Report) -> Vec<ReportSpec> {
    let Some(mapping) = field.node.as_mapping() else {
        report.invalid(field.position, location, "config should be a hash");
        return Vec::new();
    };
    let entry = Entry {
        location,
        mapping,
        position: field.position,
    };
    entry.check_keys(&keywords::REPORTS, report);
    let kinds = mapping
        .iter()
        .filter_map(|(key, _)| match key.text.as_str() {
            "junit" => Some(ReportKind::Junit),
            "dotenv" => Some(ReportKind::Dotenv),
            _ => None,
        });
    kinds
        .filter_map(|kind| {
            let paths = entry.read(
                kind.as_str(),
                "should be an array of strings or a string",
                report,
                one_or_more,
            )?;
            (!paths.is_empty()).then_some(ReportSpec { kind, paths })
        })
        .collect()
}

fn one_or_more(node: &Node) -> Option<Vec<String>> {
    match node.as_str() {
        Some(text) => Some(vec![text.to_owned()]),
        None => strings(node),
    }
}

fn when(entry: &Entry<'_>, report: &mut Report) -> ArtifactWhen {
    match entry.one_of("when", &["on_success", "on_failure", "always"], report) {
        Some("on_failure") => ArtifactWhen::OnFailure,
        Some("always") => ArtifactWhen::Always,
        _ => ArtifactWhen::OnSuccess,
    }
}

fn expire_in(entry: &Entry<'_>, report: &mut Report) -> Option<String> {
    let field = entry.get("expire_in")?;
    let text = field
        .node
        .as_str()
        .filter(|text| text.eq_ignore_ascii_case("never") || duration::parse(text).is_some());
    if text.is_none() {
        entry.invalid_key(report, field.position, "expire_in", "should be a duration");
    }
    text.map(str::to_owned)
}
