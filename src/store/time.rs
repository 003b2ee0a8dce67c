//! Times of day as both databases keep them: to the millisecond.

use chrono::{DateTime, Utc};

/// The time of a number that a database holds; one that no time has is the beginning of time.
pub(super) fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// The time as it will be read again.
pub(super) fn to_millis(time: DateTime<Utc>) -> DateTime<Utc> {
    from_millis(time.timestamp_millis())
}
