//! What a person may be called, for creation and change alike.

use std::borrow::Cow;

use tappet_store::Profile;

use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::field_errors::FieldErrors;
use crate::api::gitlab::params::Checks;
use crate::api::gitlab::projects::is_reserved;
use crate::passwords;

/// Attributes of GitLab that this server does not keep.
const UNSUPPORTED: [&str; 12] = [
    "avatar",
    "can_create_group",
    "color_scheme_id",
    "commit_email",
    "extern_uid",
    "projects_limit",
    "provider",
    "public_email",
    "shared_runners_minutes_limit",
    "theme_id",
    "view_diffs_file_by_file",
    "auditor",
];

const LONGEST: usize = 255;

/// Attributes out of a call; what it does not name is `None`.
pub struct Attributes<'a> {
    pub email: Option<Cow<'a, str>>,
    pub username: Option<Cow<'a, str>>,
    pub name: Option<Cow<'a, str>>,
    pub password: Option<Cow<'a, str>>,
    pub is_admin: Option<bool>,
    pub is_external: Option<bool>,
    texts: Vec<(&'static str, Cow<'a, str>)>,
    private_profile: Option<bool>,
}

/// Texts of a profile by their parameter.
const PROFILE: [&str; 12] = [
    "bio",
    "location",
    "skype",
    "linkedin",
    "twitter",
    "discord",
    "website_url",
    "organization",
    "job_title",
    "pronouns",
    "note",
    "github",
];

impl<'a> Attributes<'a> {
    /// Reads everything but the names and the address, which are required in one
    /// call and optional in the other.
    pub fn read(checks: &mut Checks<'a>) -> Self {
        let texts = PROFILE
            .into_iter()
            .filter_map(|name| checks.text(name).map(|text| (name, text)))
            .collect();
        Self {
            email: None,
            username: None,
            name: None,
            password: checks.text("password"),
            is_admin: checks.boolean("admin"),
            is_external: checks.boolean("external"),
            texts,
            private_profile: checks.boolean("private_profile"),
        }
    }

    /// What a model of GitLab would find wrong, in its words.
    pub fn errors(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if let Some(email) = &self.email
            && !is_address(email)
        {
            errors.add("email", "is invalid");
        }
        if let Some(password) = &self.password
            && let Err(fault) = passwords::check(password)
        {
            errors.add("password", fault);
        }
        if let Some(name) = &self.name {
            if name.trim().is_empty() {
                errors.add("name", "can't be blank");
            } else {
                errors.limit_length("name", name);
            }
        }
        if let Some(username) = &self.username
            && let Some(fault) = username_fault(username)
        {
            errors.add("username", fault);
        }
        for (name, text) in self.texts.iter().filter(|(name, _)| *name != "note") {
            errors.limit_length(name, text);
        }
        errors
    }

    /// The profile with what is named here.
    pub fn applied_to(&self, mut profile: Profile) -> Profile {
        for (name, text) in &self.texts {
            let place = match *name {
                "bio" => &mut profile.bio,
                "location" => &mut profile.location,
                "skype" => &mut profile.skype,
                "linkedin" => &mut profile.linkedin,
                "twitter" => &mut profile.twitter,
                "discord" => &mut profile.discord,
                "website_url" => &mut profile.website_url,
                "organization" => &mut profile.organization,
                "job_title" => &mut profile.job_title,
                "pronouns" => &mut profile.pronouns,
                "github" => &mut profile.github,
                _ => &mut profile.note,
            };
            *place = text.as_ref().to_owned();
        }
        if let Some(is_private) = self.private_profile {
            profile.is_private = is_private;
        }
        profile
    }
}

/// 400 that names an attribute which this server cannot keep.
pub fn refuse_unsupported(call: &Call) -> ApiResult<()> {
    match UNSUPPORTED
        .iter()
        .find(|name| call.params.contains_key(**name))
    {
        Some(name) => Err(ApiError::bad_request(format!(
            "{name} is not kept by this server; leave it out"
        ))),
        None => Ok(()),
    }
}

/// GitLab's own test: something, one `@`, something, no blanks.
fn is_address(text: &str) -> bool {
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && text.len() <= LONGEST
                && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        }
        None => false,
    }
}

/// A login name is the first part of addresses, so it is as plain as they are.
fn username_fault(username: &str) -> Option<&'static str> {
    if username.is_empty() {
        return Some("can't be blank");
    }
    if username.len() < 2 {
        return Some("is too short (minimum is 2 characters)");
    }
    if username.len() > LONGEST {
        return Some("is too long (maximum is 255 characters)");
    }
    let lower = username.to_ascii_lowercase();
    let is_plain = username
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if !is_plain
        || username.starts_with(['-', '.'])
        || [".git", ".atom", "."]
            .iter()
            .any(|end| lower.ends_with(end))
    {
        return Some(
            "can contain only letters, digits, '_', '-' and '.'. \
             Cannot start with '-' or end in '.', '.git' or '.atom'.",
        );
    }
    is_reserved(&lower).then_some("is a reserved name")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ada", true)]
    #[case("Ada.L-1_x", true)]
    #[case("", false)]
    #[case("a", false)]
    #[case("-ada", false)]
    #[case("ada.", false)]
    #[case("ada.git", false)]
    #[case("ada/lovelace", false)]
    #[case("a b", false)]
    #[case("adä", false)]
    #[case("api", false)]
    fn login_names_are_plain(#[case] username: &str, #[case] is_good: bool) {
        assert_eq!(username_fault(username).is_none(), is_good);
    }

    #[rstest]
    #[case("ada@example.com", true)]
    #[case("ada@localhost", true)]
    #[case("ada", false)]
    #[case("@example.com", false)]
    #[case("ada@", false)]
    #[case("a da@example.com", false)]
    #[case("a@b@c", false)]
    fn addresses_have_two_sides(#[case] text: &str, #[case] is_good: bool) {
        assert_eq!(is_address(text), is_good);
    }
}
