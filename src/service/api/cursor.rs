//! Where a page of a list ended, as a word that whoever asks brings back: when the last one began, and its name or number.
//! By the time alone, one of two that began together would be lost or come twice. The last one itself may be gone by then.

use std::fmt::Display;

use chrono::{DateTime, Utc};

use crate::domain::RunId;
use crate::service::problem::Problem;

/// How a place in a list of runs looks.
pub(super) const OF_RUN: &str = "^-?[0-8]?[0-9]{1,18}\\.[0-9]{1,18}$";
/// How a place in a list of jobs looks.
pub(super) const OF_JOB: &str = "^-?[0-8]?[0-9]{1,18}\\.[0-9a-z-]+$";

/// The word for a place.
pub(in crate::service) fn write(at: DateTime<Utc>, last: impl Display) -> String {
    format!("{}.{last}", at.timestamp_nanos_opt().unwrap_or_default())
}

/// The place in a list of runs that a word means.
pub(in crate::service) fn of_run(word: &str) -> Option<(DateTime<Utc>, i64)> {
    let (at, number) = parts(word)?;
    Some((at, number.parse().ok()?))
}

/// The place in a list of jobs that a word means.
pub(in crate::service) fn of_job(word: &str) -> Option<(DateTime<Utc>, RunId)> {
    let (at, id) = parts(word)?;
    Some((at, RunId::from_stored(id)))
}

fn parts(word: &str) -> Option<(DateTime<Utc>, &str)> {
    let (nanos, last) = word.split_once('.')?;
    Some((DateTime::from_timestamp_nanos(nanos.parse().ok()?), last))
}

/// The place that a query asks to go on from.
pub(super) fn asked<P>(
    word: Option<&str>,
    read: impl FnOnce(&str) -> Option<P>,
) -> Result<Option<P>, Problem> {
    let Some(word) = word else { return Ok(None) };
    let place = read(word);
    place.map(Some).ok_or_else(|| Problem::bad_request("`cursor` is not one that a page gave as `next`"))
}
