//! What jobs with steps put out for later ones, kept encrypted because it may hold
//! anything.

use crate::intake::OUTPUTS_CONTEXT;
use crate::secrets::Secrets;

/// Stored outputs that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot decrypt the outputs of an earlier job: was secret.key replaced? restore it from a backup"
)]
pub struct OutputsError;

/// Encrypts outputs for the store.
pub fn seal(secrets: &Secrets, outputs: &[(String, String)]) -> Vec<u8> {
    let json = serde_json::to_vec(outputs).expect("outputs are plain data");
    secrets.seal(&json, OUTPUTS_CONTEXT)
}

/// Decrypts what the store kept; none when nothing was put out.
pub fn unseal(
    secrets: &Secrets,
    sealed: Option<&[u8]>,
) -> Result<Vec<(String, String)>, OutputsError> {
    let Some(sealed) = sealed else {
        return Ok(Vec::new());
    };
    let json = secrets
        .unseal(sealed, OUTPUTS_CONTEXT)
        .map_err(|_| OutputsError)?;
    serde_json::from_slice(&json).map_err(|_| OutputsError)
}
