//! Given variables: checked, and kept encrypted with their run.

use tappet_model::Variable;

use crate::secrets::Secrets;

/// Binds the ciphertext to its purpose.
pub const CONTEXT: &str = "run-variables";

/// Stored variables that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot decrypt the run's variables: was secret.key replaced? restore it from a backup")]
pub struct UnsealError;

/// Encrypts variables for the store.
pub fn seal(secrets: &Secrets, variables: &[Variable]) -> Vec<u8> {
    let json = serde_json::to_vec(variables).expect("variables are plain data");
    secrets.seal(&json, CONTEXT)
}

/// Decrypts variables from the store.
pub fn unseal(secrets: &Secrets, sealed: &[u8]) -> Result<Vec<Variable>, UnsealError> {
    let json = secrets.unseal(sealed, CONTEXT).map_err(|_| UnsealError)?;
    serde_json::from_slice(&json).map_err(|_| UnsealError)
}

/// GitLab's complaint about names given twice, or `None`.
pub fn duplicates(variables: &[Variable]) -> Option<String> {
    let mut twice: Vec<&str> = Vec::new();
    for (at, variable) in variables.iter().enumerate() {
        let key = variable.key.as_str();
        if variables[..at].iter().any(|earlier| earlier.key == key) && !twice.contains(&key) {
            twice.push(key);
        }
    }
    match twice.as_slice() {
        [] => None,
        [one] => Some(format!("Duplicate variable name: {one}")),
        more => Some(format!("Duplicate variable names: {}", more.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(keys: &[&str]) -> Vec<Variable> {
        keys.iter().map(|key| Variable::new(*key, "x")).collect()
    }

    #[test]
    fn names_given_twice_are_named_once() {
        assert_eq!(duplicates(&variables(&["A", "B"])), None);
        let one = duplicates(&variables(&["A", "A", "A"]));
        assert_eq!(one.as_deref(), Some("Duplicate variable name: A"));
        let two = duplicates(&variables(&["A", "B", "B", "A"]));
        assert_eq!(two.as_deref(), Some("Duplicate variable names: B, A"));
    }
}
