//! Addresses of repositories, checked before git sees them.
//!
//! Git itself would run programs for `ext::` and `fd::`, and ssh reads a host that
//! starts with `-` as an option. Only plain addresses pass.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

const MAX_LENGTH: usize = 2048;

/// Where a repository lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RepositoryAddress {
    /// An absolute path on this machine. Whether that is allowed is the caller's matter.
    Local(PathBuf),
    /// Another machine.
    Remote(RemoteUrl),
}

/// A text that is no acceptable address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a repository address: {reason}")]
pub struct InvalidAddress {
    /// The rule that it breaks.
    pub reason: &'static str,
}

/// An `https`, `http`, `ssh` or `git` address, or `user@host:path`. The password
/// or token in it is kept apart and never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RemoteUrl {
    address: String,
    scheme: &'static str,
    login: Option<Arc<Login>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Login {
    pub user: String,
    pub password: String,
    /// `https://host:port`, the only place that may see it.
    pub origin: String,
}

impl RepositoryAddress {
    /// Reads an address; the error says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        check_text(text).map_err(|reason| InvalidAddress { reason })?;
        if text.starts_with('/') {
            return Ok(RepositoryAddress::Local(PathBuf::from(text)));
        }
        let parsed = match text.split_once("://") {
            Some(("file", _)) => local(text).map(RepositoryAddress::Local),
            Some((scheme, _)) => remote(scheme, text).map(RepositoryAddress::Remote),
            None => scp_form(text).map(RepositoryAddress::Remote),
        };
        parsed.map_err(|reason| InvalidAddress { reason })
    }
}

impl RemoteUrl {
    /// The address for git, without password or token.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// `https`, `http`, `ssh` or `git`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_deref()
    }
}

/// Without password or token.
impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

/// Without password or token.
impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({})", self.address)
    }
}

fn check_text(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > MAX_LENGTH {
        return Err("it is longer than 2048 bytes");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("it holds a space or a control character");
    }
    if text.starts_with('-') {
        return Err("it starts with `-`");
    }
    let helper = text.split_once("::").map_or("", |(helper, _)| helper);
    let word = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    if !helper.is_empty() && helper.chars().all(word) {
        return Err("addresses of remote helpers (`ext::`, `fd::` …) run programs and are refused");
    }
    Ok(())
}

fn local(text: &str) -> Result<PathBuf, &'static str> {
    let path = text
        .strip_prefix("file://")
        .map(|rest| rest.strip_prefix("localhost").unwrap_or(rest))
        .filter(|rest| rest.starts_with('/'))
        .ok_or("a `file://` address needs an absolute path and no host: file:///path")?;
    Ok(PathBuf::from(decoded(path)?))
}

fn remote(scheme: &str, text: &str) -> Result<RemoteUrl, &'static str> {
    let scheme = ["https", "http", "ssh", "git"]
        .into_iter()
        .find(|known| *known == scheme)
        .ok_or("its scheme is not one of https, http, ssh, git, file")?;
    let mut url = Url::parse(text).map_err(|_| "it cannot be read as a URL")?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or a fragment");
    }
    check_host(&decoded(url.host_str().unwrap_or(""))?)?;
    let user = decoded(url.username())?;
    check_user(&user)?;
    let path = decoded(url.path())?;
    if path.trim_matches('/').is_empty() {
        return Err("it has no path");
    }
    if path.trim_start_matches('/').starts_with('-') {
        return Err("its path starts with `-`");
    }
    let password = decoded(url.password().unwrap_or(""))?;
    let login = match scheme {
        "http" | "https" if !user.is_empty() || !password.is_empty() => {
            let origin = url.origin().ascii_serialization();
            // Neither can fail for an address with a host.
            let _ = url.set_username("").and(url.set_password(None));
            Some(Arc::new(Login {
                user,
                password,
                origin,
            }))
        }
        "ssh" if !password.is_empty() => return Err("ssh takes keys, not a password"),
        "git" if !user.is_empty() || !password.is_empty() => {
            return Err("the git protocol knows no users");
        }
        _ => None,
    };
    Ok(RemoteUrl {
        address: url.into(),
        scheme,
        login,
    })
}

/// `[user@]host:path`, as ssh clients write it.
fn scp_form(text: &str) -> Result<RemoteUrl, &'static str> {
    const FORM: &str = "it is neither an absolute path, a URL, nor user@host:path";
    let split = match text.find(']') {
        Some(end) if text[end + 1..].starts_with(':') => end + 1,
        Some(_) => return Err(FORM),
        None => text.find(':').ok_or(FORM)?,
    };
    let (login, path) = (&text[..split], &text[split + 1..]);
    if login.contains('/') {
        return Err(FORM);
    }
    let (user, host) = login.rsplit_once('@').unwrap_or(("", login));
    check_user(user)?;
    check_host(host)?;
    if path.trim_matches('/').is_empty() {
        return Err("it has no path");
    }
    if path.starts_with('-') {
        return Err("its path starts with `-`");
    }
    Ok(RemoteUrl {
        address: text.to_owned(),
        scheme: "ssh",
        login: None,
    })
}

