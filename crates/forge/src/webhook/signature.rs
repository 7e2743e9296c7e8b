//! Whether a delivery was signed with the project's secret. Looks at the raw bytes and
//! at nothing that they mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tappet_model::ForgeKind;

/// Why a delivery does not count as the forge's. For the log of the server; whoever sent
/// it learns only that it is not signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotSigned {
    /// There is no secret to compare with.
    #[error("the project has no webhook secret: bind it to its forge again")]
    NoSecret,
    /// No header carries a signature.
    #[error("the header `{0}` is missing: enter the webhook secret at the forge")]
    Missing(&'static str),
    /// A header that may be there once is there several times.
    #[error("the header `{0}` is there several times")]
    Repeated(&'static str),
    /// Something else than HMAC-SHA256, or no signature at all.
    #[error("the header `{0}` must be an HMAC-SHA256 of the body, in hex")]
    OtherAlgorithm(&'static str),
    /// It was made with another secret or of another body.
    #[error("the header `{0}` does not fit: the forge has another webhook secret")]
    Different(&'static str),
}

/// How a header carries its signature.
#[derive(Clone, Copy)]
enum Form {
    /// `sha256=` and hex digits.
    Prefixed,
    /// Hex digits.
    Hex,
}

/// Whether `body` comes from a forge that knows `secret`. All comparing takes the same
/// time whatever is wrong. Where a forge sends several signatures, all have to fit.
///
/// Sources: GitHub "Validating webhook deliveries"; Gitea services/webhook/deliver.go;
/// Bitbucket Cloud "Manage webhooks"; GitLab doc/user/project/integrations/webhooks.md.
pub fn verify(
    kind: ForgeKind,
    headers: &HeaderMap,
    body: &[u8],
    secret: &str,
) -> Result<(), NotSigned> {
    if secret.is_empty() {
        return Err(NotSigned::NoSecret);
    }
    let accepted: &[(&'static str, Form)] = match kind {
        ForgeKind::Github => &[("x-hub-signature-256", Form::Prefixed)],
        ForgeKind::Gitea => &[
            ("x-gitea-signature", Form::Hex),
            ("x-forgejo-signature", Form::Hex),
            ("x-hub-signature-256", Form::Prefixed),
        ],
        ForgeKind::Bitbucket => &[("x-hub-signature", Form::Prefixed)],
        ForgeKind::Gitlab => return verify_gitlab(headers, body, secret),
    };
    let expected = mac(secret.as_bytes(), &[body]);
    let mut found = false;
    for &(name, form) in accepted {
        let Some(value) = single(headers, name)? else {
            continue;
        };
        let signature = digits(value, form).ok_or(NotSigned::OtherAlgorithm(name))?;
        if !bool::from(signature.ct_eq(&expected)) {
            return Err(NotSigned::Different(name));
        }
        found = true;
    }
    match found {
        true => Ok(()),
        false => Err(NotSigned::Missing(accepted[0].0)),
    }
}

/// GitLab sends a token as it is, or (since 18.10, where the webhook has a signing token)
/// signs like <https://www.standardwebhooks.com>: HMAC-SHA256 of `id.timestamp.body`, in
/// base64 behind `v1,`. The id is what deliveries are remembered by, so an old one that is
/// sent again is known by that, without a clock.
fn verify_gitlab(headers: &HeaderMap, body: &[u8], secret: &str) -> Result<(), NotSigned> {
    const TOKEN: &str = "x-gitlab-token";
    const SIGNATURE: &str = "webhook-signature";
    if let Some(value) = single(headers, SIGNATURE)? {
        let part = |name| single(headers, name)?.ok_or(NotSigned::Missing(name));
        let (id, timestamp) = (part("webhook-id")?, part("webhook-timestamp")?);
        let expected = mac(&signing_key(secret), &[id, b".", timestamp, b".", body]);
        let expected = format!("v1,{}", STANDARD.encode(expected));
        // While a token is being replaced there may be two.
        let fits = value
            .split(|&byte| byte == b' ')
            .fold(0, |fits, one| fits | same(one, expected.as_bytes()));
        return match fits {
            0 => Err(NotSigned::Different(SIGNATURE)),
            _ => Ok(()),
        };
    }
    let value = single(headers, TOKEN)?.ok_or(NotSigned::Missing(TOKEN))?;
    match same(value, secret.as_bytes()) {
        0 => Err(NotSigned::Different(TOKEN)),
        _ => Ok(()),
    }
}

/// `whsec_` and base64, or any other text as it is.
fn signing_key(secret: &str) -> Vec<u8> {
    secret
        .strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// 1 when both are the same. Digests are compared, so that lengths show nothing either.
fn same(a: &[u8], b: &[u8]) -> u8 {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).unwrap_u8()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a MAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a [u8]>, NotSigned> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(NotSigned::Repeated(name)),
        (value, None) => Ok(value.map(http::HeaderValue::as_bytes)),
    }
}

/// The 32 bytes that a signature stands for.
fn digits(value: &[u8], form: Form) -> Option<[u8; 32]> {
    let hex = match form {
        Form::Prefixed => value.strip_prefix(b"sha256=")?,
        Form::Hex => value,
    };
    if hex.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_hex)?;
    }
    Some(bytes)
}
