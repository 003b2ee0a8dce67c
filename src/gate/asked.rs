//! Whether the baseline that somebody asked for was there.

use crate::domain::{BaselineRecord, Check, CheckOutcome, CheckSource, Comparison, RunRecord};

/// A run that was to be held against another one, and was not, has not shown what was asked of it.
pub(super) fn baseline_was_there(record: &RunRecord) -> Check {
    let (outcome, reason) = match &record.baseline {
        Some(BaselineRecord::Compared(comparison)) => (
            CheckOutcome::Pass,
            format!("held against `{}`, {} phrases", comparison.baseline.id, comparison.compared),
        ),
        Some(BaselineRecord::Missing { wanted, reason }) => {
            (CheckOutcome::Inconclusive, format!("`{wanted}`: {reason}"))
        }
        None => (CheckOutcome::Inconclusive, "it was not looked up".to_owned()),
    };
    Check {
        comparison: Comparison::AtLeast,
        limit: 1.0,
        ..Check::new("the baseline that was asked for", CheckSource::Integrity, "baseline", outcome, reason)
    }
}
