//! The verdict on a load run.

use super::evaluate::{GateOptions, baseline_checks, check, source};
use super::metric::Metric;
use super::threshold::Gate;
use super::verdict::{conclude_from, rank, sentence_from};
use crate::domain::{
    Beside, Check, CheckOutcome, CheckSeverity, CheckSource, Conclusion, EndedBy, LoadAbort, LoadRecord,
    NoAnswerReason, Rate, RunRecord, RunStatus, RunVerdict, SearchRecord, count,
};

/// Users who wait for `max_rate` a larger part of their time than this are not the load any more.
const MOST_HELD_BACK: f64 = 0.05;

/// Makes the verdict on a load run.
///
/// The suite's own targets are for answers without load, and are no gates here. Where this machine was slow, what failed
/// by time is not known to be the target's fault; where it could not make the load at all, nothing is known.
pub(super) fn evaluate_load(
    record: &RunRecord,
    load: &LoadRecord,
    gates: &[Gate],
    options: &GateOptions,
) -> RunVerdict {
    let asked = gates.iter().filter(|gate| load.search.is_none() || gate.needs_search());
    let mut checks: Vec<Check> = asked.map(|gate| check(record, gate, source(gate.metric))).collect();
    if let Some(search) = &load.search {
        // What was not tried may well hold.
        let open =
            |check: &&mut Check| check.metric == "sustained_rate" && check.outcome == CheckOutcome::Fail;
        for check in checks.iter_mut().filter(open).filter(|_| search.broken.is_none()) {
            check.outcome = CheckOutcome::Inconclusive;
        }
        checks.push(found_load(search));
    }
    if !load.generator.limits.is_empty() {
        for check in &mut checks {
            doubt(check, load);
        }
    }
    checks.extend(baseline_checks(record, options));
    if let Some(why) = queued(load) {
        let is_late = |check: &&mut Check| {
            check.outcome != CheckOutcome::Pass && check.metric.parse().is_ok_and(is_from_intended_start)
        };
        for check in checks.iter_mut().filter(is_late) {
            check.reason = format!("{}; but {why}", check.reason);
        }
    }
    checks.push(generator(load));
    checks.extend(sent(load, options));
    checks.extend(held_back(load));
    checks.extend(load.beside.as_ref().map(only_load));
    checks.extend(load.cut.as_ref().map(|limit| {
        let reason = format!("`{limit}` ended it before its stages did");
        Check::new(
            "the whole scenario was run",
            CheckSource::Integrity,
            "whole_run",
            CheckOutcome::Inconclusive,
            reason,
        )
    }));
    checks.sort_by_key(rank);
    let shows = load.search.is_some() || options.gates.iter().any(|gate| gate.severity.decides());
    let conclusion = match conclude(record, load, options, &checks) {
        // That this machine kept up says nothing of the target.
        Conclusion::Passed if !shows => Conclusion::Inconclusive,
        conclusion => conclusion,
    };
    RunVerdict { conclusion, sentence: sentence(record, load, conclusion, &checks), checks }
}

/// Answers that failed the check that a gate names, or any of them: of those that were held against it.
pub(super) fn check_failures(record: &RunRecord, gate: &Gate) -> Rate {
    let checks = record.load.as_deref().map_or(&[][..], |load| &load.checks);
    match gate.named_slice() {
        Some((_, name)) => checks.iter().find(|check| check.name == name).map(|check| check.failures),
        // The worst of them: a check that always fails is not made better by ten that cannot.
        None => checks
            .iter()
            .map(|check| check.failures)
            .max_by(|one, other| one.value.unwrap_or(0.0).total_cmp(&other.value.unwrap_or(0.0))),
    }
    .unwrap_or_default()
}

/// What a search found: the highest load that holds, and why none above it does.
fn highest_load(search: &SearchRecord) -> Option<String> {
    let held = search.sustained?;
    Some(match (search.broken, &search.reason) {
        (Some(broken), Some(reason)) => {
            format!("{held:.1} requests a second hold, {broken:.1} do not ({reason})")
        }
        (Some(broken), None) => format!("{held:.1} requests a second hold, {broken:.1} do not"),
        (None, Some(reason)) => {
            format!("{held:.1} requests a second hold, and above that it could not be told ({reason})")
        }
        (None, None) => format!("{held:.1} requests a second hold, the highest of the scenario"),
    })
}

