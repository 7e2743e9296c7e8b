//! What binds a project to its forge: where it is, what opens it, and the address at
//! which it calls back.

use tappet_forge::answer::{Api, BadBinding};
use tappet_model::ProjectId;
use tappet_store::ForgeBinding;

use crate::config::Config;
use crate::forge_secrets::{TOKEN_CONTEXT, WEBHOOK_CONTEXT};
use crate::secrets::{self, Secrets};

/// Webhook secrets that are made here begin so.
const SECRET_PREFIX: &str = "tpfh-";

/// The address to enter at the forge.
pub fn webhook_url(config: &Config, project: ProjectId) -> String {
    config.url(&format!("/-/hooks/forge/{project}"))
}

/// A new secret for webhooks.
pub fn new_webhook_secret() -> String {
    secrets::new_token(SECRET_PREFIX)
}

/// For the store.
pub fn seal_webhook_secret(secrets: &Secrets, secret: &str) -> Vec<u8> {
    secrets.seal(secret.as_bytes(), WEBHOOK_CONTEXT)
}

/// For the store.
pub fn seal_token(secrets: &Secrets, token: &str) -> Vec<u8> {
    secrets.seal(token.as_bytes(), TOKEN_CONTEXT)
}

/// From the store; `None` when `secret.key` was replaced.
pub fn webhook_secret(secrets: &Secrets, sealed: &[u8]) -> Option<String> {
    String::from_utf8(secrets.unseal(sealed, WEBHOOK_CONTEXT).ok()?).ok()
}

/// The token that a forge is called with; `None` when `secret.key` was replaced.
pub fn token(secrets: &Secrets, binding: &ForgeBinding) -> Option<String> {
    let plain = secrets.unseal(&binding.sealed_token, TOKEN_CONTEXT).ok()?;
    String::from_utf8(plain).ok()
}

/// Why a forge cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum NoApi {
    /// The key is another one.
    #[error("the token cannot be decrypted: was secret.key replaced? bind the project again")]
    Sealed,
    /// It was checked when it was set.
    #[error(transparent)]
    Binding(#[from] BadBinding),
}

/// The forge's API, ready to be called.
pub fn api(secrets: &Secrets, binding: &ForgeBinding) -> Result<Api, NoApi> {
    let token = token(secrets, binding).ok_or(NoApi::Sealed)?;
    let api = Api::new(binding.kind, &binding.api_url, &binding.repository, &token)?;
    Ok(api)
}
