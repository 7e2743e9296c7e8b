//! A new `secret.key`, and everything that is encrypted moved over to it.
//!
//! Three steps, each of which a crash leaves done or not done: the file gets the
//! new key in front of the old ones; batch by batch every value is sealed anew;
//! the file loses the old keys. A server that finds old keys in its file opens
//! values of any of them and finishes what was begun. Values are only compared
//! and swapped, so doing a step again changes nothing.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use tappet_model::AttemptId;
use tappet_store::{
    Resealed, SealedPlace, SealedValue, SqliteOptions, SqliteStore, Store, StoreError,
};

use crate::app::{App, SharedApp};
use crate::data_dir::{DataDir, DataDirError};
use crate::secrets::{Secrets, UnsealError, key_file};
use crate::{
    forge_secrets, intake, push_hook, reports, schedules, settings_variables, trigger_tokens,
    webhooks, workflow_settings,
};

/// Values that are sealed anew in one commit.
const BATCH: u32 = 500;

/// Why a rotation did not come to its end. It can be called again.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A server runs, or the directory is none.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The key file.
    #[error(transparent)]
    KeyFile(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that no key opens. The old keys stay.
    #[error("row {id} of the {place}: {source}")]
    Sealed {
        /// Which kind of value.
        place: &'static str,
        /// Which one.
        id: i64,
        /// Why.
        source: UnsealError,
    },
}

/// How a rotation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotated {
    /// Values that were sealed anew.
    pub values: u64,
    /// Jobs that still run with tokens of the old key; the server that sees them
    /// end removes it.
    pub running_jobs: usize,
}

/// Gives a data directory that no server uses a new key, and moves everything to it.
///
/// # Errors
/// See [`RotationError`].
pub async fn rotate(data_dir: &Path) -> Result<Rotated, RotationError> {
    // A directory without a key is none of ours, and must not become one.
    std::fs::metadata(key_path(data_dir)).map_err(|error| {
        let text = format!("there is no secret.key in {}: {error}", data_dir.display());
        io::Error::new(error.kind(), text)
    })?;
    let data_dir = DataDir::open(data_dir)?;
    let dir = data_dir.path();
    let store = SqliteStore::open(&dir.join("tappet.db"), SqliteOptions::default())?;
    key_file::add(&key_path(dir))?;
    let secrets = Secrets::open(dir)?;
    let rotated = finish(&store, &secrets, dir).await;
    let closed = store.close().await;
    let rotated = rotated?;
    closed?;
    Ok(rotated)
}

async fn finish(
    store: &dyn Store,
    secrets: &Secrets,
    dir: &Path,
) -> Result<Rotated, RotationError> {
    let values = reseal_all(store, secrets).await?;
    let running_jobs = store.executing_attempts().await?.len();
    if running_jobs == 0 {
        key_file::drop_retired(&key_path(dir))?;
    }
    Ok(Rotated {
        values,
        running_jobs,
    })
}

/// Before anything is served: tokens are found by hashes of the current key.
///
/// # Errors
/// See [`RotationError`].
pub async fn move_tokens(store: &dyn Store, secrets: &Secrets) -> Result<(), RotationError> {
    if secrets.has_retired_keys() {
        reseal(store, secrets, SealedPlace::TriggerTokens).await?;
    }
    Ok(())
}

/// Finishes a rotation beside the work of a server: everything else is sealed
/// anew, and once no job runs with a token of an old key, the old keys go.
pub async fn watch(app: SharedApp) {
    if !app.secrets.has_retired_keys() {
        return;
    }
    let before: HashSet<AttemptId> = app.held.ids().into_iter().collect();
    if let Err(error) = move_rest(&app, &before).await {
        tracing::error!(%error, "cannot finish the rotation of secret.key; the old keys stay");
    }
}

