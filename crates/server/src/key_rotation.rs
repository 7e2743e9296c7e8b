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
use crate::{intake, push_hook, schedules, settings_variables, trigger_tokens, webhooks};

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
    let data_dir = DataDir::open(data_dir)?;
    let dir = data_dir.path();
    let store = SqliteStore::open(&dir.join("tappet.db"), SqliteOptions::default())?;
    Secrets::open(dir)?;
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
    let mut values = 0;
    for place in SealedPlace::ALL {
        values += reseal(store, secrets, place).await?;
    }
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
    for place in SealedPlace::ALL {
        reseal(app.store.as_ref(), &app.secrets, place).await?;
    }
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
        SealedPlace::SettingsVariables => {
            (settings_variables::SEAL_CONTEXT, "variables in settings")
        }
        SealedPlace::ScheduleVariables => (schedules::SEAL_CONTEXT, "variables of schedules"),
        SealedPlace::PushHooks => (push_hook::SEAL_CONTEXT, "secrets of push hooks"),
        SealedPlace::Webhooks => (webhooks::SEAL_CONTEXT, "secrets of webhooks"),
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
