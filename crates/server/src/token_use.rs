//! When access tokens were used, for the people who own them.

use std::time::Duration;

use tappet_model::Timestamp;
use tappet_store::AccessToken;

use crate::app::SharedApp;

/// Notes that a token was used, at most once a minute. Off the way of the answer:
/// nobody waits for this write.
pub fn note(app: &SharedApp, token: &AccessToken, now: Timestamp) {
    let minute = Duration::from_secs(60);
    if token
        .last_used_at
        .is_some_and(|last| now.since(last) < minute)
    {
        return;
    }
    let (app, id) = (app.clone(), token.id);
    tokio::spawn(async move {
        if let Err(error) = app.store.touch_access_token(id, now).await {
            tracing::debug!(%error, "cannot note the use of an access token");
        }
    });
}
