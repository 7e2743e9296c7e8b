//! What stands in the headers of a delivery.

use http::HeaderMap;
use tappet_model::ForgeKind;

/// Names of deliveries beyond this are no forge's.
const MAX_VALUE_BYTES: usize = 255;

/// The forge's own name for a delivery, the same when it sends it again. `None` when
/// there is none, or none that can be kept.
///
/// GitLab counts by `Idempotency-Key` since 17.4 and by `webhook-id` where it signs; its
/// `X-Gitlab-Event-UUID` is shared by all that one event set off, so the name of the
/// event belongs to it. Its `X-Gitlab-Webhook-UUID` names the webhook, not the delivery. GitLab: doc/user/project/integrations/webhooks.md.
pub fn delivery_id(kind: ForgeKind, headers: &HeaderMap) -> Option<String> {
    match kind {
        ForgeKind::Github => value(headers, "x-github-delivery"),
        ForgeKind::Gitlab => value(headers, "webhook-id")
            .or_else(|| value(headers, "idempotency-key"))
            .or_else(|| {
                let event = value(headers, "x-gitlab-event-uuid")?;
                let name = value(headers, "x-gitlab-event").unwrap_or_default();
                Some(format!("{event} {name}"))
            }),
        ForgeKind::Gitea => value(headers, "x-gitea-delivery")
            .or_else(|| value(headers, "x-forgejo-delivery"))
            .or_else(|| value(headers, "x-gogs-delivery"))
            .or_else(|| value(headers, "x-github-delivery")),
        ForgeKind::Bitbucket => value(headers, "x-request-uuid"),
    }
}

/// The event, in the forge's own word: `pull_request`, `Merge Request Hook`,
/// `pullrequest:created`.
pub fn event_name(kind: ForgeKind, headers: &HeaderMap) -> Option<String> {
    value(headers, event_header(kind)).or_else(|| match kind {
        ForgeKind::Gitea => {
            value(headers, "x-forgejo-event").or_else(|| value(headers, "x-gogs-event"))
        }
        _ => None,
    })
}

/// Which header names the event.
pub(super) fn event_header(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::Github => "x-github-event",
        ForgeKind::Gitlab => "x-gitlab-event",
        ForgeKind::Gitea => "x-gitea-event",
        ForgeKind::Bitbucket => "x-event-key",
    }
}

fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty() && text.len() <= MAX_VALUE_BYTES).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use rstest::rstest;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[rstest]
    #[case(ForgeKind::Github, &[("x-github-delivery", "a-1")], Some("a-1"))]
    #[case(ForgeKind::Gitlab, &[("idempotency-key", "k"), ("x-gitlab-event-uuid", "e"), ("x-gitlab-webhook-uuid", "w")], Some("k"))]
    #[case(ForgeKind::Gitlab, &[("webhook-id", "i"), ("idempotency-key", "k")], Some("i"))]
    #[case(ForgeKind::Gitlab, &[("x-gitlab-event", "Push Hook"), ("x-gitlab-event-uuid", "e"), ("x-gitlab-webhook-uuid", "w")], Some("e Push Hook"))]
    #[case(ForgeKind::Gitlab, &[("x-gitlab-webhook-uuid", "w")], None)]
    #[case(ForgeKind::Gitea, &[("x-gitea-delivery", "g"), ("x-github-delivery", "h")], Some("g"))]
    #[case(ForgeKind::Gitea, &[("x-forgejo-delivery", "f")], Some("f"))]
    #[case(ForgeKind::Bitbucket, &[("x-hook-uuid", "always-the-same"), ("x-request-uuid", "r")], Some("r"))]
    #[case(ForgeKind::Bitbucket, &[("x-hook-uuid", "always-the-same")], None)]
    #[case(ForgeKind::Github, &[("x-github-delivery", "  ")], None)]
    #[case(ForgeKind::Github, &[], None)]
    fn names_the_delivery(
        #[case] kind: ForgeKind,
        #[case] pairs: &[(&'static str, &'static str)],
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(delivery_id(kind, &headers(pairs)).as_deref(), expected);
    }

    #[test]
    fn keeps_no_endless_name() {
        let mut found = HeaderMap::new();
        let long = HeaderValue::from_str(&"x".repeat(256)).expect("letters are a value");
        found.insert("x-github-delivery", long);
        assert_eq!(delivery_id(ForgeKind::Github, &found), None);
    }

    #[rstest]
    #[case(ForgeKind::Github, &[("x-github-event", "push")], Some("push"))]
    #[case(ForgeKind::Gitlab, &[("x-gitlab-event", "Merge Request Hook")], Some("Merge Request Hook"))]
    #[case(ForgeKind::Gitea, &[("x-forgejo-event", "push")], Some("push"))]
    #[case(ForgeKind::Bitbucket, &[("x-event-key", "repo:push")], Some("repo:push"))]
    #[case(ForgeKind::Bitbucket, &[("x-github-event", "push")], None)]
    fn names_the_event(
        #[case] kind: ForgeKind,
        #[case] pairs: &[(&'static str, &'static str)],
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(event_name(kind, &headers(pairs)).as_deref(), expected);
    }
}
