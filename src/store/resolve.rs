//! Which run a person means.

use super::error::StoreError;
use crate::domain::RunId;

/// The word for the newest run.
pub(super) const LATEST: &str = "latest";

/// Candidates that an ambiguous query is answered with, at most.
const SHOWN: usize = 10;

/// How many candidates the databases look up: one more than is shown, to know that there are more.
pub(super) const LOOKED_UP: i64 = 11;

/// What is looked for: ids are lower case, people and clipboards are not always.
pub(super) fn normalised(query: &str) -> String {
    query.trim().to_ascii_lowercase()
}

/// The one run that `query` means, of the runs whose id begins with it.
pub(super) fn pick(query: &str, mut candidates: Vec<RunId>) -> Result<RunId, StoreError> {
    if let Some(exact) = candidates.iter().position(|id| id.as_str() == query) {
        return Ok(candidates.swap_remove(exact));
    }
    match candidates.len() {
        0 => Err(StoreError::NotFound { query: query.into() }),
        1 => Ok(candidates.remove(0)),
        found => {
            candidates.truncate(SHOWN);
            Err(StoreError::Ambiguous { query: query.into(), candidates, more: found > SHOWN })
        }
    }
}
