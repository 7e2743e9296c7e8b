//! `POST /api/v1/ci/{ci_config_id}/{pr_num}`: hands pairs of tables to the active run of
//! a pull request (Datafold: "Upload PR/MR changes").

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::open_config;
use super::call::{Call, Sent};
use super::caller::{Reach, identify};
use super::job::CiJob;
use super::json::Json as Value;
use super::refusal::Reply;
use super::validation::{Checks, Fields, Place};
use crate::api::operation;
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::clock;
use crate::rights::Right;

/// Pairs of one pull request.
const MOST_PAIRS: usize = 10_000;

/// Columns named in one list of a pair.
const MOST_COLUMNS: usize = 10_000;

/// Characters of a table or column.
const LONGEST_NAME: usize = 4096;

/// The route.
pub fn routes() -> Routes {
    Routes::under("/api/v1/ci").add(
        operation::post("/{ci_config_id}/{pr_num}")
            .id("submitPullRequestChanges")
            .about("Hands pairs of tables to the active run of a pull request, which goes on if it waits for them.")
            .body_list::<CiDiff>()
            .replies::<CiJob>(StatusCode::OK),
        submit,
    )
}

/// A pair of tables to compare.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct CiDiff {
    /// Path of the table in production.
    prod: String,
    /// Path of the pull request's table.
    pr: String,
    /// Columns of the primary key.
    pk: Option<Vec<String>>,
    /// Columns to compare; empty: all.
    include_columns: Vec<String>,
    /// Columns to leave out.
    exclude_columns: Vec<String>,
}

async fn submit(State(app): State<SharedApp>, call: Call) -> Reply<Json<CiJob>> {
    let caller = identify(&app, &call, Reach::Writes).await?;
    let sent = call.sent()?;
    let mut checks = Checks::default();
    let config = call.path_integer(&mut checks, "ci_config_id");
    let number = call.path_integer(&mut checks, "pr_num").into_text();
    let diffs = diffs(&mut checks, &sent);
    checks.finish()?;
    let (access, config) = open_config(&app, &caller, &config).await?;
    access.require(Right::RunPipelines)?;
    let diffs = serde_json::json!(diffs).to_string();
    let submitted = app
        .store
        .submit_diffs(config.id, number, diffs, clock::now())
        .await?;
    let run = submitted.as_ref().map(|submitted| submitted.run_id);
    if let Some(released) = submitted.and_then(|submitted| submitted.released) {
        app.announce(&released).await;
    }
    Ok(Json(CiJob::of(run)))
}

/// The pairs, each with all of its fields.
fn diffs(checks: &mut Checks, sent: &Sent) -> Vec<CiDiff> {
    let items = sent.list(checks, MOST_PAIRS).iter().enumerate();
    items
        .map(|(at, item)| {
            let fields = checks.object(Place::body().index(at), item);
            diff(checks, &fields)
        })
        .collect()
}

fn diff(checks: &mut Checks, fields: &Fields<'_>) -> CiDiff {
    CiDiff {
        prod: fields.required_text(checks, "prod", LONGEST_NAME),
        pr: fields.required_text(checks, "pr", LONGEST_NAME),
        pk: match fields.get("pk") {
            None | Some(Value::Null) => None,
            Some(value) => Some(key(checks, fields, value)),
        },
        include_columns: columns(checks, fields, "include_columns"),
        exclude_columns: columns(checks, fields, "exclude_columns"),
    }
}

fn columns(checks: &mut Checks, fields: &Fields<'_>, name: &str) -> Vec<String> {
    let place = fields.place(name);
    match fields.get(name) {
        Some(value) => checks.texts(&place, value, MOST_COLUMNS, LONGEST_NAME),
        None => Vec::new(),
    }
}

/// A set of columns: one that is named twice counts once, as in Datafold's schema.
fn key(checks: &mut Checks, fields: &Fields<'_>, value: &Value) -> Vec<String> {
    let mut columns = checks.texts(&fields.place("pk"), value, MOST_COLUMNS, LONGEST_NAME);
    let mut seen = std::collections::HashSet::new();
    columns.retain(|column| seen.insert(column.clone()));
    columns
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value as Plain, json};

    use super::*;

    fn read(body: &str) -> (Plain, Vec<String>) {
        let sent = Sent::Json(Value::parse(body).unwrap());
        let mut checks = Checks::default();
        let read = diffs(&mut checks, &sent);
        (json!(read), checks.told())
    }

    #[rstest]
    #[case(
        r#"[{"prod":"db.a","pr":"db.b"}]"#,
        json!([{"prod":"db.a","pr":"db.b","pk":null,"include_columns":[],"exclude_columns":[]}])
    )]
    #[case(
        r#"[{"exclude_columns":["z"],"pk":["id","line","id"],"pr":"b","prod":"a","more":1}]"#,
        json!([{"prod":"a","pr":"b","pk":["id","line"],"include_columns":[],"exclude_columns":["z"]}])
    )]
    #[case(r#"[{"prod":"a","pr":"b","pk":[]}]"#, json!([{"prod":"a","pr":"b","pk":[],"include_columns":[],"exclude_columns":[]}]))]
    #[case("[]", json!([]))]
    fn pairs_are_kept_with_all_their_fields(#[case] body: &str, #[case] expected: Plain) {
        assert_eq!(read(body), (expected, Vec::new()));
    }

    #[rstest]
    #[case("{}", "list_type at body")]
    #[case(r#"[3]"#, "model_attributes_type at body.0")]
    #[case(r#"[{"prod":"a","pr":"b"},{"prod":"a"}]"#, "missing at body.1.pr")]
    #[case(r#"[{"prod":"a","pr":"b","pk":"id"}]"#, "list_type at body.0.pk")]
    #[case(
        r#"[{"prod":"a","pr":"b","pk":["id",1]}]"#,
        "string_type at body.0.pk.1"
    )]
    #[case(
        r#"[{"prod":"a","pr":"b","include_columns":null}]"#,
        "list_type at body.0.include_columns"
    )]
    #[case(r#"[{"prod":null,"pr":"b"}]"#, "string_type at body.0.prod")]
    fn what_is_no_pair_is_told(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(read(body).1, [expected]);
    }

    #[test]
    fn there_are_not_more_pairs_than_anybody_has() {
        let pair = r#"{"prod":"a","pr":"b"}"#;
        let body = format!("[{}]", vec![pair; MOST_PAIRS + 1].join(","));
        assert_eq!(read(&body).1, ["too_long at body"]);
    }
}
