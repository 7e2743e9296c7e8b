//! Webhooks that start runs, of which webhooks tell in turn. The name of an event
//! says to this server, and to nobody else, which delivery it was sent with; so a
//! run that a receiver starts knows the webhooks that led to it, and those are not
//! told of it (GitLab: `lib/gitlab/web_hooks/recursion_detection.rb`).

use http::HeaderMap;
use tappet_model::HookId;
use tappet_store::{Delivery, StoreResult};

use super::uuid_of;
use crate::app::App;
use crate::secrets::Secrets;

/// The header that receivers hand on.
const EVENT_UUID: &str = "x-gitlab-event-uuid";

/// Webhooks in one row at most, as in GitLab.
const MAX_CHAIN: usize = 100;

/// The name of a delivery's event: twelve digits of the delivery's id, and what
/// follows from the id and the server's key.
pub fn event_uuid(secrets: &Secrets, delivery: i64) -> String {
    let id = format!("{delivery:012x}");
    let rest = uuid_of(secrets, &format!("hook event {delivery}"));
    format!("{}-{}{}", &id[..8], &id[8..12], &rest[13..])
}

/// The delivery that carried this name, if it is a name of ours.
fn delivery_of(secrets: &Secrets, uuid: &str) -> Option<i64> {
    let digits = [uuid.get(..8)?, uuid.get(9..13)?].concat();
    let delivery = i64::from_str_radix(&digits, 16).ok()?;
    (event_uuid(secrets, delivery) == uuid).then_some(delivery)
}

/// The webhooks that led to a request; none where its headers name no delivery.
pub async fn behind(app: &App, headers: &HeaderMap) -> StoreResult<Vec<HookId>> {
    let uuid = headers
        .get(EVENT_UUID)
        .and_then(|value| value.to_str().ok());
    match uuid.and_then(|uuid| delivery_of(&app.secrets, uuid)) {
        Some(delivery) => app.store.hooks_behind_delivery(delivery).await,
        None => Ok(Vec::new()),
    }
}

/// Whether a delivery tells of a run to which its own webhook led, or too many.
pub async fn goes_round(app: &App, delivery: &Delivery) -> StoreResult<bool> {
    let behind = app.store.hooks_behind_run(delivery.run_id).await?;
    Ok(behind.contains(&delivery.hook_id) || behind.len() >= MAX_CHAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_lead_back_to_a_delivery() {
        let dir = tempfile::tempdir().unwrap();
        let ours = Secrets::open(dir.path()).unwrap();
        for delivery in [1, 42, 1 << 40] {
            let uuid = event_uuid(&ours, delivery);
            assert_eq!(uuid.len(), 36);
            assert_eq!(delivery_of(&ours, &uuid), Some(delivery));
            let other = uuid.replacen(&uuid[..8], "00000777", 1);
            assert_eq!(delivery_of(&ours, &other), None);
        }
        let strange = ["", "x", "123e4567-e89b-42d3-a456-426614174000", "ääääääää"];
        for uuid in strange {
            assert_eq!(delivery_of(&ours, uuid), None, "{uuid}");
        }
    }
}
