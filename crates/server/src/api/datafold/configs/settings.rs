//! The settings of a CI config in a body of JSON.

use tappet_store::CiConfigSettings;

use crate::api::datafold::json::Json;
use crate::api::datafold::validation::{Checks, Fields, Problem};

/// Elements of a list, and characters of a text, that are read at all; what fits is
/// decided with all other settings.
const MOST: usize = 10_000;

const FIELDS: &[&str] = &[
    "name",
    "pipeline_files",
    "base_branch",
    "ignored_files",
    "label",
    "cancels_superseded",
    "status_name",
    "reports_jobs",
    "comments",
    "fails_check_on_errors",
    "expects_diffs",
];

/// Settings with what the fields say of them. Fields that are none are told.
pub fn read(
    checks: &mut Checks,
    fields: &Fields<'_>,
    mut settings: CiConfigSettings,
) -> CiConfigSettings {
    let texts = [
        ("name", &mut settings.name),
        ("status_name", &mut settings.status_name),
    ];
    for (name, setting) in texts {
        if let Some(value) = fields.get(name) {
            *setting = checks.text(fields.place(name), value, MOST);
        }
    }
    let optional = [
        ("base_branch", &mut settings.base_branch),
        ("label", &mut settings.label),
    ];
    for (name, setting) in optional {
        match fields.get(name) {
            Some(Json::Null) => *setting = None,
            Some(value) => *setting = Some(checks.text(fields.place(name), value, MOST)),
            None => {}
        }
    }
    let lists = [
        ("pipeline_files", &mut settings.pipeline_files),
        ("ignored_files", &mut settings.ignored_files),
    ];
    for (name, setting) in lists {
        if let Some(value) = fields.get(name) {
            *setting = checks.texts(&fields.place(name), value, MOST, MOST);
        }
    }
    let flags = [
        ("cancels_superseded", &mut settings.cancels_superseded),
        ("reports_jobs", &mut settings.reports_jobs),
        ("comments", &mut settings.comments),
        ("fails_check_on_errors", &mut settings.fails_check_on_errors),
        ("expects_diffs", &mut settings.expects_diffs),
    ];
    for (name, setting) in flags {
        if let Some(value) = fields.get(name) {
            *setting = checks.boolean(fields.place(name), value);
        }
    }
    for name in fields.others(FIELDS) {
        checks.refuse(Problem::extra(fields.place(name)));
    }
    settings
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::api::datafold::call::Sent;

    fn set(body: &str) -> (CiConfigSettings, Vec<String>) {
        let sent = Sent::Json(Json::parse(body).unwrap());
        let mut checks = Checks::default();
        let fields = sent.object(&mut checks);
        let before = CiConfigSettings {
            label: Some("ci".into()),
            ..CiConfigSettings::default()
        };
        let settings = read(&mut checks, &fields, before);
        (settings, checks.told())
    }

    #[test]
    fn what_is_not_given_stays_and_null_takes_away() {
        let (settings, told) =
            set(r#"{"name":"docs","comments":"no","pipeline_files":["docs.yml"]}"#);
        assert_eq!(told, [""; 0]);
        let expected = CiConfigSettings {
            name: "docs".into(),
            label: Some("ci".into()),
            comments: false,
            pipeline_files: vec!["docs.yml".into()],
            ..CiConfigSettings::default()
        };
        assert_eq!(settings, expected);
        let (settings, _) = set(r#"{"label":null,"base_branch":"main"}"#);
        assert_eq!(settings.label, None);
        assert_eq!(settings.base_branch.as_deref(), Some("main"));
    }

    #[rstest]
    #[case(r#"{"name":7}"#, &["string_type at body.name"])]
    #[case(r#"{"comments":null}"#, &["bool_type at body.comments"])]
    #[case(r#"{"pipeline_files":"a.yml"}"#, &["list_type at body.pipeline_files"])]
    #[case(r#"{"data_source":1}"#, &["extra_forbidden at body.data_source"])]
    #[case("[]", &["model_attributes_type at body"])]
    fn what_cannot_be_set_is_told(#[case] body: &str, #[case] expected: &[&str]) {
        assert_eq!(set(body).1, expected);
    }
}
