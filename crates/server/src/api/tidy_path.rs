//! Addresses of GitLab's API as GitLab reads them: several slashes count as one, and
//! one at the end for nothing (Grape: `lib/grape/router.rb`). Scripts put
//! addresses together from parts that have a slash already.

use http::{Request, Uri};

use super::datafold;

/// The request with a tidy address, if it is for the API below `prefix`.
pub fn tidy<B>(mut request: Request<B>, prefix: &str) -> Request<B> {
    if let Some(uri) = tidied(request.uri(), prefix) {
        *request.uri_mut() = uri;
    }
    request
}

fn tidied(uri: &Uri, prefix: &str) -> Option<Uri> {
    let path = uri.path();
    if !path.contains("//") && !path.ends_with('/') {
        return None;
    }
    let mut tidy = String::with_capacity(path.len() + 1);
    for part in path.split('/').filter(|part| !part.is_empty()) {
        tidy.push('/');
        tidy.push_str(part);
    }
    let below = tidy.strip_prefix(prefix)?;
    let is_api = below.starts_with("/api/") || below.starts_with("/ci/api/");
    if !is_api || datafold::owns(below) {
        return None;
    }
    if let Some(query) = uri.query() {
        tidy.push('?');
        tidy.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(tidy.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "/api/v4/projects/", Some("/api/v4/projects"))]
    #[case("", "//api//v4/projects///9/?a=//", Some("/api/v4/projects/9?a=//"))]
    #[case("", "/ci/api/v1/x/", Some("/ci/api/v1/x"))]
    #[case("", "/api/v4/projects/a%2F%2Fb", None)]
    #[case("", "/api/v4/projects", None)]
    #[case(
        "",
        "/api/v1/projects/9/refs/main/trigger/",
        Some("/api/v1/projects/9/refs/main/trigger")
    )]
    #[case("", "/api/v1/ci/9/trigger/", None)]
    #[case("", "/api/v1//ci/9/trigger", None)]
    #[case("", "/api/internal/sdk/log/", None)]
    #[case("", "/acme/web/", None)]
    #[case("", "/", None)]
    #[case("/tools", "/tools/api/v4/user/", Some("/tools/api/v4/user"))]
    #[case("/tools", "/api/v4/user/", None)]
    fn slashes_are_put_in_order(
        #[case] prefix: &str,
        #[case] uri: &str,
        #[case] expected: Option<&str>,
    ) {
        let tidy = tidied(&uri.parse().unwrap(), prefix);
        assert_eq!(tidy.map(|uri| uri.to_string()).as_deref(), expected);
    }
}