fn check_host(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("it has no host");
    }
    if host.starts_with('-') {
        return Err("its host starts with `-`");
    }
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let fine = match address {
        Some(address) => address
            .chars()
            .all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.'),
        None => host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    if fine {
        Ok(())
    } else {
        Err("its host holds characters that host names do not have")
    }
}

fn check_user(user: &str) -> Result<(), &'static str> {
    if user.starts_with('-') {
        return Err("its user starts with `-`");
    }
    let odd = |c: char| c.is_control() || c.is_whitespace() || "'\"`$\\;&|<>(){}".contains(c);
    if user.chars().any(odd) {
        return Err("its user holds characters that user names do not have");
    }
    Ok(())
}

fn decoded(part: &str) -> Result<String, &'static str> {
    let text = percent_decode_str(part)
        .decode_utf8()
        .map_err(|_| "it is not UTF-8 once decoded")?;
    if text.chars().any(char::is_control) {
        return Err("it holds an encoded control character");
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://example.com/a/b.git", "https")]
    #[case("http://127.0.0.1:8080/a.git", "http")]
    #[case("https://[::1]:8443/a.git", "https")]
    #[case("ssh://git@example.com:2222/a/b.git", "ssh")]
    #[case("ssh://[::1]/a.git", "ssh")]
    #[case("git://example.com/a.git", "git")]
    #[case("git@example.com:a/b.git", "ssh")]
    #[case("example.com:/srv/a.git", "ssh")]
    #[case("git@[::1]:a.git", "ssh")]
    fn remotes_pass_unchanged(#[case] text: &str, #[case] scheme: &str) {
        match RepositoryAddress::parse(text).unwrap() {
            RepositoryAddress::Remote(url) => {
                assert_eq!((url.as_str(), url.scheme()), (text, scheme));
            }
            local => panic!("{local:?}"),
        }
    }

    #[rstest]
    #[case("/srv/git/a.git", "/srv/git/a.git")]
    #[case("file:///srv/a%20b.git", "/srv/a b.git")]
    #[case("file://localhost/srv/a.git", "/srv/a.git")]
    fn local_paths(#[case] text: &str, #[case] path: &str) {
        let local = RepositoryAddress::Local(path.into());
        assert_eq!(RepositoryAddress::parse(text), Ok(local));
    }

    #[rstest]
    #[case("", "empty")]
    #[case("ssh://-oProxyCommand=touch%20x/a", "`-`")]
    #[case("ssh://%2DoProxyCommand=x/a", "`-`")]
    #[case("ssh://-x@example.com/a", "`-`")]
    #[case("-oProxyCommand=x:a", "`-`")]
    #[case("git@-oProxyCommand=x:a", "`-`")]
    #[case("ssh://example.com/-a", "`-`")]
    #[case("git@example.com:--upload-pack=x", "`-`")]
    #[case("--upload-pack=touch", "`-`")]
    #[case("ext::sh -c id", "space")]
    #[case("ext::sh", "remote helpers")]
    #[case("ext::https://example.com/a", "remote helpers")]
    #[case("fd::17", "remote helpers")]
    #[case("a.b-c+d::x", "remote helpers")]
    #[case("ftp://example.com/a", "scheme")]
    #[case("file://example.com/a", "absolute")]
    #[case("relative/path", "neither")]
    #[case("../up", "neither")]
    #[case("https://example.com", "no path")]
    #[case("https://example.com/a?x=1", "query")]
    #[case("https://example.com/a#x", "fragment")]
    #[case("https://example.com/a\nb", "control")]
    #[case("https://u:p%0aq@example.com/a", "control")]
    #[case("ssh://a$(id)@example.com/a", "user")]
    #[case("ssh://exa$(id)mple/a", "host")]
    #[case("git://user@example.com/a", "users")]
    #[case("ssh://git:secret@example.com/a", "keys")]
    fn refused(#[case] text: &str, #[case] reason: &str) {
        let error = RepositoryAddress::parse(text).unwrap_err();
        assert!(error.reason.contains(reason), "{text}: {error}");
    }

    #[test]
    fn ten_kilobytes_are_refused() {
        let long = format!("https://example.com/{}", "a".repeat(10 << 10));
        assert!(RepositoryAddress::parse(&long).is_err());
    }

    #[test]
    fn the_password_is_kept_apart() {
        let address = RepositoryAddress::parse("https://me:s%2Fcret@example.com:8443/a.git");
        let Ok(RepositoryAddress::Remote(url)) = address else {
            panic!("{address:?}");
        };
        assert_eq!(url.as_str(), "https://example.com:8443/a.git");
        assert!(!format!("{url} {url:?}").contains("cret"));
        let login = url.login().unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("me", "s/cret")
        );
        assert_eq!(login.origin, "https://example.com:8443");
    }
}
