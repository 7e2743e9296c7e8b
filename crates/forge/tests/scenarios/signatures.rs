//! Signatures and tokens, good and bad.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use rstest::rstest;
use sha2::Sha256;
use tappet_forge::webhook::{NotSigned, verify};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};

const SECRET: &str = "it is a secret to everybody";
/// Not JSON: nothing may be parsed before the check.
const BODY: &[u8] = b"\xff{ not json";

fn mac(key: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn good() -> String {
    hex(&mac(SECRET.as_bytes(), BODY))
}

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_str(value).expect("a plain value");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

#[rstest]
#[case(Github, &[("x-hub-signature-256", format!("sha256={}", good()))])]
#[case(Github, &[("x-hub-signature-256", format!("sha256={}", good())), ("x-hub-signature", "sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12".to_owned())])]
#[case(Github, &[("x-hub-signature-256", format!("sha256={}", good().to_uppercase()))])]
#[case(Gitea, &[("x-gitea-signature", good())])]
#[case(Gitea, &[("x-forgejo-signature", good())])]
#[case(Gitea, &[("x-hub-signature-256", format!("sha256={}", good()))])]
#[case(Gitea, &[("x-gitea-signature", good()), ("x-gogs-signature", good()), ("x-hub-signature", "sha1=00".to_owned()), ("x-hub-signature-256", format!("sha256={}", good()))])]
#[case(Bitbucket, &[("x-hub-signature", format!("sha256={}", good()))])]
#[case(Gitlab, &[("x-gitlab-token", SECRET.to_owned())])]
fn what_the_forge_sends_is_accepted(
    #[case] kind: ForgeKind,
    #[case] pairs: &[(&'static str, String)],
) {
    assert_eq!(verify(kind, &headers(pairs), BODY, SECRET), Ok(()));
}

#[rstest]
#[case(Github, "x-hub-signature-256")]
#[case(Gitlab, "x-gitlab-token")]
#[case(Gitea, "x-gitea-signature")]
#[case(Bitbucket, "x-hub-signature")]
fn unsigned_is_refused(#[case] kind: ForgeKind, #[case] header: &'static str) {
    let found = verify(kind, &HeaderMap::new(), BODY, SECRET);
    assert_eq!(found, Err(NotSigned::Missing(header)));
}

#[rstest]
#[case(Github, "x-hub-signature-256", "sha256=")]
#[case(Gitea, "x-gitea-signature", "")]
#[case(Bitbucket, "x-hub-signature", "sha256=")]
fn another_secret_or_another_body_is_refused(
    #[case] kind: ForgeKind,
    #[case] header: &'static str,
    #[case] prefix: &str,
) {
    let signed = headers(&[(header, format!("{prefix}{}", good()))]);
    let expected = Err(NotSigned::Different(header));
    assert_eq!(verify(kind, &signed, BODY, "another"), expected);
    assert_eq!(verify(kind, &signed, b"{}", SECRET), expected);
}

#[rstest]
#[case(
    Github,
    "x-hub-signature-256",
    "sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
)]
#[case(Github, "x-hub-signature-256", "sha512=00")]
#[case(Github, "x-hub-signature-256", "sha256=")]
#[case(Github, "x-hub-signature-256", "")]
#[case(
    Github,
    "x-hub-signature-256",
    "sha256=zz00000000000000000000000000000000000000000000000000000000000000"
)]
#[case(
    Github,
    "x-hub-signature-256",
    "sha256=+100000000000000000000000000000000000000000000000000000000000000"
)]
#[case(Gitea, "x-gitea-signature", "")]
#[case(Gitea, "x-gitea-signature", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12")]
#[case(
    Bitbucket,
    "x-hub-signature",
    "sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
)]
fn other_algorithms_are_refused(
    #[case] kind: ForgeKind,
    #[case] header: &'static str,
    #[case] value: &str,
) {
    let found = verify(kind, &headers(&[(header, value.to_owned())]), BODY, SECRET);
    assert_eq!(found, Err(NotSigned::OtherAlgorithm(header)));
}

