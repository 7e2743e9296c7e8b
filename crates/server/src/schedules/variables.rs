//! Variables of a schedule, encrypted in the store.

use tappet_model::Variable;
use tappet_store::ScheduleVariable;

use crate::intake::UnsealError;
use crate::secrets::Secrets;

/// Binds the ciphertext to its purpose.
pub const SEAL_CONTEXT: &str = "schedule-variable";

/// For the store.
pub fn seal(secrets: &Secrets, variable: &Variable) -> ScheduleVariable {
    ScheduleVariable {
        key: variable.key.clone(),
        sealed_value: secrets.seal(variable.value.as_bytes(), SEAL_CONTEXT),
        kind: variable.kind,
    }
}

/// From the store.
pub fn reveal(secrets: &Secrets, variable: ScheduleVariable) -> Result<Variable, UnsealError> {
    let plain = secrets
        .unseal(&variable.sealed_value, SEAL_CONTEXT)
        .map_err(|_| UnsealError)?;
    let value = String::from_utf8(plain).map_err(|_| UnsealError)?;
    Ok(Variable {
        kind: variable.kind,
        ..Variable::new(variable.key, value)
    })
}