async fn move_rest(app: &App, before: &HashSet<AttemptId>) -> Result<(), RotationError> {
    reseal_all(app.store.as_ref(), &app.secrets).await?;
    loop {
        let ended = app.held.next_release();
        if !app.held.ids().iter().any(|id| before.contains(id)) {
            break;
        }
        tokio::select! {
            () = ended => {}
            () = app.shutdown.cancelled() => return Ok(()),
        }
    }
    key_file::drop_retired(&key_path(&app.config.data_dir))?;
    tracing::info!("the rotation of secret.key is finished: nothing needs the old keys");
    Ok(())
}

fn key_path(dir: &Path) -> PathBuf {
    dir.join("secret.key")
}

/// Seals everything with the current key, until a look at all places finds nothing
/// else; gives how many values.
async fn reseal_all(store: &dyn Store, secrets: &Secrets) -> Result<u64, RotationError> {
    let mut values = 0;
    loop {
        let before = values;
        for place in SealedPlace::ALL {
            values += reseal(store, secrets, place).await?;
        }
        if values == before {
            return Ok(values);
        }
    }
}

/// Seals everything of one kind with the current key; gives how many values.
async fn reseal(
    store: &dyn Store,
    secrets: &Secrets,
    place: SealedPlace,
) -> Result<u64, RotationError> {
    let mut after = 0;
    let mut values = 0;
    while let Some(last) = reseal_batch(store, secrets, place, after, &mut values).await? {
        after = last;
    }
    Ok(values)
}

/// One commit's worth of values; gives the last row of them.
async fn reseal_batch(
    store: &dyn Store,
    secrets: &Secrets,
    place: SealedPlace,
    after: i64,
    values: &mut u64,
) -> Result<Option<i64>, RotationError> {
    let number = secrets.current_number();
    let old = store
        .sealed_with_other_keys(place, number, after, BATCH)
        .await?;
    let Some(last) = old.last().map(|value| value.id) else {
        return Ok(None);
    };
    let new = old
        .into_iter()
        .map(|value| resealed(secrets, place, value))
        .collect::<Result<Vec<_>, _>>()?;
    *values += u64::try_from(new.len()).unwrap_or(u64::MAX);
    store.reseal(place, new).await?;
    Ok(Some(last))
}

