//! The verdict on a load run.

use super::evaluate::{GateOptions, check, source};
use super::metric::Metric;
use super::verdict::{conclude_from, rank, sentence_from};
use crate::domain::{
    Check, CheckOutcome, CheckSource, Conclusion, LoadRecord, NoAnswerReason, RunRecord, RunStatus,
    RunVerdict, SearchRecord,
};

/// Makes the verdict on a load run.
///
/// The suite's own targets are for answers without load, and are no gates here. Where this machine was slow, what failed
/// by time is not known to be the target's fault; where it could not make the load at all, nothing is known.
pub(super) fn evaluate_load(record: &RunRecord, load: &LoadRecord, options: &GateOptions) -> RunVerdict {
    let asked = options.gates.iter().filter(|gate| load.search.is_none() || gate.needs_search());
    let mut checks: Vec<Check> = asked.map(|gate| check(record, gate, source(gate.metric))).collect();
    checks.extend(load.search.as_ref().map(found_load));
    if !load.generator.limits.is_empty() {
        for check in &mut checks {
            doubt(check, load);
        }
    }
    checks.push(generator(load));
    checks.sort_by_key(rank);
    let shows = load.search.is_some() || options.gates.iter().any(|gate| gate.severity.decides());
    let conclusion = match conclude(record, load, &checks) {
        // That this machine kept up says nothing of the target.
        Conclusion::Passed if !shows => Conclusion::Inconclusive,
        conclusion => conclusion,
    };
    RunVerdict { conclusion, sentence: sentence(record, load, conclusion, &checks), checks }
}

/// Whether a search found a load that holds.
fn found_load(search: &SearchRecord) -> Check {
    let (outcome, reason) = match search {
        SearchRecord { sustained: Some(rate), broken: Some(broken), .. } => {
            (CheckOutcome::Pass, format!("{rate:.1}/s hold, {broken:.1}/s do not"))
        }
        SearchRecord { sustained: Some(rate), .. } => {
            (CheckOutcome::Pass, format!("{rate:.1}/s hold, and nothing above was tried"))
        }
        SearchRecord { broken: Some(broken), reason, .. } => (
            CheckOutcome::Fail,
            format!("not even {broken:.1}/s: {}", reason.as_deref().unwrap_or("a gate broke")),
        ),
        SearchRecord { .. } => (CheckOutcome::Inconclusive, "it ended before any load was tried".to_owned()),
    };
    Check::new("a load that holds", CheckSource::Integrity, "sustained_rate", outcome, reason)
}

/// Whether most of what has no answer was waited for in vain: a refusal is the target's, however slow this machine is.
fn times_out(load: &LoadRecord) -> bool {
    let timeouts = load.counts.no_answer.get(&NoAnswerReason::Timeout).copied().unwrap_or_default();
    timeouts * 2 > load.counts.unanswered()
}

/// What fails by time may be this machine's fault.
fn doubt(check: &mut Check, load: &LoadRecord) {
    let timely = check.metric.parse().is_ok_and(|metric: Metric| {
        matches!(
            metric,
            Metric::Latency(_) | Metric::ServiceTime(_) | Metric::AchievedRate | Metric::SustainedRate
        ) || (metric == Metric::UnansweredRate && times_out(load))
    });
    if timely && check.outcome == CheckOutcome::Fail {
        check.outcome = CheckOutcome::Inconclusive;
        check.reason = format!("{}; but {}", check.reason, load.generator.limits.join(", "));
    }
}

/// Whether this machine could make the load.
fn generator(load: &LoadRecord) -> Check {
    let generator = &load.generator;
    let (outcome, reason) = match (generator.starved, generator.limits.as_slice()) {
        (_, _) if load.counts.intended == 0 => (CheckOutcome::Inconclusive, "nothing was sent".to_owned()),
        (true, limits) => (CheckOutcome::Inconclusive, limits.join(", ")),
        (false, []) => (CheckOutcome::Pass, "this machine kept up".to_owned()),
        (false, limits) => (CheckOutcome::Pass, format!("it did; but {}", limits.join(", "))),
    };
    Check::new("this machine made the load", CheckSource::Integrity, "generator", outcome, reason)
}

fn conclude(record: &RunRecord, load: &LoadRecord, checks: &[Check]) -> Conclusion {
    match record.status {
        RunStatus::Interrupted => Conclusion::Interrupted,
        _ if record.integrity.lost > 0 || load.generator.starved => Conclusion::Inconclusive,
        RunStatus::Aborted if !load.generator.limits.is_empty() && by_time(load) => Conclusion::Inconclusive,
        RunStatus::Aborted => Conclusion::TargetFailed,
        RunStatus::Completed if load.counts.started > 0 && load.counts.answered == 0 => {
            Conclusion::TargetFailed
        }
        RunStatus::Completed => conclude_from(checks),
    }
}

/// Whether it was ended for being slow.
fn by_time(load: &LoadRecord) -> bool {
    load.abort.as_ref().is_some_and(|abort| abort.rule.starts_with("latency")) || times_out(load)
}

fn sentence(record: &RunRecord, load: &LoadRecord, conclusion: Conclusion, checks: &[Check]) -> String {
    let after = |ms: f64| format!("{:.1} s", ms / 1e3);
    match (&load.abort, record.status) {
        _ if record.integrity.lost > 0 => {
            format!(
                "a bug in thrash lost {} of the answers: the numbers are incomplete",
                record.integrity.lost
            )
        }
        (_, RunStatus::Interrupted) if load.generator.starved => {
            format!("ended after {}: {}", after(record.duration_ms), load.generator.limits.join(", "))
        }
        (_, RunStatus::Interrupted) => format!("stopped by hand after {}", after(record.duration_ms)),
        (Some(abort), _) => {
            let blame =
                if conclusion == Conclusion::Inconclusive { "; but this machine was slow" } else { "" };
            format!("ended after {} by `{}`: {}{blame}", after(abort.at_ms), abort.rule, abort.seen)
        }
        _ if load.generator.starved => {
            format!("this machine was the limit: {}", load.generator.limits.join(", "))
        }
        _ if load.search.is_none() && checks.iter().all(|check| check.source != CheckSource::Gate) => {
            "there is no gate, so nothing was shown".to_owned()
        }
        _ if conclusion == Conclusion::TargetFailed => "not one request was answered".to_owned(),
        _ => match load.search.as_ref().and_then(|search| search.sustained) {
            Some(rate) => format!("{rate:.1} requests a second hold; {}", sentence_from(conclusion, checks)),
            None => sentence_from(conclusion, checks),
        },
    }
}
