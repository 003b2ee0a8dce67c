//! From a record and gates to the one verdict.

use super::asked::baseline_was_there;
use super::held::held_gates_of;
use super::load::evaluate_load;
use super::metric::{Metric, Unit};
use super::sound::comparison_is_sound;
use super::threshold::Gate;
use super::verdict::{conclude_from, rank, sentence_from};
use super::{baseline, families, variants, waiver};
use crate::domain::{
    Check, CheckMode, CheckOutcome, CheckSource, Comparison, Conclusion, Metrics, PhraseResult, Polarity,
    Rate, ReferenceRecord, RunRecord, RunStatus, RunVerdict, SliceKind,
};
use crate::stats::acceptance::point_max_errors;
use crate::stats::{BoundRule, IntervalMethod};

/// A category with fewer phrases is shown and not gated: one phrase would decide.
pub const GATED_FROM: u64 = 10;

/// What a run has to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct GateOptions {
    /// The gates.
    pub gates: Vec<Gate>,
    /// Share of unanswered tries above which nothing else means anything.
    pub error_budget: f64,
    /// Whether a baseline was asked for, so that a run without one shows too little.
    pub needs_baseline: bool,
}

/// Makes the verdict on a record.
pub fn evaluate(record: &RunRecord, options: &GateOptions) -> RunVerdict {
    // The same gate may be configured and asked for.
    let mut gates: Vec<Gate> = Vec::new();
    for gate in &options.gates {
        if !gates.contains(gate) {
            gates.push(gate.clone());
        }
    }
    if let Some(load) = &record.load {
        return evaluate_load(record, load, &gates, options);
    }
    let held = held_gates_of(record, &gates);
    let mut checks: Vec<Check> =
        gates.iter().chain(&held).map(|gate| check(record, gate, source(gate.metric))).collect();
    checks.push(both_sides(record));
    checks.extend(baseline_checks(record, options));
    checks.extend(category_checks(record));
    checks.extend(must_pass_checks(record));
    checks.extend(waiver::checks(record));
    checks.sort_by_key(rank);
    let conclusion = conclude(record, &checks, options.error_budget);
    let mut sentence = sentence(record, conclusion, &checks, options.error_budget);
    match waiver::used(record).count() {
        0 => {}
        1 => sentence.push_str("; 1 known failure is waived"),
        used => sentence = format!("{sentence}; {used} known failures are waived"),
    }
    RunVerdict { conclusion, sentence, checks }
}

/// Whether the baseline that somebody needs was there, and shows something.
pub(super) fn baseline_checks(record: &RunRecord, options: &GateOptions) -> Vec<Check> {
    // A gate that needs the baseline says itself that it is missing.
    let needs_it = |gate: &Gate| gate.mode.is_against_baseline() && gate.severity.decides();
    let needed_by_gate = options.gates.iter().any(needs_it);
    let mut checks = Vec::new();
    if options.needs_baseline && !needed_by_gate {
        checks.push(baseline_was_there(record));
    }
    if options.needs_baseline || needed_by_gate {
        checks.extend(comparison_is_sound(record, options.error_budget));
    }
    checks
}

pub(super) fn source(metric: Metric) -> CheckSource {
    match metric.unit() {
        Unit::Count => CheckSource::Integrity,
        Unit::Share | Unit::Number | Unit::Time => CheckSource::Gate,
    }
}

fn conclude(record: &RunRecord, checks: &[Check], error_budget: f64) -> Conclusion {
    if record.status == RunStatus::Interrupted {
        Conclusion::Interrupted
    } else if record.integrity.lost > 0 {
        // Not the target's fault, and nothing that a check could pass on.
        Conclusion::Inconclusive
    } else if record.status == RunStatus::Aborted || over_budget(record, error_budget) {
        Conclusion::TargetFailed
    } else {
        conclude_from(checks)
    }
}

fn over_budget(record: &RunRecord, error_budget: f64) -> bool {
    record.metrics.unanswered_rate.value.is_some_and(|share| share > error_budget)
}

fn sentence(record: &RunRecord, conclusion: Conclusion, checks: &[Check], error_budget: f64) -> String {
    let metrics = &record.metrics;
    let unanswered = metrics.unanswered_rate;
    match conclusion {
        Conclusion::Inconclusive if record.integrity.lost > 0 => format!(
            "a bug in thrash lost {} of the answers: the numbers are incomplete",
            record.integrity.lost
        ),
        Conclusion::Passed | Conclusion::GateFailed | Conclusion::Inconclusive => {
            sentence_from(conclusion, checks)
        }
        Conclusion::TargetFailed if record.status == RunStatus::Aborted => format!(
            "the target stopped answering: {} of {} tries unanswered, {} phrases never sent",
            unanswered.count, unanswered.of, record.integrity.not_sent
        ),
        Conclusion::TargetFailed => format!(
            "{} of {} tries unanswered, more than the budget of {}%: the rest means nothing",
            unanswered.count,
            unanswered.of,
            error_budget * 100.0
        ),
        Conclusion::Interrupted => {
            format!("stopped by hand after {} of {} phrases", metrics.phrases, record.suite.selected)
        }
    }
}