fn resealed(
    secrets: &Secrets,
    place: SealedPlace,
    value: SealedValue,
) -> Result<Resealed, RotationError> {
    let (context, name) = match place {
        SealedPlace::TriggerTokens => (trigger_tokens::SEAL_CONTEXT, "triggers"),
        SealedPlace::RunVariables => (intake::VARIABLES_CONTEXT, "variables of runs"),
        SealedPlace::RunEvents => (intake::EVENT_CONTEXT, "events of runs"),
        SealedPlace::JobVariables => (intake::VARIABLES_CONTEXT, "variables of jobs"),
        SealedPlace::DotenvVariables => (reports::DOTENV_CONTEXT, "dotenv reports"),
        SealedPlace::JobOutputs => (intake::OUTPUTS_CONTEXT, "outputs of jobs"),
        SealedPlace::SettingsVariables => {
            (settings_variables::SEAL_CONTEXT, "variables in settings")
        }
        SealedPlace::ScheduleVariables => (schedules::SEAL_CONTEXT, "variables of schedules"),
        SealedPlace::PushHooks => (push_hook::SEAL_CONTEXT, "secrets of push hooks"),
        SealedPlace::Webhooks => (webhooks::SEAL_CONTEXT, "secrets of webhooks"),
        SealedPlace::WorkflowSettings => (
            workflow_settings::SEAL_CONTEXT,
            "secrets and variables of workflows",
        ),
        SealedPlace::ForgeTokens => (forge_secrets::TOKEN_CONTEXT, "tokens of forges"),
        SealedPlace::ForgeSecrets => (forge_secrets::WEBHOOK_CONTEXT, "secrets of forges"),
    };
    let SealedValue { id, sealed } = value;
    let plain = secrets
        .unseal(&sealed, context)
        .map_err(|source| RotationError::Sealed {
            place: name,
            id,
            source,
        })?;
    let token_hash = match place {
        SealedPlace::TriggerTokens => {
            let token = String::from_utf8_lossy(&plain);
            Some(secrets.keyed_hash(&token))
        }
        _ => None,
    };
    Ok(Resealed {
        id,
        new: secrets.seal(&plain, context),
        old: sealed,
        token_hash,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{ProjectId, Timestamp, TriggerId, VariableKind};
    use tappet_store::{
        IfPresent, NewProject, NewSettingsVariable, NewTrigger, NewWorkflowVariant,
        RepositorySource, SettingKind, SettingsVariables, TriggerCreation, Triggers, VariableLevel,
        VariableTraits, VariantAttributes, WorkflowSettings,
    };

    use super::*;
    use crate::secrets::hash;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    struct World {
        dir: tempfile::TempDir,
        project: ProjectId,
        trigger: TriggerId,
    }

    fn open(dir: &Path) -> (SqliteStore, Secrets) {
        let store = SqliteStore::open(&dir.join("tappet.db"), SqliteOptions::default());
        (
            store.expect("the database opens"),
            Secrets::open(dir).expect("the keys open"),
        )
    }

    impl World {
        /// A project with a trigger and more variables than go into one batch.
        async fn new() -> Self {
            let dir = tempfile::tempdir().expect("a temporary directory can be made");
            let (store, secrets) = open(dir.path());
            let root = store
                .ensure_root(hash("root"), NOW)
                .await
                .expect("root is made");
            let project = store.create_project(new_project(root.id)).await;
            let project = project.expect("the project is made").id;
            let trigger = store
                .create_trigger(NewTrigger {
                    project_id: project,
                    owner_id: Some(root.id),
                    description: String::new(),
                    token_hash: secrets.keyed_hash("glptt-1"),
                    sealed_token: secrets.seal(b"glptt-1", trigger_tokens::SEAL_CONTEXT),
                    short_token: "1".into(),
                    expires_at: None,
                    project_limit: 1,
                    now: NOW,
                })
                .await
                .expect("the trigger is made");
            let TriggerCreation::Created(trigger) = trigger else {
                panic!("the project has room for a trigger");
            };
            for at in 0..BATCH + 2 {
                let made = store.create_settings_variable(variable(&secrets, at)).await;
                made.expect("the variable is made");
            }
            Self {
                dir,
                project,
                trigger: trigger.id,
            }
        }

        /// Every value can be read, and the trigger is found by its token once
        /// tokens were moved, as each start does.
        async fn check(&self) {
            let (store, secrets) = open(self.dir.path());
            move_tokens(&store, &secrets).await.expect("tokens move");
            let found = store.trigger_by_hash(secrets.keyed_hash("glptt-1")).await;
            let found = found
                .expect("the database answers")
                .expect("the token is known");
            assert_eq!(found.id, self.trigger);
            let token = secrets.unseal(&found.sealed_token, trigger_tokens::SEAL_CONTEXT);
            assert_eq!(token.as_deref(), Ok(&b"glptt-1"[..]));
            let project = store
                .project(self.project)
                .await
                .expect("the database answers");
            let project = project.expect("the project is there");
            let all = store.settings_variables_for(&project).await;
            let all = all.expect("the database answers");
            assert_eq!(all.len(), BATCH as usize + 2);
            for one in all {
                let value = settings_variables::unseal(&secrets, &one);
                assert_eq!(value, Ok(format!("value of {}", one.key)));
            }
        }
    }

    fn new_project(creator_id: tappet_model::UserId) -> NewProject {
        NewProject {
            path: "acme/web".into(),
            name: "web".into(),
            description: String::new(),
            source: RepositorySource::Local("/srv/web".into()),
            default_branch: None,
            visibility: "private".into(),
            creator_id,
            now: NOW,
        }
    }

    fn variable(secrets: &Secrets, at: u32) -> NewSettingsVariable {
        let key = format!("A{at}");
        NewSettingsVariable {
            level: VariableLevel::Instance,
            sealed_value: settings_variables::seal(secrets, &format!("value of {key}")),
            key,
            is_hidden: false,
            traits: VariableTraits {
                kind: VariableKind::EnvVar,
                is_protected: false,
                is_masked: false,
                is_raw: false,
                environment_scope: "*".into(),
                description: None,
            },
            now: NOW,
        }
    }

    #[rstest]
    #[case::before_anything_is_sealed_anew(0)]
    #[case::between_two_places(1)]
    #[case::before_the_old_key_goes(SealedPlace::ALL.len())]
    #[tokio::test]
    async fn nothing_is_lost_wherever_a_rotation_is_killed(#[case] places: usize) {
        let world = World::new().await;
        let dir = world.dir.path();
        key_file::add(&key_path(dir)).unwrap();
        let (store, secrets) = open(dir);
        for place in &SealedPlace::ALL[..places] {
            reseal(&store, &secrets, *place).await.unwrap();
        }
        drop(store);
        world.check().await;
        let (store, secrets) = open(dir);
        finish(&store, &secrets, dir).await.unwrap();
        drop(store);
        assert!(!Secrets::open(dir).unwrap().has_retired_keys());
        world.check().await;
    }

    #[tokio::test]
    async fn nothing_is_lost_when_a_rotation_is_killed_between_two_batches() {
        let world = World::new().await;
        let dir = world.dir.path();
        key_file::add(&key_path(dir)).unwrap();
        let (store, secrets) = open(dir);
        let place = SealedPlace::SettingsVariables;
        let mut values = 0;
        let last = reseal_batch(&store, &secrets, place, 0, &mut values).await;
        assert_eq!((last.unwrap().is_some(), values), (true, u64::from(BATCH)));
        drop(store);
        world.check().await;
        // A second rotation before the first one ended.
        let rotated = rotate(dir).await.unwrap();
        assert_eq!(
            (rotated.values, rotated.running_jobs),
            (u64::from(BATCH) + 3, 0)
        );
        assert!(!Secrets::open(dir).unwrap().has_retired_keys());
        world.check().await;
    }

    #[tokio::test]
    async fn a_value_that_no_key_opens_keeps_the_old_keys() {
        let world = World::new().await;
        let dir = world.dir.path();
        let (store, secrets) = open(dir);
        let mut broken = variable(&secrets, 9999);
        broken.sealed_value[10] ^= 1;
        store.create_settings_variable(broken).await.unwrap();
        drop(store);
        let error = rotate(dir).await.unwrap_err().to_string();
        assert!(error.contains("of the variables in settings"), "{error}");
        assert!(Secrets::open(dir).unwrap().has_retired_keys());
    }

    #[tokio::test]
    async fn secrets_of_workflows_move_along() {
        let world = World::new().await;
        let dir = world.dir.path();
        let (store, secrets) = open(dir);
        let secret = NewWorkflowVariant {
            kind: SettingKind::Secret,
            setting: "KEY".into(),
            name: "default".into(),
            attributes: VariantAttributes::default(),
            sealed_value: secrets.seal(b"s3cr3t", workflow_settings::SEAL_CONTEXT),
            description: None,
        };
        let kept = store.keep_workflow_variants(vec![secret], IfPresent::Refuse, NOW);
        kept.await.unwrap();
        drop(store);
        rotate(dir).await.unwrap();
        let (store, secrets) = open(dir);
        let all = store.workflow_settings(None).await.unwrap();
        let sealed = &all[0].variants[0].sealed_value;
        assert_eq!(sealed[0], secrets.current_number());
        let value = secrets.unseal(sealed, workflow_settings::SEAL_CONTEXT);
        assert_eq!(value.as_deref(), Ok(&b"s3cr3t"[..]));
    }

    #[tokio::test]
    async fn a_running_server_and_a_strange_directory_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let strange = dir.path().join("strange");
        assert!(rotate(&strange).await.is_err());
        assert!(!strange.exists());
        Secrets::open(dir.path()).unwrap();
        let _server = DataDir::open(dir.path()).unwrap();
        let error = rotate(dir.path()).await.unwrap_err();
        assert!(matches!(error, RotationError::DataDir(_)), "{error}");
        assert!(!Secrets::open(dir.path()).unwrap().has_retired_keys());
    }
}
