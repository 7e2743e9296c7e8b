//! Parts of addresses: projects, path segments, queries.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value as one segment of a path.
pub fn segment(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// `?a=1&b=2` of the parameters that have a value; empty when none has.
pub fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", segment((*value)?))));
    let joined = given.collect::<Vec<_>>().join("&");
    if joined.is_empty() {
        joined
    } else {
        format!("?{joined}")
    }
}

/// A project as a person names it: by number or full path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProjectName(String);

impl ProjectName {
    /// `/projects/acme%2Fweb` with something behind it.
    pub fn path(&self, rest: &str) -> String {
        format!("/projects/{}{rest}", segment(&self.0))
    }
}

impl FromStr for ProjectName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.trim_matches('/');
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || name.contains('/') {
            Ok(Self(name.to_owned()))
        } else {
            Err("a project is named by its number or its full path, as in acme/web".to_owned())
        }
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_one_segment() {
        let name: ProjectName = "acme/web.app".parse().unwrap();
        assert_eq!(name.path("/triggers"), "/projects/acme%2Fweb.app/triggers");
        assert_eq!(
            "12".parse::<ProjectName>().unwrap().path(""),
            "/projects/12"
        );
        assert!("web".parse::<ProjectName>().is_err());
    }

    #[test]
    fn only_given_parameters_are_sent() {
        let sent = query(&[("ref", Some("a&b")), ("scope", None), ("x", Some(""))]);
        assert_eq!(sent, "?ref=a%26b&x=");
        assert_eq!(query(&[("scope", None)]), "");
    }
}
