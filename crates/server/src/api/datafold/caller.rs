//! Who calls: the holder of an access token, as `Authorization: Key …` (Datafold's
//! clients), `Authorization: Bearer …` or `PRIVATE-TOKEN: …`.
//!
//! The words for the scheme may have any case (RFC 9110, 11.1).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tappet_store::{AccessToken, User};

use super::call::Head;
use super::refusal::{Refused, Reply};
use crate::app::SharedApp;
use crate::secrets::hash;
use crate::{clock, token_use};

/// Longer credentials are refused before anything looks at them.
const MAX_TOKEN_BYTES: usize = 8192;

/// What a call does, which its token must have a scope for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// It only looks.
    Reads,
    /// It changes something.
    Writes,
}

impl Reach {
    fn scopes(self) -> &'static [&'static str] {
        match self {
            Reach::Reads => &["api", "read_api"],
            Reach::Writes => &["api"],
        }
    }
}

/// Who calls.
#[derive(Debug)]
pub struct Caller {
    /// Whose rights count.
    pub user: User,
    token: AccessToken,
}

impl Caller {
    /// Kind and id of the credential: the scope of idempotency keys, and what the
    /// audit log names.
    pub fn credential(&self) -> String {
        format!("token:{}", self.token.id)
    }
}

/// Finds out who calls; 429 for too many calls, 401 for nobody, 403 for a token or a
/// person that may not.
pub async fn identify(app: &SharedApp, head: &Head, reach: Reach) -> Reply<Caller> {
    let token = presented(&head.headers);
    app.admit_call(token, head.address)
        .map_err(Refused::too_many_calls)?;
    let caller = match token {
        Some(token) if token.len() <= MAX_TOKEN_BYTES => holder(app, token).await?,
        _ => None,
    };
    let Some(caller) = caller else {
        app.note_refused_call(head.address);
        return Err(Refused::not_authenticated());
    };
    if caller.user.is_blocked {
        return Err(Refused::forbidden("your account has been blocked"));
    }
    let scopes = reach.scopes();
    let own = &caller.token.scopes;
    if !own.iter().any(|own| scopes.contains(&own.as_str())) {
        return Err(Refused::forbidden(format!(
            "the API key needs the scope `{}` for this call",
            scopes.join("` or `")
        )));
    }
    Ok(caller)
}

async fn holder(app: &SharedApp, token: &str) -> Reply<Option<Caller>> {
    let now = clock::now();
    let found = app.store.user_by_access_token(hash(token), now).await?;
    Ok(found.map(|(user, token)| {
        token_use::note(app, &token, now);
        Caller { user, token }
    }))
}

/// The token of a call. A scheme that is not known brings none.
fn presented(headers: &HeaderMap) -> Option<&str> {
    if let Some(token) = headers.get("private-token") {
        return token.to_str().ok().filter(|token| !token.is_empty());
    }
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = ["key", "bearer"];
    let is_known = known.iter().any(|word| scheme.eq_ignore_ascii_case(word));
    is_known
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("authorization", "Key glpat-x", Some("glpat-x"))]
    #[case("authorization", "key glpat-x", Some("glpat-x"))]
    #[case("authorization", "KEY  glpat-x ", Some("glpat-x"))]
    #[case("authorization", "Bearer glpat-x", Some("glpat-x"))]
    #[case("private-token", "glpat-x", Some("glpat-x"))]
    #[case("authorization", "glpat-x", None)]
    #[case("authorization", "Key", None)]
    #[case("authorization", "Key ", None)]
    #[case("authorization", "Token glpat-x", None)]
    #[case("authorization", "Basic glpat-x", None)]
    #[case("private-token", "", None)]
    fn tokens_come_with_a_scheme(
        #[case] name: &'static str,
        #[case] value: &str,
        #[case] expected: Option<&str>,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        assert_eq!(presented(&headers), expected);
    }
}
