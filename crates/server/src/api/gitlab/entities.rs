//! What the API shows of a record, one file for each shape
//! (GitLab: `lib/api/entities`).

pub mod artifact_entry;
pub mod audit_event;
pub mod branch;
pub mod commit;
pub mod commit_status;
pub mod detailed_status;
pub mod forge;
pub mod hook;
pub mod job;
pub mod lint_result;
pub mod member;
pub mod personal_access_token;
pub mod pipeline;
pub mod pipeline_basic;
pub mod pipeline_schedule;
pub mod project;
pub mod protected_ref;
pub mod push_hook;
pub mod runner;
pub mod settings_variable;
pub mod tag;
pub mod test_report;
pub mod trigger;
pub mod user;
pub mod user_basic;
pub mod variable;

use serde::{Serialize, Serializer};
use tappet_model::Timestamp;
use utoipa::ToSchema;

/// A point in time on the wire: `2026-02-01T10:20:30.123Z`.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, example = "2026-02-01T10:20:30.123Z")]
pub struct Time(pub Timestamp);

/// A day on the wire: `2026-02-01`. The moment is the midnight (UTC) it begins with.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, example = "2026-02-01")]
pub struct Day(pub Timestamp);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_string();
        serializer.serialize_str(text.get(..10).unwrap_or(&text))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