/// Whether a search found a load that holds.
fn found_load(search: &SearchRecord) -> Check {
    let (outcome, reason) = match search {
        SearchRecord { sustained: Some(rate), broken: Some(broken), .. } => {
            (CheckOutcome::Pass, format!("{rate:.1}/s hold, {broken:.1}/s do not"))
        }
        SearchRecord { sustained: Some(rate), reason: Some(reason), .. } => {
            (CheckOutcome::Pass, format!("{rate:.1}/s hold; above that it could not be told: {reason}"))
        }
        SearchRecord { sustained: Some(rate), .. } => {
            (CheckOutcome::Pass, format!("{rate:.1}/s hold, and nothing above was tried"))
        }
        SearchRecord { broken: Some(broken), reason, .. } => (
            CheckOutcome::Fail,
            format!("not even {broken:.1}/s: {}", reason.as_deref().unwrap_or("a gate broke")),
        ),
        SearchRecord { reason, .. } => (
            CheckOutcome::Inconclusive,
            reason.clone().unwrap_or_else(|| "it ended before any load was tried to its end".to_owned()),
        ),
    };
    Check::new("a load that holds", CheckSource::Integrity, "sustained_rate", outcome, reason)
}

/// Whether most of what has no answer was waited for in vain: a refusal is the target's, however slow this machine is.
fn times_out(load: &LoadRecord) -> bool {
    let timeouts = load.counts.no_answer.get(&NoAnswerReason::Timeout).copied().unwrap_or_default();
    timeouts * 2 > load.counts.unanswered()
}

/// What fails by time may be this machine's fault; and by answers, where requests had no port or file here to be sent by.
fn doubt(check: &mut Check, load: &LoadRecord) {
    let timely = check.metric.parse().is_ok_and(|metric: Metric| {
        matches!(
            metric,
            Metric::Latency(_) | Metric::ServiceTime(_) | Metric::AchievedRate | Metric::SustainedRate
        ) || (metric == Metric::UnansweredRate && times_out(load))
    });
    let unsent = load.generator.exhausted > 0 && check.metric.parse().is_ok_and(Metric::counts_unanswered);
    if (timely || unsent) && check.outcome == CheckOutcome::Fail {
        check.outcome = CheckOutcome::Inconclusive;
        check.reason = format!("{}; but {}", check.reason, load.generator.limits.join(", "));
    }
}

/// Whether this machine could make the load.
fn generator(load: &LoadRecord) -> Check {
    let generator = &load.generator;
    let (outcome, reason) = match (generator.starved, generator.limits.as_slice()) {
        (_, _) if load.counts.intended == 0 && load.warm_up > 0 => {
            let reason = format!(
                "it ended in the warm-up, after {} for nothing",
                count(load.warm_up, "request that counts", "requests that count")
            );
            (CheckOutcome::Inconclusive, reason)
        }
        (_, _) if load.counts.intended == 0 => (CheckOutcome::Inconclusive, "nothing was sent".to_owned()),
        (true, limits) => (CheckOutcome::Inconclusive, limits.join(", ")),
        (false, []) => (CheckOutcome::Pass, "this machine kept up".to_owned()),
        (false, limits) => (CheckOutcome::Pass, format!("it did; but {}", limits.join(", "))),
    };
    Check::new("this machine made the load", CheckSource::Integrity, "generator", outcome, reason)
}

/// Whether a gate of this run is about the metric.
fn asks_for(options: &GateOptions, metric: Metric) -> bool {
    options.gates.iter().any(|gate| gate.metric == metric && gate.severity.decides())
}

