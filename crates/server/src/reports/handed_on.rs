//! Variables that earlier jobs hand on to later ones.

use tappet_model::Variable;

use crate::secrets::Secrets;

/// Binds the ciphertext to its purpose.
pub(crate) const CONTEXT: &str = "dotenv-variables";

/// Stored variables that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot decrypt the variables of an earlier job's dotenv report: was secret.key replaced? \
     restore it from a backup"
)]
pub struct UnreadableReport;

/// Encrypts the variables of a report for the store.
pub(super) fn seal(secrets: &Secrets, variables: &[Variable]) -> Vec<u8> {
    let json = serde_json::to_vec(variables).expect("variables are plain data");
    secrets.seal(&json, CONTEXT)
}

/// The variables of all reports in order; later ones win.
///
/// # Errors
/// One of them cannot be decrypted.
pub fn handed_on(secrets: &Secrets, sealed: &[Vec<u8>]) -> Result<Vec<Variable>, UnreadableReport> {
    let mut all = Vec::new();
    for sealed in sealed {
        let json = secrets
            .unseal(sealed, CONTEXT)
            .map_err(|_| UnreadableReport)?;
        let variables: Vec<Variable> =
            serde_json::from_slice(&json).map_err(|_| UnreadableReport)?;
        all.extend(variables);
    }
    Ok(all)
}