fn category_checks(record: &RunRecord) -> impl Iterator<Item = Check> {
    record.slices.iter().filter(|slice| slice.kind == SliceKind::Category).filter_map(|slice| {
        let target = slice.target_accuracy?;
        if slice.metrics.phrases < GATED_FROM {
            return None;
        }
        let gate = Gate {
            slice: Some((SliceKind::Category, slice.name.clone())),
            ..Gate::point(Metric::Accuracy, Comparison::AtLeast, target)
        };
        Some(check(record, &gate, CheckSource::Category))
    })
}

/// Whether the run could see both kinds of error: of phrases on one side of the alert level alone, a constant answer
/// gets every one right.
fn both_sides(record: &RunRecord) -> Check {
    let counts = |result: &PhraseResult| waiver::used(record).all(|waiver| waiver.phrase != result.id);
    let count = |polarity| {
        record.results.iter().filter(|result| result.polarity == polarity && counts(result)).count()
    };
    let alert = record.target.alert_level;
    let (negatives, positives) = (count(Polarity::Negative), count(Polarity::Positive));
    let (outcome, reason) = match (negatives, positives) {
        (0, 0) => (
            CheckOutcome::Inconclusive,
            format!(
                "no phrase is clearly below or clearly from the alert level `{alert}` on: neither error can be seen"
            ),
        ),
        (0, _) => (
            CheckOutcome::Inconclusive,
            format!(
                "no phrase is negative (all expected levels below `{alert}`): false alarms cannot be seen"
            ),
        ),
        (_, 0) => (
            CheckOutcome::Inconclusive,
            format!("no phrase is positive (all expected levels from `{alert}` on): misses cannot be seen"),
        ),
        // A lopsided suite is passed by whoever always says what it holds most of.
        _ if record.metrics.lift.is_none_or(|lift| lift <= 0.0) => (
            CheckOutcome::Inconclusive,
            format!(
                "always answering `{}` would be right as often: nothing shows that the phrases were read",
                record.metrics.best_constant.unwrap_or(alert)
            ),
        ),
        _ => (CheckOutcome::Pass, format!("{negatives} negative, {positives} positive")),
    };
    Check {
        comparison: Comparison::AtLeast,
        limit: 1.0,
        ..Check::new(
            "phrases on both sides of the alert level",
            CheckSource::Integrity,
            "both_sides",
            outcome,
            reason,
        )
    }
}

/// One failed check for each phrase that had to pass and did not; one passed check for all of them otherwise.
fn must_pass_checks(record: &RunRecord) -> Vec<Check> {
    let must: Vec<_> = record.results.iter().filter(|result| result.must_pass).collect();
    let left_out = record.suite.left_out_must_pass;
    if must.is_empty() && left_out == 0 {
        return Vec::new();
    }
    let base = |name: &str, outcome, reason: String| Check {
        of: Some(must.len() as u64),
        allowed_errors: Some(0),
        ..Check::new(name, CheckSource::MustPass, "must_pass", outcome, reason)
    };
    let failed: Vec<Check> = must
        .iter()
        .filter(|result| !result.verdict.passes())
        .map(|result| {
            let got = result.level.map_or("no answer".to_owned(), |level| level.to_string());
            let reason = format!("expected {}, got {got}", result.expected);
            base(&format!("must pass: {}", result.id), CheckOutcome::Fail, reason)
        })
        .collect();
    if left_out > 0 && failed.is_empty() {
        let reason = format!("{left_out} of them could not be sent: the target takes no earlier messages");
        return vec![base("phrases that must pass", CheckOutcome::Inconclusive, reason)];
    }
    if failed.is_empty() {
        let reason = format!("all {} phrases that must pass did", must.len());
        return vec![base("phrases that must pass", CheckOutcome::Pass, reason)];
    }
    failed
}

pub(super) fn check(record: &RunRecord, gate: &Gate, source: CheckSource) -> Check {
    let whole = waiver::numbers(gate, &record.metrics, &record.slices);
    let found = check_on(record, gate, source, whole);
    waiver::look_again(found, record, gate, |metrics| check_on(record, gate, source, metrics))
}

fn check_on(record: &RunRecord, gate: &Gate, source: CheckSource, metrics: Option<&Metrics>) -> Check {
    let mut check = Check {
        severity: gate.severity,
        slice: gate.slice_text(),
        mode: gate.mode,
        comparison: gate.comparison,
        limit: gate.limit,
        confidence: (gate.mode == CheckMode::Bound).then(|| gate.confidence.level()),
        ..Check::new(&gate.to_string(), source, &gate.metric.to_string(), CheckOutcome::Inconclusive, "")
    };
    if gate.mode.is_against_baseline() {
        baseline::check(&mut check, gate, record.baseline.as_ref());
        return check;
    }
    if gate.metric == Metric::CheckFailures {
        check_rate(&mut check, gate, super::load::check_failures(record, gate));
        return check;
    }
    let Some(metrics) = metrics else {
        check.reason = format!("no phrase of this run is in {}", gate.slice_text().unwrap_or_default());
        return check;
    };
    if let Some(obstacle) = gate.metric.obstacle(record) {
        check.reason = obstacle;
        return check;
    }
    match gate.metric.rate_of_run(record).or_else(|| gate.metric.rate(metrics)) {
        Some(rate) => {
            check_rate(&mut check, gate, rate);
            families::tell(&mut check, rate, record);
            variants::doubt(&mut check, gate, record);
        }
        None => check_number(&mut check, gate, record, metrics),
    }
    check
}

