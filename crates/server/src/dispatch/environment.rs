//! The variables that tell a job about its environment (GitLab:
//! `variables/builder.rb`, `Ci::Build#persisted_environment_variables`).
//!
//! There is no `CI_ENVIRONMENT_ID`: environments are not kept, so none has an id.

use sha2::{Digest, Sha256};
use tappet_model::{Environment, Variable};

/// The longest slug, in bytes; a limit of Kubernetes' labels and OpenShift.
const MAX_SLUG: usize = 24;

/// Characters of a changed slug that come from the name.
const KEPT: usize = 17;

/// Digits that make a changed slug its own again.
const SUFFIX: usize = 6;

/// What rules may look at and anybody may set otherwise.
pub fn predefined(environment: &Environment) -> Vec<Variable> {
    let name = Variable {
        raw: true,
        ..Variable::new("CI_ENVIRONMENT_NAME", environment.name.as_str())
    };
    let action = environment.action.as_str();
    let tier = environment.tier().as_str();
    let mut variables = vec![
        name,
        Variable::new("CI_ENVIRONMENT_ACTION", action),
        Variable::new("CI_ENVIRONMENT_TIER", tier),
    ];
    variables.extend(url(environment));
    variables
}

/// What only the job itself gets, over whatever else is set.
pub fn of_job(environment: &Environment) -> Vec<Variable> {
    let slug = Variable::new("CI_ENVIRONMENT_SLUG", slug(&environment.name));
    std::iter::once(slug).chain(url(environment)).collect()
}

/// As written: its references are expanded with all variables of the job.
fn url(environment: &Environment) -> Option<Variable> {
    let url = environment.url.as_deref()?;
    Some(Variable::new("CI_ENVIRONMENT_URL", url))
}

/// A name fit for host names: `a-z`, `0-9` and single `-`, begins with a letter,
/// at most 24 bytes. Where that is not the name itself, six digits made of the
/// name follow (GitLab: `Gitlab::Slug::Environment`).
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    let lower = name.to_lowercase();
    if !lower.starts_with(|c: char| c.is_ascii_lowercase()) {
        slug.push_str("env-");
    }
    for c in lower.chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if slug == name && slug.len() <= MAX_SLUG {
        return slug.strip_suffix('-').unwrap_or(&slug).to_owned();
    }
    slug.truncate(KEPT);
    if !slug.ends_with('-') {
        slug.push('-');
    }
    slug + &suffix(name)
}

/// The last digits of the name's SHA-256 in base 36.
fn suffix(name: &str) -> String {
    const BASE: u64 = 36;
    let modulus = BASE.pow(SUFFIX as u32);
    let digest = Sha256::digest(name.as_bytes());
    let mut rest = digest.iter().fold(0, |rest: u64, byte| {
        (rest * 256 + u64::from(*byte)) % modulus
    });
    let mut digits = [b'0'; SUFFIX];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % BASE) as usize];
        rest /= BASE;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The names of GitLab's own test (`spec/lib/gitlab/slug/environment_spec.rb`).
    #[rstest]
    #[case("staging-12345678901234567", "staging-123456789-s729ne")]
    #[case("9-staging-123456789012345", "env-9-staging-123-f6hm7j")]
    #[case("staging-1234567890123456", "staging-1234567890123456")]
    #[case("staging-1234567890123456-", "staging-123456789-y52hkh")]
    #[case("production", "production")]
    #[case("PRODUCTION", "production-vl4voz")]
    #[case("review/1-foo", "review-1-foo-9tdj0u")]
    #[case("1-foo", "env-1-foo-1k46wz")]
    #[case("1/foo", "env-1-foo-t4rmb4")]
    #[case("foo-", "foo")]
    #[case("foo--bar", "foo-bar-q006cp")]
    #[case("foo**bar", "foo-bar-3jfdn1")]
    #[case("*-foo", "env-foo-i1o6om")]
    #[case("staging-12345678-", "staging-12345678")]
    fn names_and_their_slugs(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(slug(name), expected);
    }
}
