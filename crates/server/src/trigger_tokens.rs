//! Trigger tokens: how they are made, kept and shown again.
//!
//! A token is found by its keyed hash and shown again by unsealing it, so the
//! store never holds it readable.

use tappet_model::{ProjectId, Timestamp, UserId};
use tappet_store::{NewTrigger, StoreResult, Trigger, TriggerCreation};

use crate::app::App;
use crate::clock;
use crate::secrets::UnsealError;

/// GitLab's prefix since 15.4; secret scanners know it.
pub const PREFIX: &str = "glptt-";

/// What a sealed trigger token is bound to.
pub const SEAL_CONTEXT: &str = "trigger-token";

/// What anybody may see of a token: four characters after the prefix.
pub fn short(token: &str) -> String {
    let secret = token.strip_prefix(PREFIX).unwrap_or(token);
    secret.chars().take(4).collect()
}

/// A trigger to be, with its token.
#[derive(Clone, Debug)]
pub struct TriggerDraft {
    /// Of which project.
    pub project_id: ProjectId,
    /// Whose rights its runs have; nobody's makes it a legacy trigger.
    pub owner_id: Option<UserId>,
    /// For people.
    pub description: String,
    /// The token itself.
    pub token: String,
    /// End of life.
    pub expires_at: Option<Timestamp>,
}

impl App {
    /// Remembers a trigger; its token is kept hashed and sealed.
    pub async fn add_trigger(&self, draft: TriggerDraft) -> StoreResult<TriggerCreation> {
        let token = &draft.token;
        let new = NewTrigger {
            project_id: draft.project_id,
            owner_id: draft.owner_id,
            token_hash: self.secrets.keyed_hash(token),
            sealed_token: self.secrets.seal(token.as_bytes(), SEAL_CONTEXT),
            short_token: short(token),
            description: draft.description,
            expires_at: draft.expires_at,
            project_limit: self.config.limits.triggers_per_project,
            now: clock::now(),
        };
        self.store.create_trigger(new).await
    }

    /// The whole token of a trigger.
    ///
    /// # Errors
    /// It was sealed with another key.
    pub fn trigger_token(&self, trigger: &Trigger) -> Result<String, UnsealError> {
        let plain = self.secrets.unseal(&trigger.sealed_token, SEAL_CONTEXT)?;
        String::from_utf8(plain).map_err(|_| UnsealError::NotAuthentic)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("glptt-abcdefgh", "abcd")]
    #[case("0123456789abcdef0123456789abcd", "0123")]
    #[case("abc", "abc")]
    fn four_characters_after_the_prefix_are_for_everybody(
        #[case] token: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(short(token), expected);
    }
}
