//! One repository at one forge, and how its API is addressed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tappet_model::ForgeKind;
use url::Url;

use super::call::{ApiCall, Purpose};

/// What stays as it is in a part of a path (RFC 3986, unreserved).
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The version of GitHub's REST API that the calls are written for.
const GITHUB_VERSION: &str = "2022-11-28";

/// The longest `api_url`, `repository` or token.
const MAX_CHARS: usize = 1024;

/// Something that no forge can be called with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct BadBinding {
    /// `api_url`, `repository` or `token`.
    pub field: &'static str,
    /// What is wrong with it and what to give instead.
    pub problem: String,
}

fn bad<T>(field: &'static str, problem: impl Into<String>) -> Result<T, BadBinding> {
    Err(BadBinding {
        field,
        problem: problem.into(),
    })
}

/// The base address of a forge's API: the one given, checked, or the public one of its
/// kind. Without a slash at the end; a path stays (GitHub Enterprise Server: `/api/v3`).
pub fn api_url(kind: ForgeKind, given: Option<&str>) -> Result<String, BadBinding> {
    let text = match (given.map(str::trim).filter(|text| !text.is_empty()), kind) {
        (Some(text), _) => text,
        (None, ForgeKind::Github) => "https://api.github.com",
        (None, ForgeKind::Gitlab) => "https://gitlab.com/api/v4",
        (None, ForgeKind::Bitbucket) => "https://api.bitbucket.org/2.0",
        (None, ForgeKind::Gitea) => {
            return bad(
                "api_url",
                "is missing: give the address of the Gitea or Forgejo and `/api/v1`",
            );
        }
    };
    if text.len() > MAX_CHARS {
        return bad("api_url", "is longer than 1024 bytes");
    }
    let Ok(url) = Url::parse(text) else {
        return bad(
            "api_url",
            "must be an http or https address like https://git.example.com/api/v1",
        );
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return bad("api_url", "must begin with http:// or https:// and a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return bad("api_url", "must hold no user or password: give the `token`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return bad("api_url", "must have no `?` and no `#`");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A repository at a forge, ready to be told things.
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) kind: ForgeKind,
    base: String,
    credential: (HeaderName, HeaderValue),
}

impl Api {
    /// Of the repository `acme/web` (GitLab: with its groups, or its id). `api_url` is
    /// [checked](api_url). For Bitbucket, a `token` of the form `user:password` is an app
    /// password or API token with its user, any other an access token.
    pub fn new(
        kind: ForgeKind,
        api_url: &str,
        repository: &str,
        token: &str,
    ) -> Result<Self, BadBinding> {
        let root = self::api_url(kind, Some(api_url))?;
        let path = repository_path(kind, repository)?;
        Ok(Self {
            kind,
            base: format!("{root}{path}"),
            credential: credential(kind, token)?,
        })
    }

    /// Which kind of forge.
    pub fn kind(&self) -> ForgeKind {
        self.kind
    }

    /// A call of `path` below the repository.
    pub(super) fn call(
        &self,
        purpose: Purpose,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> ApiCall {
        let mut headers = HeaderMap::new();
        let (name, value) = &self.credential;
        headers.insert(name.clone(), value.clone());
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("Tappet/", env!("CARGO_PKG_VERSION"))),
        );
        let accepted = match self.kind {
            ForgeKind::Github => "application/vnd.github+json",
            _ => "application/json",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
        if self.kind == ForgeKind::Github {
            headers.insert(
                HeaderName::from_static("x-github-api-version"),
                HeaderValue::from_static(GITHUB_VERSION),
            );
        }
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        ApiCall {
            method,
            url: format!("{}{path}", self.base),
            headers,
            body: body.map(|body| body.to_string().into_bytes()),
            kind: self.kind,
            purpose,
        }
    }
}

/// A part of a path, whatever it holds.
pub(super) fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

fn repository_path(kind: ForgeKind, repository: &str) -> Result<String, BadBinding> {
    let names: Vec<&str> = repository.split('/').collect();
    let is_name = |name: &&str| {
        !name.is_empty()
            && *name != "."
            && *name != ".."
            && !name.chars().any(|c| c.is_control() || c.is_whitespace())
    };
    let is_number = repository.bytes().all(|byte| byte.is_ascii_digit());
    let counts = match kind {
        ForgeKind::Gitlab => names.len() >= 2 || is_number,
        _ => names.len() == 2,
    };
    if !counts || repository.len() > MAX_CHARS || !names.iter().all(is_name) {
        return bad(
            "repository",
            match kind {
                ForgeKind::Gitlab => "must be the project's path like group/project, or its id",
                _ => "must be owner and name like acme/web",
            },
        );
    }
    let parts: Vec<String> = names.into_iter().map(part).collect();
    Ok(match kind {
        ForgeKind::Github | ForgeKind::Gitea => format!("/repos/{}", parts.join("/")),
        ForgeKind::Gitlab => format!("/projects/{}", parts.join("%2F")),
        ForgeKind::Bitbucket => format!("/repositories/{}", parts.join("/")),
    })
}

fn credential(kind: ForgeKind, token: &str) -> Result<(HeaderName, HeaderValue), BadBinding> {
    let is_printable = token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.is_empty() || token.len() > MAX_CHARS || !is_printable {
        return bad(
            "token",
            "must be an access token of the forge: 1 to 1024 letters, digits and signs",
        );
    }
    let (name, text) = match kind {
        ForgeKind::Github => (AUTHORIZATION, format!("Bearer {token}")),
        ForgeKind::Gitlab => (HeaderName::from_static("private-token"), token.to_owned()),
        ForgeKind::Gitea => (AUTHORIZATION, format!("token {token}")),
        ForgeKind::Bitbucket if token.contains(':') => {
            (AUTHORIZATION, format!("Basic {}", STANDARD.encode(token)))
        }
        ForgeKind::Bitbucket => (AUTHORIZATION, format!("Bearer {token}")),
    };
    match HeaderValue::from_str(&text) {
        Ok(mut value) => {
            value.set_sensitive(true);
            Ok((name, value))
        }
        Err(_) => bad("token", "cannot be sent in a header"),
    }
}
