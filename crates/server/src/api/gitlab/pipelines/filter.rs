//! The filters of the list of pipelines.

use std::borrow::Cow;
use std::str::FromStr;

use tappet_model::{Source, Status};
use tappet_store::{RunFilter, RunOrder, RunScope};

use crate::api::gitlab::params::Checks;

/// Sources of GitLab that no run here can have: valid, and never found.
const FOREIGN_SOURCES: [&str; 4] = [
    "ondemand_dast_scan",
    "ondemand_dast_validation",
    "security_orchestration_policy",
    "container_registry_push",
];

/// The words of `scope`.
pub const SCOPES: &[&str] = &["running", "pending", "finished", "branches", "tags"];

/// Reads the filter, in GitLab's order; `None` when nothing can match it.
pub fn read(checks: &mut Checks<'_>) -> Option<RunFilter> {
    let mut filter = RunFilter {
        scope: checks.one_of::<Scope>("scope").map(|scope| scope.0),
        status: checks.one_of::<Status>("status"),
        ref_name: checks.filled_text("ref").map(Cow::into_owned),
        sha: checks.filled_text("sha").map(Cow::into_owned),
        yaml_errors: checks.boolean("yaml_errors"),
        username: checks.filled_text("username").map(Cow::into_owned),
        updated_before: checks.time("updated_before"),
        updated_after: checks.time("updated_after"),
        created_before: checks.time("created_before"),
        created_after: checks.time("created_after"),
        order_by: checks
            .one_of::<Order>("order_by")
            .map_or(RunOrder::Id, |order| order.0),
        ascending: checks
            .one_of::<Direction>("sort")
            .is_some_and(|direction| direction.0),
        name: checks.filled_text("name").map(Cow::into_owned),
        source: None,
        schedule_id: None,
        refs: None,
    };
    filter.source = match checks.one_of::<SourceWord>("source") {
        Some(SourceWord::Foreign) => return None,
        Some(SourceWord::Ours(source)) => Some(source),
        None => None,
    };
    Some(filter)
}

enum SourceWord {
    Ours(Source),
    Foreign,
}

impl FromStr for SourceWord {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if FOREIGN_SOURCES.contains(&text) {
            return Ok(SourceWord::Foreign);
        }
        text.parse().map(SourceWord::Ours).map_err(|_| ())
    }
}

struct Scope(RunScope);

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "running" => Ok(Scope(RunScope::Running)),
            "pending" => Ok(Scope(RunScope::Pending)),
            "finished" => Ok(Scope(RunScope::Finished)),
            "branches" => Ok(Scope(RunScope::Branches)),
            "tags" => Ok(Scope(RunScope::Tags)),
            _ => Err(()),
        }
    }
}

struct Order(RunOrder);

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "id" => Ok(Order(RunOrder::Id)),
            "status" => Ok(Order(RunOrder::Status)),
            "ref" => Ok(Order(RunOrder::Ref)),
            "updated_at" => Ok(Order(RunOrder::UpdatedAt)),
            "user_id" => Ok(Order(RunOrder::UserId)),
            _ => Err(()),
        }
    }
}

/// `true`: the smallest first.
struct Direction(bool);

impl FromStr for Direction {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "asc" => Ok(Direction(true)),
            "desc" => Ok(Direction(false)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("scope", "all")]
    #[case("status", "done")]
    #[case("source", "cron")]
    #[case("order_by", "id;--")]
    #[case("sort", "up")]
    fn words_outside_their_list_are_refused(#[case] name: &str, #[case] word: &str) {
        let params = json!({ name: word }).as_object().unwrap().clone();
        let mut checks = Checks::new(&params);
        read(&mut checks);
        assert!(checks.finish().is_err());
    }

    #[test]
    fn a_source_that_cannot_exist_here_finds_nothing() {
        let params = json!({ "source": "ondemand_dast_scan" })
            .as_object()
            .unwrap()
            .clone();
        let mut checks = Checks::new(&params);
        assert_eq!(read(&mut checks), None);
        assert!(checks.finish().is_ok());
    }
}
