//! Offset pages with GitLab's headers (GitLab: `lib/gitlab/pagination/offset_pagination.rb`).

pub mod keyset;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, LINK};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tappet_store::{Listing, PageRequest};

use super::call::{Call, is_credential};
use super::params::Checks;

const X_PAGE: HeaderName = HeaderName::from_static("x-page");
const X_PER_PAGE: HeaderName = HeaderName::from_static("x-per-page");
const X_NEXT_PAGE: HeaderName = HeaderName::from_static("x-next-page");
const X_PREV_PAGE: HeaderName = HeaderName::from_static("x-prev-page");
const X_TOTAL: HeaderName = HeaderName::from_static("x-total");
const X_TOTAL_PAGES: HeaderName = HeaderName::from_static("x-total-pages");

const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Reads `page` and `per_page`; a too large `per_page` is clamped to 100.
pub fn request(checks: &mut Checks<'_>) -> PageRequest {
    let default = PageRequest::default();
    let page = checks.integer("page").unwrap_or(i64::from(default.page));
    if page < 0 {
        checks.refuse("page does not have a valid value");
    }
    let per_page = checks
        .integer("per_page")
        .unwrap_or(i64::from(default.per_page));
    if per_page == 0 {
        checks.refuse("per_page has a value not allowed");
    } else if per_page < 0 {
        checks.refuse("per_page does not have a valid value");
    }
    PageRequest {
        page: u32::try_from(page.max(1)).unwrap_or(u32::MAX),
        per_page: u32::try_from(per_page.clamp(1, 100)).unwrap_or(default.per_page),
    }
}

/// Which pages there are around the one that is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages {
    /// The page shown.
    pub shown: PageRequest,
    /// Rows in all, when counted.
    pub total: Option<u64>,
    /// Another page follows.
    pub has_next: bool,
}

impl Pages {
    /// Around one page of the store's list.
    pub fn of<T>(shown: PageRequest, listing: &Listing<T>) -> Self {
        Self {
            shown,
            total: listing.total,
            has_next: listing.has_next,
        }
    }
}

/// One page out of a list that is all at hand.
pub fn page_of<T>(all: &[T], shown: PageRequest) -> (Pages, &[T]) {
    let per_page = usize::try_from(shown.per_page).unwrap_or(usize::MAX);
    let before = usize::try_from(shown.page - 1)
        .unwrap_or(usize::MAX)
        .saturating_mul(per_page)
        .min(all.len());
    let rest = &all[before..];
    let pages = Pages {
        shown,
        total: Some(all.len() as u64),
        has_next: rest.len() > per_page,
    };
    (pages, &rest[..rest.len().min(per_page)])
}

/// 200 with an array and the headers that clients walk by.
pub fn reply<T: Serialize>(address: &str, call: &Call, pages: Pages, items: &[T]) -> Response {
    let query = call.uri.query().unwrap_or_default();
    let mut response = (StatusCode::OK, axum::Json(items)).into_response();
    add_headers(response.headers_mut(), address, query, pages);
    response
}

