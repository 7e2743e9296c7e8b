//! Browser sessions: a random token in a cookie, its hash in the store.

use std::time::Duration;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use tappet_store::{StoreError, User};

use crate::app::App;
use crate::clock;
use crate::config::Config;
use crate::secrets::{hash, new_token};

const COOKIE_NAME: &str = "tappet_session";

/// How long somebody stays signed in.
const LIFE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The user of the session that a request carries. Good for requests that only
/// read: whoever lets a session change something checks the origin first.
pub async fn session_user(app: &App, headers: &HeaderMap) -> Result<Option<User>, StoreError> {
    let Some(token) = token(headers) else {
        return Ok(None);
    };
    let user = app.store.user_by_session(hash(token), clock::now()).await?;
    Ok(user.filter(|user| !user.is_blocked))
}

/// Signs a user in; gives the cookie to set.
pub async fn open(app: &App, user: &User) -> Result<HeaderValue, StoreError> {
    let token = new_token("tpse-");
    let expires_at = clock::now().plus(LIFE);
    app.store
        .create_session(hash(&token), user.id, expires_at)
        .await?;
    Ok(cookie(&app.config, &token, LIFE))
}

/// Signs out; gives the cookie that removes the session's.
pub async fn close(app: &App, headers: &HeaderMap) -> Result<HeaderValue, StoreError> {
    if let Some(token) = token(headers) {
        app.store.end_session(hash(token)).await?;
    }
    Ok(cookie(&app.config, "", Duration::ZERO))
}

fn cookie(config: &Config, token: &str, life: Duration) -> HeaderValue {
    let path = match config.path_prefix() {
        "" => "/",
        prefix => prefix,
    };
    let is_secure = config
        .external_url
        .as_ref()
        .is_some_and(|url| url.scheme() == "https");
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE_NAME}={token}; Path={path}; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        life.as_secs()
    );
    HeaderValue::try_from(text).expect("tokens and URL paths are visible ASCII")
}

fn token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, token)| token)
        .filter(|token| !token.is_empty() && token.len() <= 100)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("tappet_session=abc", Some("abc"))]
    #[case("a=b; tappet_session=abc; c=d", Some("abc"))]
    #[case("xtappet_session=abc", None)]
    #[case("tappet_session=", None)]
    #[case("nonsense", None)]
    fn the_token_is_found_among_other_cookies(#[case] sent: &str, #[case] found: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(sent).unwrap());
        assert_eq!(token(&headers), found);
    }

    #[test]
    fn the_cookie_keeps_to_the_prefix_and_to_tls() {
        let mut config = Config::new("127.0.0.1:8080".parse().unwrap(), "/tmp/x".into());
        let life = Duration::from_secs(60);
        assert_eq!(
            cookie(&config, "t", life),
            "tappet_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        );
        config.external_url = Some("https://ci.example.com/tools/".parse().unwrap());
        assert_eq!(
            cookie(&config, "t", life),
            "tappet_session=t; Path=/tools; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
