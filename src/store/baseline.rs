//! A baseline as a row.

use chrono::{DateTime, Utc};

use crate::domain::{Baseline, RunId, Series};

/// The columns of a baseline, as both databases select them: `suite`, `target`, `demo`, `run_id`, `set_at`, `note`.
pub(super) type BaselineRow = (String, String, bool, String, DateTime<Utc>, Option<String>);

pub(super) fn baseline(row: BaselineRow) -> Baseline {
    let (suite, target, demo, run_id, set_at, note) = row;
    Baseline { run: RunId::from_stored(run_id), series: Series { suite, target, demo }, set_at, note }
}
