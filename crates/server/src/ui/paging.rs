//! Pages of a list in the address bar: `?page=2`.

use http::Uri;
use tappet_store::{Listing, PageRequest};

/// Rows on a page.
const PER_PAGE: u32 = 20;

/// The page that an address asks for; nonsense asks for the first.
pub fn request(uri: &Uri) -> PageRequest {
    let page = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "page")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(1);
    PageRequest {
        page: page.clamp(1, 1_000_000),
        per_page: PER_PAGE,
    }
}

/// The links below a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages {
    /// The page shown.
    pub page: u32,
    /// The one before.
    pub previous: Option<u32>,
    /// The one after.
    pub next: Option<u32>,
}

impl Pages {
    /// Around one page of a list.
    pub fn of<T>(asked: PageRequest, listing: &Listing<T>) -> Self {
        Self {
            page: asked.page,
            previous: (asked.page > 1).then(|| asked.page - 1),
            next: listing.has_next.then(|| asked.page + 1),
        }
    }

    /// Everything fits on the first page.
    pub fn is_single(&self) -> bool {
        self.previous.is_none() && self.next.is_none()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/x", 1)]
    #[case("/x?page=3", 3)]
    #[case("/x?a=1&page=7&page=8", 7)]
    #[case("/x?page=0", 1)]
    #[case("/x?page=-1", 1)]
    #[case("/x?page=99999999999", 1)]
    #[case("/x?page=2000000", 1_000_000)]
    fn an_address_asks_for_a_page(#[case] address: &str, #[case] page: u32) {
        assert_eq!(request(&address.parse().unwrap()).page, page);
    }
}
