//! Full paths of projects.

use tappet_store::User;

use crate::api::gitlab::errors::{ApiError, ApiResult};

/// First segments that belong to the server itself.
const RESERVED: [&str; 3] = ["api", "ci", "-"];

const MAX_BYTES: usize = 255;

/// Somebody else has the path.
pub fn taken() -> ApiError {
    ApiError::invalid("path", "has already been taken")
}

/// Puts a path of one segment under the user's name, and checks all segments.
pub fn full_path(path: String, user: &User) -> ApiResult<String> {
    let path = if path.contains('/') {
        path
    } else {
        format!("{}/{path}", user.username)
    };
    checked_path(path)
}

/// A full path whose segments are plain.
pub fn checked_path(path: String) -> ApiResult<String> {
    let refuse = |text: &str| Err(ApiError::invalid("path", text));
    if path.len() > MAX_BYTES {
        return refuse("is too long (maximum is 255 characters)");
    }
    let mut segments = path.split('/');
    if !segments.clone().all(is_segment) {
        return refuse(
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or '.', \
             end in '.git', '.atom' or '.', or hold an empty part.",
        );
    }
    let first = segments.next().unwrap_or_default().to_ascii_lowercase();
    if is_reserved(&first) {
        return refuse(&format!("{first} is a reserved name"));
    }
    Ok(path)
}

/// Whether a first segment, in lower case, belongs to the server itself.
pub fn is_reserved(first: &str) -> bool {
    RESERVED.contains(&first) || first.starts_with("depot.")
}

/// Whether a part of a path is plain.
pub fn is_segment(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase();
    !segment.is_empty()
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !segment.starts_with(['-', '.'])
        && ![".git", ".atom", "."]
            .iter()
            .any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{Timestamp, UserId};

    use super::*;

    fn root() -> User {
        User {
            id: UserId(1),
            username: "root".into(),
            name: "Administrator".into(),
            email: String::new(),
            is_admin: true,
            is_external: false,
            is_blocked: false,
            created_at: Timestamp(0),
        }
    }

    #[rstest]
    #[case("acme/web", Some("acme/web"))]
    #[case("a/b/c.d_e-f", Some("a/b/c.d_e-f"))]
    #[case("web", Some("root/web"))]
    #[case("apis/web", Some("apis/web"))]
    #[case("api/web", None)]
    #[case("CI/web", None)]
    #[case("depot.ci.v1/web", None)]
    #[case("-/web", None)]
    #[case("acme/", None)]
    #[case("/acme", None)]
    #[case("acme//web", None)]
    #[case("acme/../web", None)]
    #[case("acme/-web", None)]
    #[case("acme/web.git", None)]
    #[case("acme/we b", None)]
    #[case("acme/wéb", None)]
    fn paths_are_plain(#[case] asked: &str, #[case] expected: Option<&str>) {
        let full = full_path(asked.to_owned(), &root());
        assert_eq!(full.ok().as_deref(), expected);
    }
}
