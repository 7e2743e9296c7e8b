//! Links over which content goes without a credential: each is for one entry, for
//! one purpose and for a time, and is signed with the server's key.

use std::time::Duration;

use tappet_model::Timestamp;
use tappet_store::CacheEntryId;

use crate::app::App;
use crate::clock;

/// How long content may be uploaded.
const UPLOAD_LIFE: Duration = Duration::from_secs(3600);
/// How long content may be downloaded.
const DOWNLOAD_LIFE: Duration = Duration::from_secs(15 * 60);

/// What a link is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// Sending a part.
    Upload {
        /// Of this entry.
        entry: CacheEntryId,
        /// From 1.
        part: u32,
    },
    /// Getting the content of an entry.
    Download(CacheEntryId),
}

/// A link that opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadLink {
    /// Its time is over.
    #[error("this link has expired: ask for another one")]
    Expired,
    /// It was changed, or was never made here.
    #[error("the signature of this link is wrong: use it as it was given")]
    Forged,
}

impl Link {
    /// Below the path prefix.
    fn path(&self) -> String {
        match self {
            Self::Upload { entry, part } => format!("/-/depot/cache/{entry}/parts/{part}"),
            Self::Download(entry) => format!("/-/depot/cache/{entry}"),
        }
    }

    /// The purpose stands in the path.
    fn signed_text(&self, expires: i64) -> String {
        format!("{} until {expires}", self.path())
    }

    fn life(&self) -> Duration {
        match self {
            Self::Upload { .. } => UPLOAD_LIFE,
            Self::Download(_) => DOWNLOAD_LIFE,
        }
    }
}

impl App {
    /// An address that works for a while.
    pub fn signed_link(&self, link: &Link) -> String {
        let expires = clock::now().plus(link.life()).unix_seconds();
        let signature = self.secrets.signature(&link.signed_text(expires));
        let path = link.path();
        self.config
            .url(&format!("{path}?expires={expires}&signature={signature}"))
    }

    /// Whether a link was made here and still works.
    ///
    /// # Errors
    /// See [`BadLink`].
    pub fn check_link(
        &self,
        link: &Link,
        expires: i64,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), BadLink> {
        let text = link.signed_text(expires);
        if !self.secrets.verify_signature(&text, signature) {
            return Err(BadLink::Forged);
        }
        if now.unix_seconds() > expires {
            return Err(BadLink::Expired);
        }
        Ok(())
    }
}
