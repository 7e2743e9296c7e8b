//! Whether a request that changes something comes from one of our own pages.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use url::Url;

use super::problem::{PageResult, Problem};
use crate::config::Config;

/// Browsers say where a POST comes from: newer ones by `Sec-Fetch-Site`, all by
/// `Origin`. A request that says neither is refused too.
pub fn check(config: &Config, headers: &HeaderMap) -> PageResult<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_own_origin(config, origin, text(HOST.as_str())),
        (None, None) => false,
    };
    if is_own {
        Ok(())
    } else {
        Err(Problem::ForeignOrigin)
    }
}

fn is_own_origin(config: &Config, origin: &str, host: Option<&str>) -> bool {
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    if config
        .external_url
        .as_ref()
        .is_some_and(|own| own.origin() == origin.origin())
    {
        return true;
    }
    let authority = match (origin.host_str(), origin.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return false,
    };
    host.is_some_and(|host| host.eq_ignore_ascii_case(&authority))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::own_page(&[("sec-fetch-site", "same-origin")], true)]
    #[case::typed(&[("sec-fetch-site", "none")], true)]
    #[case::neighbour(&[("sec-fetch-site", "same-site")], false)]
    #[case::stranger(&[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8080")], false)]
    #[case::older_browser(&[("origin", "http://ci.lan:8080"), ("host", "ci.lan:8080")], true)]
    #[case::behind_a_proxy(&[("origin", "https://ci.example.com"), ("host", "10.0.0.7")], true)]
    #[case::other_port(&[("origin", "http://ci.lan:9"), ("host", "ci.lan:8080")], false)]
    #[case::other_host(&[("origin", "http://evil.example"), ("host", "ci.lan:8080")], false)]
    #[case::opaque(&[("origin", "null"), ("host", "ci.lan:8080")], false)]
    #[case::silent(&[("host", "ci.lan:8080")], false)]
    fn only_our_own_pages_may_change_something(
        #[case] sent: &[(&'static str, &'static str)],
        #[case] allowed: bool,
    ) {
        let mut config = Config::new("127.0.0.1:8080".parse().unwrap(), "/tmp/x".into());
        config.external_url = Some("https://ci.example.com/tools".parse().unwrap());
        let headers: HeaderMap = sent
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        assert_eq!(check(&config, &headers).is_ok(), allowed);
    }
}
