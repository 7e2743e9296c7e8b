//! Time zones by the names that GitLab takes.

use std::sync::OnceLock;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::rails_zones::RAILS_ZONES;

/// A time zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// By its IANA name (`Europe/Berlin`) or its Rails name
    /// (`Eastern Time (US & Canada)`), spelled exactly.
    pub fn named(name: &str) -> Option<Self> {
        let rails = RAILS_ZONES.iter().find(|(rails, _)| *rails == name);
        let name = rails.map_or(name, |(_, iana)| iana);
        let zone = database().get(name).ok()?;
        // The look-up ignores case, which GitLab does not.
        (zone.iana_name() == Some(name)).then_some(Self(zone))
    }

    /// By its distance from UTC: `+02:00`, `-0930`.
    pub(crate) fn offset(text: &str) -> Option<Self> {
        let (sign, digits) = match text.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        };
        let (hours, minutes) = match digits.split_once(':') {
            Some(pair) => pair,
            None => digits.split_at_checked(2)?,
        };
        let hours: i32 = (hours.len() == 2).then(|| hours.parse().ok()).flatten()?;
        let minutes = match minutes {
            "00" => 0,
            "15" => 15,
            "30" => 30,
            "45" => 45,
            _ => return None,
        };
        let seconds = sign * (hours * 60 + minutes) * 60;
        let offset = (0..=24)
            .contains(&hours)
            .then(|| Offset::from_seconds(seconds).ok())??;
        Some(Self(TimeZone::fixed(offset)))
    }

    pub(crate) fn time_zone(&self) -> &TimeZone {
        &self.0
    }
}

/// The one that was compiled in, so that every machine gives the same answers.
fn database() -> &'static TimeZoneDatabase {
    static BUNDLED: OnceLock<TimeZoneDatabase> = OnceLock::new();
    BUNDLED.get_or_init(TimeZoneDatabase::bundled)
}
