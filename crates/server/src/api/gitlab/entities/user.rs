//! A person in full.

use serde::Serialize;
use tappet_store::Account;
use utoipa::ToSchema;

use super::Time;
use super::user_basic::UserBasic;
use crate::config::Config;
use crate::rights;

/// Who looks at a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Onlooker {
    /// Somebody else.
    Other,
    /// The person.
    Oneself,
    /// An administrator.
    Admin,
}

/// GitLab: `API::Entities::User`, and for oneself and administrators
/// `UserPublic` and `UserWithAdmin`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct User<'a> {
    #[serde(flatten)]
    basic: UserBasic<'a>,
    created_at: Time,
    bio: &'a str,
    location: &'a str,
    skype: &'a str,
    linkedin: &'a str,
    twitter: &'a str,
    discord: &'a str,
    github: &'a str,
    website_url: &'a str,
    organization: &'a str,
    job_title: &'a str,
    pronouns: Option<&'a str>,
    bot: bool,
    work_information: Option<String>,
    #[serde(flatten)]
    own: Option<OwnPart<'a>>,
    #[serde(flatten)]
    admin: Option<AdminPart<'a>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct OwnPart<'a> {
    /// There is no waiting for a mail: accounts count from their creation.
    confirmed_at: Time,
    email: &'a str,
    commit_email: &'a str,
    identities: Vec<&'a str>,
    can_create_group: bool,
    can_create_project: bool,
    two_factor_enabled: bool,
    external: bool,
    private_profile: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct AdminPart<'a> {
    is_admin: bool,
    note: &'a str,
}

impl<'a> User<'a> {
    /// Shows a person to an onlooker.
    pub fn of(config: &Config, account: &'a Account, onlooker: Onlooker) -> Self {
        let Account { user, profile, .. } = account;
        let own = (onlooker != Onlooker::Other).then(|| OwnPart {
            confirmed_at: Time(user.created_at),
            email: &user.email,
            commit_email: &user.email,
            identities: Vec::new(),
            can_create_group: false,
            can_create_project: rights::can_create_project(user),
            two_factor_enabled: false,
            external: user.is_external,
            private_profile: profile.is_private,
        });
        let admin = (onlooker == Onlooker::Admin).then_some(AdminPart {
            is_admin: user.is_admin,
            note: &profile.note,
        });
        let is_shown = !profile.is_private || onlooker != Onlooker::Other;
        let text = |text: &'a str| if is_shown { text } else { "" };
        Self {
            basic: UserBasic::of(config, user),
            created_at: Time(user.created_at),
            bio: text(&profile.bio),
            location: text(&profile.location),
            skype: text(&profile.skype),
            linkedin: text(&profile.linkedin),
            twitter: text(&profile.twitter),
            discord: text(&profile.discord),
            github: text(&profile.github),
            website_url: text(&profile.website_url),
            organization: text(&profile.organization),
            job_title: text(&profile.job_title),
            pronouns: Some(text(&profile.pronouns)).filter(|text| !text.is_empty()),
            bot: false,
            work_information: work(text(&profile.job_title), text(&profile.organization)),
            own,
            admin,
        }
    }
}

/// `Engineer at Acme`.
fn work(title: &str, organization: &str) -> Option<String> {
    match (title, organization) {
        ("", "") => None,
        (title, "") => Some(title.to_owned()),
        ("", organization) => Some(organization.to_owned()),
        (title, organization) => Some(format!("{title} at {organization}")),
    }
}
