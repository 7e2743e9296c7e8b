//! The published shapes of requests. Sources: GitHub's `rest-api-description` (commit
//! statuses, issue comments); GitLab doc/api/commits.md and notes.md; Gitea's swagger
//! (`CreateStatusOption`, `CreateIssueCommentOption`); Bitbucket's "Commit statuses" and
//! "Pullrequests".

use serde_json::Value;
use tappet_model::ForgeKind;
use url::Url;

use crate::route::Route;

/// What a field may hold.
enum Holds {
    /// A text of at most so many characters.
    Text(usize),
    /// The same, not blank.
    Filled(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// An http or https address of at most so many characters.
    Address(usize),
    /// An object with these fields.
    Object(&'static [Field]),
}

struct Field {
    name: &'static str,
    is_required: bool,
    holds: Holds,
}

const fn required(name: &'static str, holds: Holds) -> Field {
    Field {
        name,
        is_required: true,
        holds,
    }
}

const fn optional(name: &'static str, holds: Holds) -> Field {
    Field {
        name,
        is_required: false,
        holds,
    }
}

const GITHUB_STATUS: &[Field] = &[
    required(
        "state",
        Holds::Word(&["error", "failure", "pending", "success"]),
    ),
    optional("target_url", Holds::Address(65_536)),
    optional("description", Holds::Text(140)),
    optional("context", Holds::Filled(255)),
];

const GITLAB_STATUS: &[Field] = &[
    required(
        "state",
        Holds::Word(&[
            "pending", "running", "success", "failed", "canceled", "skipped",
        ]),
    ),
    optional("ref", Holds::Filled(1024)),
    optional("name", Holds::Filled(255)),
    optional("target_url", Holds::Address(255)),
    optional("description", Holds::Text(255)),
];

const GITEA_STATUS: &[Field] = &[
    required(
        "state",
        Holds::Word(&[
            "pending", "success", "error", "failure", "warning", "skipped",
        ]),
    ),
    optional("target_url", Holds::Address(65_536)),
    optional("description", Holds::Text(65_536)),
    optional("context", Holds::Filled(255)),
];

const BITBUCKET_STATUS: &[Field] = &[
    required("key", Holds::Filled(40)),
    required(
        "state",
        Holds::Word(&["SUCCESSFUL", "FAILED", "INPROGRESS", "STOPPED"]),
    ),
    required("url", Holds::Address(65_536)),
    optional("name", Holds::Text(255)),
    optional("description", Holds::Text(255)),
    optional("refname", Holds::Filled(1024)),
];

const GITHUB_COMMENT: &[Field] = &[required("body", Holds::Filled(65_536))];
const GITEA_COMMENT: &[Field] = &[required("body", Holds::Filled(1_000_000))];
const GITLAB_COMMENT: &[Field] = &[required("body", Holds::Filled(1_000_000))];
const BITBUCKET_COMMENT: &[Field] = &[required(
    "content",
    Holds::Object(&[required("raw", Holds::Filled(32_768))]),
)];

/// What is wrong with the body of a call; calls that list have none.
pub(crate) fn broken_rule(kind: ForgeKind, route: &Route, body: &Value) -> Option<String> {
    let fields = match (route, kind) {
        (Route::ListComments { .. }, _) => return None,
        (Route::SetStatus { .. }, ForgeKind::Github) => GITHUB_STATUS,
        (Route::SetStatus { .. }, ForgeKind::Gitlab) => GITLAB_STATUS,
        (Route::SetStatus { .. }, ForgeKind::Gitea) => GITEA_STATUS,
        (Route::SetStatus { .. }, ForgeKind::Bitbucket) => BITBUCKET_STATUS,
        (_, ForgeKind::Github) => GITHUB_COMMENT,
        (_, ForgeKind::Gitlab) => GITLAB_COMMENT,
        (_, ForgeKind::Gitea) => GITEA_COMMENT,
        (_, ForgeKind::Bitbucket) => BITBUCKET_COMMENT,
    };
    broken_in(body, fields)
}

fn broken_in(body: &Value, fields: &[Field]) -> Option<String> {
    let Value::Object(members) = body else {
        return Some(format!("{body} is no object"));
    };
    let known = |name: &str| fields.iter().any(|field| field.name == name);
    if let Some(unknown) = members.keys().find(|name| !known(name)) {
        return Some(format!("`{unknown}` is no field of this call"));
    }
    fields
        .iter()
        .find_map(|field| match members.get(field.name) {
            None if field.is_required => Some(format!("`{}` is missing", field.name)),
            None => None,
            Some(value) => {
                broken_value(value, &field.holds).map(|rule| format!("`{}` {rule}", field.name))
            }
        })
}

fn broken_value(value: &Value, holds: &Holds) -> Option<String> {
    if let Holds::Object(fields) = holds {
        return broken_in(value, fields);
    }
    let Value::String(text) = value else {
        return Some("must be a text".to_owned());
    };
    let is_longer = |max: usize| text.chars().nth(max).is_some();
    let broken = |rule: String| Some(rule);
    match *holds {
        Holds::Text(max) | Holds::Filled(max) | Holds::Address(max) if is_longer(max) => {
            broken(format!("has more than {max} characters"))
        }
        Holds::Filled(_) if text.trim().is_empty() => broken("is blank".to_owned()),
        Holds::Word(words) if !words.contains(&text.as_str()) => {
            broken(format!("is `{text}`, but must be one of {words:?}"))
        }
        Holds::Address(_) => match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => None,
            _ => broken(format!("is `{text}`, but must be an http address")),
        },
        _ => None,
    }
}
