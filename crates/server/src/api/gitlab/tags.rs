//! Tags of a project's repository (GitLab: `lib/api/tags.rb`).

use std::cmp::Ordering;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_git::{Commit, Ref, ResolveError};
use tappet_model::{RefKind, RefName};

use super::BASE;
use super::auth::JobTokens;
use super::call::Call;
use super::entities::tag::Tag;
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, page_of};
use super::repository::{self, Opened, TAGS, found_by};
use crate::api::operation::{self, Audience, one_of, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;

const ORDERS: &[&str] = &["name", "updated", "version"];
const SORTS: &[&str] = &["asc", "desc"];

/// Tags.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/repository/tags")
                .id("listTags")
                .about("Lists the tags of the repository, the newest first.")
                .audience(Audience::Visitor)
                .query(text("search").about("^ and $ bind to the ends, * is anything."))
                .query(one_of("order_by", ORDERS))
                .query(one_of("sort", SORTS))
                .paged()
                .replies_list::<Tag<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}/repository/tags/{tag_name}")
                .id("getTag")
                .about("Shows one tag.")
                .audience(Audience::Visitor)
                .replies::<Tag<'_>>(StatusCode::OK),
            get,
        )
}

/// `GET /projects/:id/repository/tags`.
async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = repository::open(&app, &call, JobTokens::Ignored).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let search = checks.filled_text("search");
    let order = checks.word("order_by", ORDERS);
    let sort = checks.word("sort", SORTS);
    checks.finish()?;
    opened.refresh(&app).await?;
    let mut tags = opened.repository.tags().await?;
    if let Some(search) = search {
        tags.retain(|tag| found_by(&search, &tag.name));
    }
    let compare = match order {
        Some("name") => |a: &Ref, b: &Ref| a.name.cmp(&b.name),
        Some("version") => |a: &Ref, b: &Ref| by_version(&a.name, &b.name),
        _ => |a: &Ref, b: &Ref| a.dated.cmp(&b.dated),
    };
    tags.sort_by(compare);
    if sort != Some("asc") {
        tags.reverse();
    }
    let (pages, shown) = page_of(&tags, page);
    let facts = facts(&app, &opened, &shown.iter().collect::<Vec<_>>()).await?;
    let items: Vec<Tag<'_>> = facts
        .iter()
        .map(|facts| facts.show(&app, &opened))
        .collect();
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &items))
}

/// `GET /projects/:id/repository/tags/:tag_name`.
async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = repository::open(&app, &call, JobTokens::Ignored).await?;
    let name = call.path("tag_name");
    let tag = opened.find_ref(&app, &TAGS, name).await?;
    let facts = facts(&app, &opened, &[&tag]).await?;
    let facts = facts.first().ok_or_else(|| ApiError::missing("Tag"))?;
    Ok(axum::Json(facts.show(&app, &opened)).into_response())
}

/// What is shown of a tag.
struct TagFacts<'a> {
    tag: &'a Ref,
    commit: Arc<Commit>,
    message: Option<Arc<str>>,
    is_protected: bool,
}

impl TagFacts<'_> {
    fn show(&self, app: &SharedApp, opened: &Opened) -> Tag<'_> {
        Tag::of(
            &app.config,
            &opened.access.project,
            self.tag,
            &self.commit,
            self.message.as_deref(),
            self.is_protected,
        )
    }
}

async fn facts<'a>(
    app: &SharedApp,
    opened: &Opened,
    tags: &[&'a Ref],
) -> ApiResult<Vec<TagFacts<'a>>> {
    let protections = opened.protections(app, RefKind::Tag).await?;
    let mut facts = Vec::with_capacity(tags.len());
    for tag in tags {
        facts.push(TagFacts {
            tag,
            commit: opened.repository.commit(&tag.sha).await?,
            message: message(opened, tag).await?,
            is_protected: !protections.of(&tag.name).is_empty(),
        });
    }
    Ok(facts)
}

async fn message(opened: &Opened, tag: &Ref) -> ApiResult<Option<Arc<str>>> {
    let name = RefName::new(format!("refs/tags/{}", tag.name));
    let (true, Ok(name)) = (tag.is_annotated, name) else {
        return Ok(None);
    };
    match opened.repository.resolve(&name).await {
        Ok(resolved) => Ok(resolved.tag_message),
        Err(ResolveError::Read(error)) => Err(error.into()),
        Err(ResolveError::NotFound | ResolveError::Ambiguous) => Ok(None),
    }
}

/// Numbers inside names count as numbers: `v1.10` comes after `v1.9`.
fn by_version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (first, second) = (part(&mut a), part(&mut b));
        let order = match (first.parse::<u128>(), second.parse::<u128>()) {
            (Ok(first), Ok(second)) => first.cmp(&second),
            _ => first.cmp(second),
        };
        if order.is_ne() || (first.is_empty() && second.is_empty()) {
            return order;
        }
    }
}

/// Takes the longest beginning that is all digits, or holds none.
fn part<'a>(rest: &mut &'a str) -> &'a str {
    let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
    let end = rest
        .find(|c: char| c.is_ascii_digit() != is_number)
        .unwrap_or(rest.len());
    let (part, after) = rest.split_at(end);
    *rest = after;
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let mut names = ["v1.10.0", "v1.9", "v1.9.1", "v2", "v1.10", "alpha", "1"];
        names.sort_by(|a, b| by_version(a, b));
        assert_eq!(
            names,
            ["1", "alpha", "v1.9", "v1.9.1", "v1.10", "v1.10.0", "v2"]
        );
    }
}
