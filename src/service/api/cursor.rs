//! Where a page of a list ended, as a word that whoever asks brings back: when the last one began, and its name. By the
//! time alone, one of two that began together would be lost or come twice.

use chrono::{DateTime, Utc};

use crate::domain::RunId;
use crate::service::problem::Problem;

/// How a place looks.
pub(super) const PATTERN: &str = "^-?[0-9]{1,19}\\.[0-9a-z-]+$";

/// The word for a place.
pub(in crate::service) fn write(at: DateTime<Utc>, id: &RunId) -> String {
    format!("{}.{id}", at.timestamp_nanos_opt().unwrap_or_default())
}

/// The place that a word means.
pub(in crate::service) fn read(word: &str) -> Option<(DateTime<Utc>, RunId)> {
    let (nanos, id) = word.split_once('.')?;
    Some((DateTime::from_timestamp_nanos(nanos.parse().ok()?), RunId::from_stored(id)))
}

/// The place that a query asks to go on from.
pub(super) fn asked(word: Option<&str>) -> Result<Option<(DateTime<Utc>, RunId)>, Problem> {
    let Some(word) = word else { return Ok(None) };
    let place = read(word);
    place.map(Some).ok_or_else(|| Problem::bad_request("`cursor` is not one that a page gave as `next`"))
}
