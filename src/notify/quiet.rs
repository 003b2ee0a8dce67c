//! Hours in which only what is critical is told.

use chrono::{DateTime, Days, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use crate::schedule::Zone;

/// From one time of the day to another, over midnight if the second is the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin: `22:00`.
    #[serde(deserialize_with = "time")]
    #[schemars(with = "String")]
    pub from: NaiveTime,
    /// When they are over: `07:00`.
    #[serde(deserialize_with = "time")]
    #[schemars(with = "String")]
    pub to: NaiveTime,
    /// By which clock.
    pub zone: Zone,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&text, "%H:%M")
        .map_err(|_| de::Error::custom(format!("`{text}` is no time of the day: write `22:00`, in quotes")))
}

impl QuietHours {
    /// When the quiet hours around this instant are over; none if it is in none.
    pub fn end(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = self.zone.local(at);
        let time = local.time();
        let (is_quiet, days) = if self.from <= self.to {
            ((self.from..self.to).contains(&time), 0)
        } else {
            (time >= self.from || time < self.to, u64::from(time >= self.from))
        };
        if !is_quiet {
            return None;
        }
        let end = local.date().checked_add_days(Days::new(days))?.and_time(self.to);
        // Where the clock jumps over the end, they are over an hour later by the clock on the wall: at the same instant.
        let jumped = || self.zone.instant(end + chrono::TimeDelta::hours(1));
        // In an hour that comes twice the first end may be behind us.
        self.zone.instant(end).or_else(jumped).filter(|end| *end > at)
    }
}
