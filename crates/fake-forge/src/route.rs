//! Which call a method and path are.

use http::Method;
use percent_encoding::percent_decode_str;
use tappet_model::ForgeKind;

/// A call that the forge knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Route {
    SetStatus { sha: String },
    NewComment { number: String },
    ListComments { number: String },
    EditComment { id: String },
}

/// `path` without what comes before the API's paths. `None`: 404.
pub(crate) fn route(kind: ForgeKind, method: &Method, path: &str) -> Option<Route> {
    let parts: Vec<String> = path
        .strip_prefix('/')?
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let rest = match (kind, parts.as_slice()) {
        (ForgeKind::Github | ForgeKind::Gitea, ["repos", "acme", "web", rest @ ..])
        | (ForgeKind::Gitlab, ["projects", "acme/shop/web" | "77", rest @ ..])
        | (ForgeKind::Bitbucket, ["repositories", "acme", "web", rest @ ..]) => rest,
        _ => return None,
    };
    let comments = |number: &&str| (*number).to_owned();
    Some(match (kind, method.as_str(), rest) {
        (ForgeKind::Github | ForgeKind::Gitea | ForgeKind::Gitlab, "POST", ["statuses", sha])
        | (ForgeKind::Bitbucket, "POST", ["commit", sha, "statuses", "build"]) => {
            Route::SetStatus {
                sha: (*sha).to_owned(),
            }
        }
        (ForgeKind::Github | ForgeKind::Gitea, "PATCH", ["issues", "comments", id])
        | (ForgeKind::Gitlab, "PUT", ["merge_requests", _, "notes", id])
        | (ForgeKind::Bitbucket, "PUT", ["pullrequests", _, "comments", id]) => {
            Route::EditComment {
                id: (*id).to_owned(),
            }
        }
        (ForgeKind::Github | ForgeKind::Gitea, method, ["issues", number, "comments"])
        | (ForgeKind::Gitlab, method, ["merge_requests", number, "notes"])
        | (ForgeKind::Bitbucket, method, ["pullrequests", number, "comments"]) => match method {
            "POST" => Route::NewComment {
                number: comments(number),
            },
            "GET" => Route::ListComments {
                number: comments(number),
            },
            _ => return None,
        },
        _ => return None,
    })
}