fn holds(comparison: Comparison, value: f64, limit: f64) -> bool {
    match comparison {
        Comparison::AtLeast => value >= limit,
        Comparison::AtMost => value <= limit,
    }
}

fn check_rate(check: &mut Check, gate: &Gate, rate: Rate) {
    check.value = rate.value;
    check.interval = rate.wilson;
    check.of = Some(rate.of);
    if rate.value.is_none() {
        "there is no case to measure it on".clone_into(&mut check.reason);
        return;
    }
    // Errors are what pushes the number over the limit: false positives of a rate, wrong answers of an accuracy.
    let (errors, max_rate) = match gate.comparison {
        Comparison::AtMost => (rate.count, gate.limit),
        Comparison::AtLeast => (rate.of - rate.count, 1.0 - gate.limit),
    };
    check.errors = Some(errors);
    if let Some(min_n) = gate.min_n.filter(|min_n| rate.of < *min_n) {
        check.reason = format!("{} cases, and the gate asks for at least {min_n}", rate.of);
        return;
    }
    // Counted, not divided: 99.9 / 100 is a little above 0.999, and 999 of 1000 must hold it.
    let allowed = point_max_errors(max_rate, rate.of);
    let point_holds = allowed.is_some_and(|allowed| errors <= allowed);
    match gate.mode {
        CheckMode::Point => {
            check.allowed_errors = allowed;
            check.outcome = if point_holds { CheckOutcome::Pass } else { CheckOutcome::Fail };
            check.reason = format!("{errors} of {} wrong, {} allowed", rate.of, allowed.unwrap_or_default());
        }
        // They went another way.
        CheckMode::NoRegression | CheckMode::NonInferior | CheckMode::Change => {}
        CheckMode::Bound => {
            let rule =
                BoundRule { max_rate, confidence: gate.confidence, method: IntervalMethod::ClopperPearson };
            (check.bound, check.allowed_errors) = families::bound(rule, gate.comparison, rate);
            let bound_holds = check.bound.is_some_and(|bound| holds(gate.comparison, bound, gate.limit));
            check.outcome = match (bound_holds, point_holds) {
                (true, _) => CheckOutcome::Pass,
                (false, false) => CheckOutcome::Fail,
                (false, true) => CheckOutcome::Inconclusive,
            };
            check.reason = match check.allowed_errors {
                Some(allowed) => format!("{errors} of {} wrong, {allowed} would prove it", rate.of),
                None if bound_holds => format!("{} of {}", rate.count, rate.of),
                None => format!("{} cases are too few: even without an error they prove nothing", rate.of),
            };
        }
    }
}

fn check_number(check: &mut Check, gate: &Gate, record: &RunRecord, metrics: &Metrics) {
    check.value = match gate.slice {
        Some(_) => gate.metric.number(metrics),
        None => gate.metric.of_run(record, metrics),
    };
    let Some(value) = check.value else {
        "it is not defined on this run's data".clone_into(&mut check.reason);
        return;
    };
    let cases = match gate.metric {
        Metric::Latency(_) => record.latency.count,
        Metric::TargetMinusReference => {
            let report = record.reference.as_ref().and_then(ReferenceRecord::report);
            report.map_or(0, |report| report.comparison.compared)
        }
        _ => metrics.phrases,
    };
    check.of = Some(cases);
    if let Some(min_n) = gate.min_n.filter(|min_n| cases < *min_n) {
        check.reason = format!("{cases} cases, and the gate asks for at least {min_n}");
        return;
    }
    if metrics.phrases == 0 {
        "nothing was answered".clone_into(&mut check.reason);
        return;
    }
    let point_holds = holds(gate.comparison, value, gate.limit);
    let shown = match gate.metric.unit() {
        Unit::Time => format!("{value:.1} ms"),
        Unit::Count => format!("{value}"),
        Unit::Share | Unit::Number => format!("{value:.3}"),
    };
    if let (CheckMode::Bound, Metric::Latency(quantile)) = (gate.mode, gate.metric) {
        check.bound = quantile.upper_bound(&record.latency, gate.confidence);
        check.outcome = match check.bound {
            Some(bound) if bound <= gate.limit => CheckOutcome::Pass,
            _ if !point_holds => CheckOutcome::Fail,
            _ => CheckOutcome::Inconclusive,
        };
        check.reason = match check.bound {
            Some(bound) => format!("{shown}, at most {bound:.1} ms by its confidence limit"),
            None => format!("{shown}; {cases} latencies are too few for a confidence limit"),
        };
    } else {
        check.outcome = if point_holds { CheckOutcome::Pass } else { CheckOutcome::Fail };
        check.reason = shown;
    }
}