/// Requests that were never sent have no answer that could be wrong or slow: where no gate looks at them, somebody must.
fn sent(load: &LoadRecord, options: &GateOptions) -> Option<Check> {
    let (on_time, intended) = (load.achieved.count, load.counts.intended);
    let missing = intended.saturating_sub(on_time);
    if load.search.is_some() || asks_for(options, Metric::AchievedRate) || missing * 100 <= intended {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = intended as f64 / (load.scenario.planned_ms / 1e3);
    let no_room = load.scenario.max_rate.filter(|most| !load.generator.starved && *most < rate * 1.1);
    let why = no_room.map_or("", |_| "; `max_rate` leaves no room to catch up after a pause: raise it");
    let all = count(intended, "request", "requests");
    let were = if missing == 1 { "was" } else { "were" };
    let reason = format!("{missing} of {all} {were} not sent when they should have been{why}");
    Some(Check::new(
        "the load was sent",
        CheckSource::Integrity,
        "achieved_rate",
        CheckOutcome::Inconclusive,
        reason,
    ))
}

/// Whether it counts the wait of starts that may not be sent yet.
const fn is_from_intended_start(metric: Metric) -> bool {
    matches!(metric, Metric::Latency(_) | Metric::AchievedRate | Metric::SustainedRate)
}

/// What made starts wait that was not the target's slowness: its contract allows fewer at once than the scenario.
fn queued(load: &LoadRecord) -> Option<String> {
    let asked = load.scenario.lowered_from.filter(|_| load.counts.waited > 0)?;
    Some(format!(
        "{} of {} waited, because the target's `limits.concurrency` allows {} at once, not the {asked} of the \
         scenario",
        load.counts.waited,
        count(load.counts.intended, "start", "starts"),
        load.scenario.max_in_flight
    ))
}

/// Users who wait for `max_rate` make another load than the one of so many users. Gates on it hold all the same.
fn held_back(load: &LoadRecord) -> Option<Check> {
    let share = load.held_back.filter(|share| *share > MOST_HELD_BACK)?;
    let rate = load.scenario.max_rate.unwrap_or_default();
    let reason = format!(
        "users waited for `max_rate` {:.0} % of their time: this was a load of {rate}/s, not of {}",
        share * 100.0,
        count(load.scenario.max_in_flight, "user", "users")
    );
    let outcome = CheckOutcome::Inconclusive;
    let check =
        Check::new("the users asked by themselves", CheckSource::Integrity, "held_back", outcome, reason);
    Some(Check { severity: CheckSeverity::Warn, ..check })
}

/// Whether no other load was sent beside it: two measure each other.
fn only_load(beside: &Beside) -> Check {
    let outcome = CheckOutcome::Inconclusive;
    let check = Check::new(
        "it was the only load",
        CheckSource::Integrity,
        "only_load",
        outcome,
        beside.reason.as_str(),
    );
    Check { severity: if beside.place_lost { CheckSeverity::Fail } else { CheckSeverity::Warn }, ..check }
}

/// The reason why another load may have begun, where the place in the queue was lost.
fn lost_place(load: &LoadRecord) -> Option<&str> {
    load.beside.as_ref().filter(|beside| beside.place_lost).map(|beside| beside.reason.as_str())
}

/// Whether so many requests have no answer that the rest means nothing. A gate on them decides where there is one.
fn is_silent(record: &RunRecord, load: &LoadRecord, options: &GateOptions) -> bool {
    let share = record.metrics.unanswered_rate.value;
    load.search.is_none()
        && !asks_for(options, Metric::UnansweredRate)
        && share.is_some_and(|share| share > options.error_budget)
}

fn conclude(record: &RunRecord, load: &LoadRecord, options: &GateOptions, checks: &[Check]) -> Conclusion {
    match record.status {
        RunStatus::Interrupted => Conclusion::Interrupted,
        _ if record.integrity.lost > 0 || load.generator.starved => Conclusion::Inconclusive,
        _ if lost_place(load).is_some() => Conclusion::Inconclusive,
        RunStatus::Aborted => match ended_by(record.status, load) {
            Some(EndedBy::ThisProgram | EndedBy::Unknown) => Conclusion::Inconclusive,
            Some(EndedBy::Target) | None => Conclusion::TargetFailed,
        },
        RunStatus::Completed if load.counts.started > 0 && load.counts.answered == 0 => {
            Conclusion::TargetFailed
        }
        RunStatus::Completed if is_silent(record, load, options) => Conclusion::TargetFailed,
        RunStatus::Completed => conclude_from(checks),
    }
}

/// Whose doing it was that a load ended before its time, if it did. What this machine lacked or was slow in may have ended
/// it as well as the target.
pub fn ended_by(status: RunStatus, load: &LoadRecord) -> Option<EndedBy> {
    if status != RunStatus::Aborted {
        return None;
    }
    Some(match &load.abort {
        None => EndedBy::ThisProgram,
        Some(abort) if abort.rule.starts_with("workers:") => EndedBy::ThisProgram,
        Some(_) if lost_place(load).is_some() => EndedBy::Unknown,
        Some(_) if load.generator.starved => EndedBy::Unknown,
        Some(_) if !load.generator.limits.is_empty() && by_time(load) => EndedBy::Unknown,
        Some(_) => EndedBy::Target,
    })
}

/// Whether it was ended for being slow: in its answers, or in those to looks at its health meanwhile. The look after a
/// search has more time, and nothing beside it.
fn by_time(load: &LoadRecord) -> bool {
    let is_about_time = |abort: &LoadAbort| {
        abort.timed_out || ["latency", "silent"].iter().any(|rule| abort.rule.starts_with(rule))
    };
    load.abort.as_ref().is_some_and(is_about_time) || times_out(load)
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
        (_, RunStatus::Interrupted) | (None, RunStatus::Aborted) if load.generator.starved => {
            format!("ended after {}: {}", after(record.duration_ms), load.generator.limits.join(", "))
        }
        (None, RunStatus::Aborted) if let Some(why) = lost_place(load) => {
            format!("ended after {}: {why}", after(record.duration_ms))
        }
        (_, RunStatus::Completed | RunStatus::Aborted) if let Some(why) = lost_place(load) => why.to_owned(),
        (_, RunStatus::Interrupted) if load.counts.intended + load.warm_up == 0 => {
            "stopped by hand before the load began".to_owned()
        }
        (_, RunStatus::Interrupted) => format!("stopped by hand after {}", after(record.duration_ms)),
        (Some(abort), _) => {
            let lost = load.shards.iter().any(|shard| shard.trouble.is_some());
            let blame = match conclusion {
                Conclusion::Inconclusive if lost && abort.rule.starts_with("workers:") => {
                    "; what was sent is another load than the one asked for"
                }
                Conclusion::Inconclusive if load.generator.exhausted > 0 => {
                    "; but this machine had no port or file left"
                }
                Conclusion::Inconclusive => "; but that may be this program's doing",
                _ => "",
            };
            let by_wait = queued(load).filter(|_| abort.rule.starts_with("latency"));
            let blame = by_wait.map_or_else(|| blame.to_owned(), |why| format!("{blame}; but {why}"));
            format!("ended after {} by `{}`: {}{blame}", after(abort.at_ms), abort.rule, abort.seen)
        }
        _ if load.generator.starved => {
            format!("this machine was the limit: {}", load.generator.limits.join(", "))
        }
        _ if load.search.is_none() && checks.iter().all(|check| check.source != CheckSource::Gate) => {
            "there is no gate, so nothing was shown".to_owned()
        }
        _ if conclusion == Conclusion::TargetFailed => {
            let unanswered = record.metrics.unanswered_rate;
            let all = match load.scenario.batch {
                1 => count(unanswered.of, "request", "requests"),
                _ => count(unanswered.of, "phrase", "phrases"),
            };
            let have = if unanswered.count == 1 { "has" } else { "have" };
            format!("{} of {all} {have} no answer: the rest means nothing", unanswered.count)
        }
        _ => match load.search.as_ref().and_then(highest_load) {
            Some(found) => format!("{found}; {}", sentence_from(conclusion, checks)),
            None => sentence_from(conclusion, checks),
        },
    }
}
