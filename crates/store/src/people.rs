//! People, their passwords and access tokens.

use serde::{Deserialize, Serialize};
use tappet_model::{RunId, Timestamp, TokenId, UserId};

use crate::{Listing, PageRequest, TokenHash, User, Verb};

/// A personal access token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    /// Id.
    pub id: TokenId,
    /// Whose.
    pub user_id: UserId,
    /// For people.
    pub name: String,
    /// For people, may be empty.
    pub description: String,
    /// `api`, `read_api` …
    pub scopes: Vec<String>,
    /// End of life.
    pub expires_at: Option<Timestamp>,
    /// Ended before its time.
    pub revoked_at: Option<Timestamp>,
    /// Last use, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When.
    pub created_at: Timestamp,
}

impl AccessToken {
    /// Whether it opens anything at that time.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}

/// A token to be.
#[derive(Clone, Debug)]
pub struct NewAccessToken {
    /// Whose.
    pub user_id: UserId,
    /// For people.
    pub name: String,
    /// For people, may be empty.
    pub description: String,
    /// What it reaches.
    pub scopes: Vec<String>,
    /// Hash of the token.
    pub hash: TokenHash,
    /// End of life.
    pub expires_at: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}

/// Which tokens are wanted; oldest first unless told otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TokenFilter {
    /// Of one person.
    pub user_id: Option<UserId>,
    /// Revoked, or not revoked.
    pub is_revoked: Option<bool>,
    /// Good for something at this time, or not.
    pub is_active: Option<(bool, Timestamp)>,
    /// A part of the name.
    pub search: Option<String>,
    /// Made after and before.
    pub created: Span,
    /// Last used after and before.
    pub last_used: Span,
    /// Ending after and before.
    pub expires: Span,
    /// Which first.
    pub order: TokenOrder,
}

/// A stretch of time; open where nothing is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// Exclusive.
    pub after: Option<Timestamp>,
    /// Exclusive.
    pub before: Option<Timestamp>,
}

/// Order of a list of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TokenOrder {
    /// Oldest first.
    #[default]
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
    /// Soonest end first, those without an end last.
    ExpiresAsc,
    /// Latest end first, those without an end last.
    ExpiresDesc,
    /// Longest unused first, those never used last.
    LastUsedAsc,
    /// Latest used first, those never used last.
    LastUsedDesc,
    /// By name.
    NameAsc,
    /// By name, backwards.
    NameDesc,
}

/// What people tell of themselves, or administrators of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// About them.
    pub bio: String,
    /// Where they are.
    pub location: String,
    /// Skype name.
    pub skype: String,
    /// LinkedIn name.
    pub linkedin: String,
    /// Twitter name.
    pub twitter: String,
    /// Discord id.
    pub discord: String,
    /// GitHub name.
    pub github: String,
    /// Web site.
    pub website_url: String,
    /// Employer.
    pub organization: String,
    /// What they do there.
    pub job_title: String,
    /// How to speak of them.
    pub pronouns: String,
    /// For administrators only.
    pub note: String,
    /// The person wants little to be shown.
    pub is_private: bool,
}

/// A person with what only they and administrators see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The person.
    pub user: User,
    /// What they tell.
    pub profile: Profile,
    /// They can sign in with a password.
    pub has_password: bool,
}

/// A person to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Login name, checked.
    pub username: String,
    /// Shown name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Instance administrator.
    pub is_admin: bool,
    /// Sees no internal projects.
    pub is_external: bool,
    /// PHC string; without one there is no signing in by password.
    pub password: Option<String>,
    /// What they tell.
    pub profile: Profile,
    /// Now.
    pub now: Timestamp,
}

/// What becomes of a person; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Login name, checked.
    pub username: Option<String>,
    /// Shown name.
    pub name: Option<String>,
    /// Address.
    pub email: Option<String>,
    /// Instance administrator.
    pub is_admin: Option<bool>,
    /// Sees no internal projects.
    pub is_external: Option<bool>,
    /// PHC string. Browser sessions end with the old password.
    pub password: Option<String>,
    /// What they tell.
    pub profile: Option<Profile>,
}

/// Which people are wanted; the newest first unless told otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PeopleFilter {
    /// Exactly this login name, case ignored.
    pub username: Option<String>,
    /// A part of login name or name, or the whole address.
    pub search: Option<String>,
    /// Blocked, or not blocked.
    pub is_blocked: Option<bool>,
    /// External, or not external.
    pub is_external: Option<bool>,
    /// Administrators, or everybody else.
    pub is_admin: Option<bool>,
    /// Members of no project.
    pub without_projects: bool,
    /// Added after and before.
    pub created: Span,
    /// Which first.
    pub order_by: PeopleOrder,
    /// Smallest first.
    pub ascending: bool,
}

/// Order of a list of people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PeopleOrder {
    /// By id, which is the order of creation.
    #[default]
    Id,
    /// By shown name.
    Name,
    /// By login name.
    Username,
}

/// What became of the wish to delete a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserDeletion {
    /// The person is gone with tokens, sessions and memberships.
    Deleted,
    /// They are the last owner of these projects.
    LastOwner {
        /// Full paths, at most five.
        projects: Vec<String>,
    },
    /// Something that stays was done by them or belongs to them.
    InUse {
        /// Words for it: `runs`, `triggers` …
        things: Vec<&'static str>,
    },
}

/// Verbs about people and their tokens.
pub trait People {
    /// A person with their profile.
    fn account(&self, id: UserId) -> Verb<'_, Option<Account>>;
    /// People.
    fn accounts(&self, filter: PeopleFilter, page: PageRequest) -> Verb<'_, Listing<Account>>;
    /// By login name, case ignored.
    fn user_by_username(&self, username: &str) -> Verb<'_, Option<User>>;
    /// By login name or address, with the PHC string of the password.
    fn user_to_sign_in(&self, login: &str) -> Verb<'_, Option<(User, Option<String>)>>;
    /// Fails with [`crate::StoreError::Taken`] for `email` or `username`.
    fn create_user(&self, new: NewUser) -> Verb<'_, Account>;
    /// Fails with [`crate::StoreError::Taken`] as above, or when nobody has this id.
    fn update_user(&self, id: UserId, change: UserChange) -> Verb<'_, Account>;
    /// Blocks or unblocks; sessions end with a block. `false`: nothing to change.
    fn set_blocked(&self, id: UserId, is_blocked: bool) -> Verb<'_, bool>;
    /// Removes a person who left nothing behind.
    fn delete_user(&self, id: UserId, now: Timestamp) -> Verb<'_, UserDeletion>;
    /// Runs of a person that have not ended.
    fn unfinished_runs_of(&self, id: UserId) -> Verb<'_, Vec<RunId>>;

    /// Adds a token.
    fn create_access_token(&self, new: NewAccessToken) -> Verb<'_, AccessToken>;
    /// One token, whatever became of it.
    fn access_token(&self, id: TokenId) -> Verb<'_, Option<AccessToken>>;
    /// The token with this hash, whatever became of it.
    fn access_token_by_hash(&self, hash: TokenHash) -> Verb<'_, Option<AccessToken>>;
    /// Tokens.
    fn access_tokens(
        &self,
        filter: TokenFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<AccessToken>>;
    /// Ends a token for good; `false` when it had ended so already.
    fn revoke_access_token(&self, id: TokenId, now: Timestamp) -> Verb<'_, bool>;
    /// Ends a token and puts another in its place, both or neither. `None` when
    /// it was revoked already.
    fn rotate_access_token(
        &self,
        id: TokenId,
        new: NewAccessToken,
    ) -> Verb<'_, Option<AccessToken>>;
}