#[test]
fn githubs_old_signature_alone_does_not_count() {
    let old = headers(&[("x-hub-signature", format!("sha256={}", good()))]);
    let expected = Err(NotSigned::Missing("x-hub-signature-256"));
    assert_eq!(verify(Github, &old, BODY, SECRET), expected);
}

#[rstest]
#[case(Github, "x-hub-signature-256", format!("sha256={}", good()))]
#[case(Gitea, "x-gitea-signature", good())]
#[case(Bitbucket, "x-hub-signature", format!("sha256={}", good()))]
#[case(Gitlab, "x-gitlab-token", SECRET.to_owned())]
fn a_header_given_twice_is_refused_even_if_both_are_good(
    #[case] kind: ForgeKind,
    #[case] header: &'static str,
    #[case] value: String,
) {
    let twice = headers(&[(header, value.clone()), (header, value)]);
    let expected = Err(NotSigned::Repeated(header));
    assert_eq!(verify(kind, &twice, BODY, SECRET), expected);
}

#[test]
fn all_signatures_of_a_gitea_have_to_fit() {
    let mixed = headers(&[
        ("x-gitea-signature", good()),
        ("x-hub-signature-256", format!("sha256={}", "0".repeat(64))),
    ]);
    let expected = Err(NotSigned::Different("x-hub-signature-256"));
    assert_eq!(verify(Gitea, &mixed, BODY, SECRET), expected);
}

#[rstest]
#[case("it is a secret to everybod")]
#[case("it is a secret to everybody ")]
#[case("IT IS A SECRET TO EVERYBODY")]
#[case("")]
fn gitlabs_token_has_to_be_the_same(#[case] token: &str) {
    let found = verify(
        Gitlab,
        &headers(&[("x-gitlab-token", token.to_owned())]),
        BODY,
        SECRET,
    );
    assert_eq!(found, Err(NotSigned::Different("x-gitlab-token")));
}

#[rstest]
#[case(Github, "x-hub-signature-256", format!("sha256={}", hex(&mac(b"", BODY))))]
#[case(Gitlab, "x-gitlab-token", String::new())]
fn without_a_secret_nothing_is_accepted(
    #[case] kind: ForgeKind,
    #[case] header: &'static str,
    #[case] value: String,
) {
    let found = verify(kind, &headers(&[(header, value)]), BODY, "");
    assert_eq!(found, Err(NotSigned::NoSecret));
}

/// As a GitLab with a signing token does it.
fn signed_by_gitlab(key: &[u8], id: &str) -> Vec<(&'static str, String)> {
    let signed = [format!("{id}.1780391551.").as_bytes(), BODY].concat();
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", "1780391551".to_owned()),
        (
            "webhook-signature",
            format!("v1,{}", STANDARD.encode(mac(key, &signed))),
        ),
    ]
}

#[rstest]
#[case("plain text", b"plain text")]
#[case("whsec_c2VjcmV0IGtleQ==", b"secret key")]
fn gitlabs_signing_token_is_accepted(#[case] secret: &str, #[case] key: &[u8]) {
    let signed = headers(&signed_by_gitlab(key, "f5e5f430"));
    assert_eq!(verify(Gitlab, &signed, BODY, secret), Ok(()));
}

#[test]
fn one_of_two_gitlab_signatures_is_enough() {
    let mut pairs = signed_by_gitlab(SECRET.as_bytes(), "f5e5f430");
    pairs[2].1 = format!("v1,b2xk {}", pairs[2].1);
    assert_eq!(verify(Gitlab, &headers(&pairs), BODY, SECRET), Ok(()));
}

#[test]
fn a_gitlab_signature_covers_the_name_of_the_delivery() {
    let mut pairs = signed_by_gitlab(SECRET.as_bytes(), "f5e5f430");
    pairs[0].1 = "another".to_owned();
    // Nor does the token help once there is a signature.
    pairs.push(("x-gitlab-token", SECRET.to_owned()));
    let expected = Err(NotSigned::Different("webhook-signature"));
    assert_eq!(verify(Gitlab, &headers(&pairs), BODY, SECRET), expected);
    pairs.remove(0);
    let expected = Err(NotSigned::Missing("webhook-id"));
    assert_eq!(verify(Gitlab, &headers(&pairs), BODY, SECRET), expected);
}
