//! Values that the caller has encrypted, wherever they are kept: what a rotation
//! of keys goes through.

use crate::{TokenHash, Verb};

/// A column of encrypted values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealedPlace {
    /// Tokens of triggers, which are also found by a keyed hash.
    TriggerTokens,
    /// Variables that runs were started with.
    RunVariables,
    /// Events that brought runs of workflows about.
    RunEvents,
    /// Variables that jobs were played with.
    JobVariables,
    /// Variables that jobs reported for later jobs.
    DotenvVariables,
    /// Outputs of jobs with steps.
    JobOutputs,
    /// Variables kept in settings.
    SettingsVariables,
    /// Variables of schedules.
    ScheduleVariables,
    /// Secrets that sign pushes.
    PushHooks,
    /// Tokens and headers of webhooks.
    Webhooks,
    /// Secrets and variables of workflows.
    WorkflowSettings,
    /// Tokens with which forges are called.
    ForgeTokens,
    /// Secrets with which forges sign their webhooks.
    ForgeSecrets,
}

impl SealedPlace {
    /// All of them. Tokens come first: their hashes are needed before anything is
    /// served.
    pub const ALL: [SealedPlace; 13] = [
        SealedPlace::TriggerTokens,
        SealedPlace::RunVariables,
        SealedPlace::RunEvents,
        SealedPlace::JobVariables,
        SealedPlace::DotenvVariables,
        SealedPlace::JobOutputs,
        SealedPlace::SettingsVariables,
        SealedPlace::ScheduleVariables,
        SealedPlace::PushHooks,
        SealedPlace::Webhooks,
        SealedPlace::WorkflowSettings,
        SealedPlace::ForgeTokens,
        SealedPlace::ForgeSecrets,
    ];
}

/// One encrypted value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedValue {
    /// Its row.
    pub id: i64,
    /// As stored; the first byte is the number of its key.
    pub sealed: Vec<u8>,
}

/// The same value encrypted anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resealed {
    /// Its row.
    pub id: i64,
    /// What must still be stored there.
    pub old: Vec<u8>,
    /// What takes its place.
    pub new: Vec<u8>,
    /// The new hash of a token.
    pub token_hash: Option<TokenHash>,
}

/// Verbs about encrypted values.
pub trait SealedValues {
    /// Values that were not sealed with the key of this number, from the row after
    /// `after` on, at most `limit`.
    fn sealed_with_other_keys(
        &self,
        place: SealedPlace,
        key_number: u8,
        after: i64,
        limit: u32,
    ) -> Verb<'_, Vec<SealedValue>>;
    /// Puts values in the place of others, all in one commit. What was changed or
    /// removed meanwhile stays as it is.
    fn reseal(&self, place: SealedPlace, values: Vec<Resealed>) -> Verb<'_, ()>;
}
