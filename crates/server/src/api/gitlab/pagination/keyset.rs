//! Keyset pages: each answer says where the next one begins
//! (GitLab: `lib/gitlab/pagination/cursor_based_keyset.rb`).
//!
//! Only lists in order of falling id have them. A cursor is the id of the last
//! row that was shown; clients take it as it comes.

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use serde::Serialize;
use tappet_store::PageRequest;

use super::{keyset_reply, request};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::Checks;

const X_NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");
const X_PREV_CURSOR: HeaderName = HeaderName::from_static("x-prev-cursor");

/// Which part of a list is wanted, and in which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// A numbered page.
    Page(PageRequest),
    /// What follows a row.
    After {
        /// The row; `None`: from the beginning.
        cursor: Option<i64>,
        /// 1 to 100.
        per_page: u32,
    },
}

impl Part {
    /// Rows wanted.
    pub fn per_page(self) -> u32 {
        match self {
            Part::Page(page) => page.per_page,
            Part::After { per_page, .. } => per_page,
        }
    }
}

/// Reads `page`, `per_page`, `pagination`, `cursor`, `order_by` and `sort`. An
/// order that has no keyset is 405, once the parameters are found valid.
pub fn part(checks: &mut Checks<'_>) -> ApiResult<Part> {
    let page = request(checks);
    let is_keyset = checks.filled_text("pagination").as_deref() == Some("keyset");
    if !is_keyset {
        return Ok(Part::Page(page));
    }
    let is_default = |word: Option<&str>, default| word.is_none_or(|word| word == default);
    let order_by = checks.filled_text("order_by");
    let sort = checks.filled_text("sort");
    if !is_default(order_by.as_deref(), "id") || !is_default(sort.as_deref(), "desc") {
        return Err(ApiError::error(
            StatusCode::METHOD_NOT_ALLOWED,
            "Keyset pagination is not yet available for this type of request",
        ));
    }
    Ok(Part::After {
        cursor: checks.integer("cursor"),
        per_page: page.per_page,
    })
}

/// 200 with an array, and the way to the next part unless this was the last.
pub fn reply<T: Serialize>(
    address: &str,
    call: &Call,
    part: Part,
    next: Option<i64>,
    items: &[T],
) -> Response {
    let page = PageRequest {
        page: 1,
        per_page: part.per_page(),
    };
    let link = next.map(|next| ("cursor", next.to_string()));
    let mut response = keyset_reply(address, call, page, link, items);
    let headers = response.headers_mut();
    headers.insert(X_PREV_CURSOR, HeaderValue::from_static(""));
    headers.insert(
        X_NEXT_CURSOR,
        next.map_or(HeaderValue::from_static(""), HeaderValue::from),
    );
    response
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({}), Part::Page(PageRequest { page: 1, per_page: 20 }))]
    #[case(json!({"pagination":"legacy","page":"2"}), Part::Page(PageRequest { page: 2, per_page: 20 }))]
    #[case(json!({"pagination":"keyset","page":"2"}), Part::After { cursor: None, per_page: 20 })]
    #[case(
        json!({"pagination":"keyset","cursor":"7","per_page":"500","order_by":"id","sort":"desc"}),
        Part::After { cursor: Some(7), per_page: 100 }
    )]
    fn a_cursor_counts_only_with_keyset(#[case] params: serde_json::Value, #[case] expected: Part) {
        let params = params.as_object().unwrap().clone();
        let mut checks = Checks::new(&params);
        assert_eq!(part(&mut checks).unwrap(), expected);
        assert!(checks.finish().is_ok());
    }

    #[rstest]
    #[case("order_by", "name")]
    #[case("sort", "asc")]
    fn an_order_without_a_keyset_is_refused(#[case] name: &str, #[case] word: &str) {
        let params = json!({ "pagination": "keyset", name: word });
        let params = params.as_object().unwrap().clone();
        let error = part(&mut Checks::new(&params)).unwrap_err().into_response();
        assert_eq!(error.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
