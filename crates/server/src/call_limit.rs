//! How many calls of the APIs a caller has in a minute, when
//! `limits.calls_per_minute` is set.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::rate::Caller;
use crate::secrets::hash;

impl App {
    /// Counts a call with this credential from this address; above the limit, the
    /// time until the next minute.
    pub fn admit_call(
        &self,
        credential: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<(), Duration> {
        let most = self.config.limits.calls_per_minute;
        if most == 0 {
            return Ok(());
        }
        let now = Instant::now();
        match credential {
            Some(credential) => {
                self.calls.check(&Caller::Refused(address), most, now)?;
                let holder = Caller::Holder(hash(credential).0);
                self.calls.count(holder, most, now)
            }
            None => self.calls.count(Caller::Nobody(address), most, now),
        }
    }

    /// Counts a call whose credential was refused.
    pub fn note_refused_call(&self, address: Option<IpAddr>) {
        let most = self.config.limits.calls_per_minute;
        // What is above the limit is found by the next call.
        let _ = self
            .calls
            .count(Caller::Refused(address), most, Instant::now());
    }
}
