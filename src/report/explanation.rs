//! What there is to say about a check: its number, its errors, its reason, each said once.

use crate::domain::{Check, CheckOutcome};

use super::figures;

/// The check's number with its interval; against a baseline the difference.
pub fn figure(check: &Check) -> String {
    if check.mode.is_against_baseline() {
        let unit = if check.metric.starts_with("latency") { "%" } else { "points" };
        return format!("{} {unit}", figures::signed(check.value, check.interval));
    }
    figures::of_metric(&check.metric, check.value, check.interval)
}

/// The errors that were made and allowed, and for a check that did not pass its reason, each thing said once.
pub fn explanation(check: &Check) -> String {
    // What a baseline shows is said whole: a pass tells, too, what would have been seen.
    if check.mode.is_against_baseline() {
        return check.reason.clone();
    }
    let errors = errors(check);
    // A reason may be the number alone, which stands beside it already.
    let is_number = |reason: &str| reason.trim_end_matches(" ms").parse::<f64>().is_ok();
    let (reason, waived) = without_waived(&check.reason);
    let explanation = match reason {
        _ if check.outcome == CheckOutcome::Pass => errors,
        reason if reason.is_empty() || is_number(reason) => errors,
        reason if errors.is_empty() || reason.contains(" wrong") => reason.to_owned(),
        reason => format!("{errors}; {reason}"),
    };
    // That failures were passed over is said whatever came out.
    [explanation.as_str(), waived].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The reason, and what its end says of waived failures.
fn without_waived(reason: &str) -> (&str, &str) {
    match reason.rsplit_once("; ") {
        Some((reason, waived)) if waived.starts_with("with ") && waived.contains(" waived: ") => {
            (reason, waived)
        }
        _ => (reason, ""),
    }
}

/// The errors that were made and those that were allowed.
fn errors(check: &Check) -> String {
    let Some(errors) = check.errors else { return String::new() };
    let of = check.of.map(|of| format!(" of {of}")).unwrap_or_default();
    let allowed = check.allowed_errors.map(|allowed| format!(", {allowed} allowed")).unwrap_or_default();
    format!("{errors}{of} wrong{allowed}")
}
