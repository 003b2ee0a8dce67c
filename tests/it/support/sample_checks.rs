//! The checks of a sample, as the gates would word them.

use thrash::domain::{
    Check, CheckMode, CheckOutcome, CheckSeverity, CheckSource, Comparison, LatencyReport, Metrics,
    PhraseResult, Rate, Slice,
};

use super::sample::Sample;

/// The checks of a run, failed ones first.
pub(super) fn checks(
    sample: &Sample,
    results: &[PhraseResult],
    metrics: &Metrics,
    slices: &[Slice],
    latency: &LatencyReport,
) -> Vec<Check> {
    let mut checks = vec![
        rate("accuracy >= 92%", "accuracy", Comparison::AtLeast, 0.92, &metrics.accuracy),
        rate(
            "severe_miss_rate <= 5%",
            "severe_miss_rate",
            Comparison::AtMost,
            0.05,
            &metrics.severe_miss_rate,
        ),
        rate(
            "false_positive_rate <= 10%",
            "false_positive_rate",
            Comparison::AtMost,
            0.1,
            &metrics.false_positive_rate,
        ),
        rate("unanswered_rate <= 5%", "unanswered_rate", Comparison::AtMost, 0.05, &metrics.unanswered_rate),
        p95(latency),
        integrity(),
    ];
    for slice in slices.iter().filter(|slice| slice.metrics.phrases >= 10) {
        let Some(target) = slice.target_accuracy else { continue };
        let name = format!("accuracy[{}] >= {}%", slice.name, target * 100.0);
        checks.push(Check {
            source: CheckSource::Category,
            severity: CheckSeverity::Fail,
            slice: Some(format!("category={}", slice.name)),
            ..rate(&name, "accuracy", Comparison::AtLeast, target, &slice.metrics.accuracy)
        });
    }
    if sample.bound {
        checks.push(bound(&metrics.false_positive_rate));
    }
    checks.extend(must_pass(results));
    checks.sort_by_key(|check| match check.outcome {
        CheckOutcome::Fail => 0,
        CheckOutcome::Inconclusive => 1,
        CheckOutcome::Pass => 2,
    });
    checks
}

/// A check with nothing in it yet.
fn blank(name: &str, metric: &str, comparison: Comparison, limit: f64) -> Check {
    Check {
        name: name.to_owned(),
        source: CheckSource::Gate,
        severity: CheckSeverity::Fail,
        metric: metric.to_owned(),
        slice: None,
        mode: CheckMode::Point,
        comparison,
        limit,
        confidence: None,
        value: None,
        bound: None,
        interval: None,
        of: None,
        errors: None,
        allowed_errors: None,
        outcome: CheckOutcome::Inconclusive,
        reason: "there is no case to measure it on".to_owned(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a sample"
)]
fn rate(name: &str, metric: &str, comparison: Comparison, limit: f64, rate: &Rate) -> Check {
    let blank = blank(name, metric, comparison, limit);
    let Some(value) = rate.value else { return blank };
    let (errors, share) = match comparison {
        Comparison::AtLeast => (rate.of - rate.count, 1.0 - limit),
        Comparison::AtMost => (rate.count, limit),
    };
    let allowed = (share * rate.of as f64 + 1e-9).floor() as u64;
    let holds = errors <= allowed;
    Check {
        value: Some(value),
        interval: rate.wilson,
        of: Some(rate.of),
        errors: Some(errors),
        allowed_errors: Some(allowed),
        outcome: if holds { CheckOutcome::Pass } else { CheckOutcome::Fail },
        reason: format!("{errors} of {} wrong, {allowed} allowed", rate.of),
        ..blank
    }
}

/// A bound that few phrases cannot prove.
fn bound(rate: &Rate) -> Check {
    let name = "false_positive_rate <= 4% (bound 95%)";
    Check {
        mode: CheckMode::Bound,
        confidence: Some(0.95),
        value: rate.value,
        bound: rate.wilson.map(|interval| interval[1]),
        interval: rate.wilson,
        of: Some(rate.of),
        errors: Some(rate.count),
        reason: format!("{} cases are too few: even without an error they prove nothing", rate.of),
        ..blank(name, "false_positive_rate", Comparison::AtMost, 0.04)
    }
}

fn p95(latency: &LatencyReport) -> Check {
    let blank = blank("latency_p95 <= 500ms", "latency_p95", Comparison::AtMost, 500.0);
    let Some(value) = latency.p95_ms else { return blank };
    let outcome = if value <= 500.0 { CheckOutcome::Pass } else { CheckOutcome::Fail };
    Check { value: Some(value), of: Some(latency.count), outcome, reason: format!("{value:.1} ms"), ..blank }
}

fn integrity() -> Check {
    Check {
        source: CheckSource::Integrity,
        severity: CheckSeverity::Fail,
        value: Some(0.0),
        outcome: CheckOutcome::Pass,
        reason: "0".to_owned(),
        ..blank("invariant_violations <= 0", "invariant_violations", Comparison::AtMost, 0.0)
    }
}

/// A failed check for each phrase that had to pass and did not; else a passed one for all of them.
fn must_pass(results: &[PhraseResult]) -> Vec<Check> {
    let must: Vec<&PhraseResult> = results.iter().filter(|result| result.must_pass).collect();
    let base = |name: &str, outcome, reason: String| Check {
        source: CheckSource::MustPass,
        severity: CheckSeverity::Fail,
        of: Some(must.len() as u64),
        allowed_errors: Some(0),
        outcome,
        reason,
        ..blank(name, "must_pass", Comparison::AtMost, 0.0)
    };
    let failed = must.iter().filter(|result| !result.verdict.passes()).map(|result| {
        let got = result.level.map_or_else(|| "no answer".to_owned(), |level| level.to_string());
        let reason = format!("expected {}, got {got}", result.expected);
        base(&format!("must pass: {}", result.id), CheckOutcome::Fail, reason)
    });
    let failed: Vec<Check> = failed.collect();
    if !failed.is_empty() || must.is_empty() {
        return failed;
    }
    let reason = format!("all {} phrases that must pass did", must.len());
    vec![base("phrases that must pass", CheckOutcome::Pass, reason)]
}