/// 200 with an array and, when more follows, a link to it by the parameter that
/// says where to go on. There are no page numbers.
pub fn keyset_reply<T: Serialize>(
    address: &str,
    call: &Call,
    page: PageRequest,
    next: Option<(&str, String)>,
    items: &[T],
) -> Response {
    let query = call.uri.query().unwrap_or_default();
    let mut response = (StatusCode::OK, axum::Json(items)).into_response();
    if let Some((name, value)) = next {
        let kept = kept_query(query, &[name]);
        let link = format!(
            "<{address}?{kept}{name}={}&per_page={}>; rel=\"next\"",
            utf8_percent_encode(&value, QUERY),
            page.per_page
        );
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    response
}

fn add_headers(headers: &mut HeaderMap, address: &str, query: &str, pages: Pages) {
    let PageRequest { page, per_page } = pages.shown;
    let total_pages = pages
        .total
        .map(|total| total.div_ceil(u64::from(per_page)).max(1));
    let next = pages.has_next.then(|| u64::from(page) + 1);
    let previous = page.checked_sub(1).filter(|page| *page > 0).map(u64::from);

    let mut set = |name: HeaderName, value: Option<u64>| {
        let value = value.map_or(HeaderValue::from_static(""), HeaderValue::from);
        headers.insert(name, value);
    };
    set(X_PAGE, Some(u64::from(page)));
    set(X_PER_PAGE, Some(u64::from(per_page)));
    set(X_NEXT_PAGE, next);
    set(X_PREV_PAGE, previous);
    if let Some(total) = pages.total {
        set(X_TOTAL, Some(total));
        set(X_TOTAL_PAGES, total_pages);
    }

    let kept = kept_query(query, &[]);
    let links = [
        ("prev", previous),
        ("next", next),
        ("first", Some(1)),
        ("last", total_pages),
    ];
    let mut link = String::new();
    for (relation, page) in links {
        let Some(page) = page else { continue };
        if !link.is_empty() {
            link.push_str(", ");
        }
        link.push_str(&format!(
            "<{address}?{kept}page={page}&per_page={per_page}>; rel=\"{relation}\""
        ));
    }
    if let Ok(link) = HeaderValue::from_str(&link) {
        headers.insert(LINK, link);
    }
}

/// The query of the call without page, credentials and `replaced`, re-encoded,
/// each pair followed by `&`.
fn kept_query(query: &str, replaced: &[&str]) -> String {
    let mut kept = String::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let is_replaced = matches!(&*name, "page" | "per_page") || replaced.contains(&&*name);
        if is_replaced || is_credential(&name) {
            continue;
        }
        for part in [
            utf8_percent_encode(&name, QUERY).to_string().as_str(),
            "=",
            utf8_percent_encode(&value, QUERY).to_string().as_str(),
            "&",
        ] {
            kept.push_str(part);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn headers(query: &str, page: u32, total: Option<u64>, has_next: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        let pages = Pages {
            shown: PageRequest { page, per_page: 2 },
            total,
            has_next,
        };
        add_headers(&mut headers, "http://ci/api/v4/x", query, pages);
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_middle_page_links_to_all_others_and_keeps_the_query_but_no_token() {
        let query = "scope%5B%5D=a%26b&page=2&private_token=secret&ref=x";
        assert_eq!(
            headers(query, 2, Some(5), true),
            [
                "link: <http://ci/api/v4/x?scope%5B%5D=a%26b&ref=x&page=1&per_page=2>; rel=\"prev\", \
                 <http://ci/api/v4/x?scope%5B%5D=a%26b&ref=x&page=3&per_page=2>; rel=\"next\", \
                 <http://ci/api/v4/x?scope%5B%5D=a%26b&ref=x&page=1&per_page=2>; rel=\"first\", \
                 <http://ci/api/v4/x?scope%5B%5D=a%26b&ref=x&page=3&per_page=2>; rel=\"last\"",
                "x-next-page: 3",
                "x-page: 2",
                "x-per-page: 2",
                "x-prev-page: 1",
                "x-total-pages: 3",
                "x-total: 5",
            ]
        );
    }

    #[test]
    fn an_empty_list_has_one_page_and_an_uncounted_one_no_last() {
        assert_eq!(
            headers("", 1, Some(0), false),
            [
                "link: <http://ci/api/v4/x?page=1&per_page=2>; rel=\"first\", \
                 <http://ci/api/v4/x?page=1&per_page=2>; rel=\"last\"",
                "x-next-page: ",
                "x-page: 1",
                "x-per-page: 2",
                "x-prev-page: ",
                "x-total-pages: 1",
                "x-total: 0",
            ]
        );
        let uncounted = headers("", 1, None, true);
        assert!(
            !uncounted
                .iter()
                .any(|line| line.contains("x-total") || line.contains("last"))
        );
    }

    #[rstest]
    #[case(json!({}), Ok((1, 20)))]
    #[case(json!({"page":"3","per_page":"50"}), Ok((3, 50)))]
    #[case(json!({"page":"0","per_page":"1000000000"}), Ok((1, 100)))]
    #[case(json!({"per_page":"0"}), Err(()))]
    #[case(json!({"per_page":"-1"}), Err(()))]
    #[case(json!({"page":"-1"}), Err(()))]
    #[case(json!({"page":"1;--"}), Err(()))]
    fn pages_are_clamped_or_refused(
        #[case] params: serde_json::Value,
        #[case] expected: Result<(u32, u32), ()>,
    ) {
        let params = params.as_object().unwrap().clone();
        let mut checks = Checks::new(&params);
        let page = request(&mut checks);
        let got = checks
            .finish()
            .map(|()| (page.page, page.per_page))
            .map_err(|_| ());
        assert_eq!(got, expected);
    }
}
