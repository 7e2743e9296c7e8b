//! Pages of a list, as each forge cuts and links them.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tappet_model::ForgeKind;
use url::form_urlencoded;

use crate::state::Comment;

/// One page of the comments, or what is wrong with the query.
pub(crate) fn page(
    kind: ForgeKind,
    url: &str,
    query: &str,
    comments: &[Comment],
) -> Result<Response, String> {
    let (size_name, default, other_names): (_, usize, &[&str]) = match kind {
        ForgeKind::Github => ("per_page", 30, &["since"]),
        ForgeKind::Gitlab => ("per_page", 20, &["sort", "order_by", "activity_filter"]),
        ForgeKind::Gitea => ("limit", 30, &["since", "before"]),
        ForgeKind::Bitbucket => ("pagelen", 10, &["sort", "q", "fields"]),
    };
    let (mut size, mut page) = (default, 1);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let number = value.parse::<usize>().ok().filter(|&number| number > 0);
        match name.as_ref() {
            name if name == size_name => match number {
                Some(number @ ..=100) => size = number,
                _ => return Err(format!("`{name}` must be 1 to 100, not {value}")),
            },
            "page" => match number {
                Some(number) => page = number,
                None => return Err(format!("`page` must be above zero, not {value}")),
            },
            name if other_names.contains(&name) => {}
            name => return Err(format!("`{name}` is no parameter of this list")),
        }
    }
    // Gitea gives all comments at once, whatever it is asked for.
    if kind == ForgeKind::Gitea {
        (size, page) = (usize::MAX, 1);
    }
    let start = (page - 1).saturating_mul(size).min(comments.len());
    let end = start.saturating_add(size).min(comments.len());
    let items: Vec<Value> = comments[start..end]
        .iter()
        .map(|comment| crate::comments::shown(kind, comment))
        .collect();
    let next = (end < comments.len()).then(|| page + 1);
    let total = comments.len().to_string();
    Ok(match kind {
        ForgeKind::Github => match next {
            Some(next) => {
                let link = format!("<{url}?{size_name}={size}&page={next}>; rel=\"next\"");
                ([("link", link)], axum::Json(items)).into_response()
            }
            None => axum::Json(items).into_response(),
        },
        ForgeKind::Gitlab => {
            let next = next.map(|next| next.to_string()).unwrap_or_default();
            let headers = [("x-next-page", next), ("x-total", total)];
            (headers, axum::Json(items)).into_response()
        }
        ForgeKind::Gitea => ([("x-total-count", total)], axum::Json(items)).into_response(),
        ForgeKind::Bitbucket => {
            let mut body = json!({"pagelen": size, "page": page, "size": comments.len()});
            if let Some(next) = next {
                body["next"] = json!(format!("{url}?{size_name}={size}&page={next}"));
            }
            body["values"] = json!(items);
            axum::Json(body).into_response()
        }
    })
}
