//! What there is to say about a check: its number, its errors, its reason, each said once.

use crate::domain::{Check, CheckOutcome};

use super::figures;

/// The check's number with its interval.
pub(super) fn figure(check: &Check) -> String {
    figures::of_metric(&check.metric, check.value, check.interval)
}

/// The errors that were made and allowed, and for a check that did not pass its reason, each thing said once.
pub(super) fn explanation(check: &Check) -> String {
    let errors = errors(check);
    // A reason may be the number alone, which stands beside it already.
    let is_number = |reason: &str| reason.trim_end_matches(" ms").parse::<f64>().is_ok();
    match check.reason.as_str() {
        _ if check.outcome == CheckOutcome::Pass => errors,
        reason if reason.is_empty() || is_number(reason) => errors,
        reason if errors.is_empty() || reason.contains(" wrong") => reason.to_owned(),
        reason => format!("{errors}; {reason}"),
    }
}

/// The errors that were made and those that were allowed.
fn errors(check: &Check) -> String {
    let Some(errors) = check.errors else { return String::new() };
    let of = check.of.map(|of| format!(" of {of}")).unwrap_or_default();
    let allowed = check.allowed_errors.map(|allowed| format!(", {allowed} allowed")).unwrap_or_default();
    format!("{errors}{of} wrong{allowed}")
}
