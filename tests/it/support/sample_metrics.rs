//! The metrics of a sample, counted by plain code.

use thrash::domain::{
    AnswerScores, Estimate, Level, Metrics, PhraseResult, Polarity, Rate, Slice, SliceKind, Verdict,
    VerdictCounts,
};

use super::sample::ALERT;

/// The numbers over the results.
pub(super) fn metrics(results: &[PhraseResult]) -> Metrics {
    let count =
        |which: &dyn Fn(&PhraseResult) -> bool| results.iter().filter(|result| which(result)).count() as u64;
    let of = |verdict| count(&|result| result.verdict == verdict);
    let severe = |result: &PhraseResult| result.expected.min() >= Level::High;
    let right = count(&|result| result.verdict.passes());
    let answered = count(&|result| result.level.is_some());
    let phrases = results.len() as u64;
    let mut confusion = vec![vec![0; 6]; 5];
    for result in results {
        confusion[result.expected.primary().index()][result.level.map_or(5, Level::index)] += 1;
    }
    let constant_right =
        |level| count(&|result| (result.lowest_passing..=result.highest_passing).contains(&level));
    let best_constant = Level::ALL.into_iter().rev().max_by_key(|level| constant_right(*level));
    let best_constant = best_constant.filter(|_| phrases > 0);
    let accuracy = rate(right, phrases);
    let best_constant_accuracy = best_constant.and_then(|level| rate(constant_right(level), phrases).value);
    Metrics {
        phrases,
        verdicts: VerdictCounts {
            exact: of(Verdict::Exact),
            tolerated: of(Verdict::Tolerated),
            under: of(Verdict::Under),
            over: of(Verdict::Over),
            unanswered: of(Verdict::Unanswered),
        },
        accuracy,
        accuracy_answered: rate(right, answered),
        exact_accuracy: rate(of(Verdict::Exact), phrases),
        false_positive_rate: rate(
            count(&|r| r.polarity == Polarity::Negative && r.level.is_some_and(|level| level >= ALERT)),
            count(&|r| r.polarity == Polarity::Negative && r.level.is_some()),
        ),
        false_negative_rate: rate(
            count(&|r| r.polarity == Polarity::Positive && r.level.is_none_or(|level| level < ALERT)),
            count(&|r| r.polarity == Polarity::Positive),
        ),
        severe_miss_rate: rate(
            count(&|r| severe(r) && r.level.is_none_or(|level| level < Level::High)),
            count(&severe),
        ),
        unanswered_rate: rate(of(Verdict::Unanswered), phrases),
        straddling: count(&|result| result.polarity == Polarity::Straddling),
        scores: scores(&confusion),
        confusion,
        best_constant,
        best_constant_accuracy,
        lift: accuracy.value.zip(best_constant_accuracy).map(|(accuracy, constant)| accuracy - constant),
    }
}

/// The metrics by category, in the order in which the categories appear.
pub(super) fn slices(results: &[PhraseResult]) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    for result in results {
        if slices.iter().any(|slice| slice.name == result.category) {
            continue;
        }
        let own: Vec<PhraseResult> =
            results.iter().filter(|other| other.category == result.category).cloned().collect();
        let critical = result.expected.min() >= Level::High;
        slices.push(Slice {
            kind: SliceKind::Category,
            name: result.category.clone(),
            target_accuracy: Some(if critical { 0.95 } else { 0.85 }),
            critical,
            metrics: metrics(&own),
        });
    }
    slices
}

/// A rate with its Wilson interval (Wilson 1927); the exact one is left out.
#[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
fn rate(count: u64, of: u64) -> Rate {
    if of == 0 {
        return Rate::default();
    }
    let (n, p, z) = (of as f64, count as f64 / of as f64, 1.959_963_984_540_054_f64);
    let center = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Rate {
        count,
        of,
        value: Some(p),
        wilson: Some([(center - half).max(0.0), (center + half).min(1.0)]),
        exact: None,
        effective: None,
    }
}

/// Kappa, macro-F1 and MCC of a confusion matrix; the interval of kappa is a stand-in.
#[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
fn scores(confusion: &[Vec<u64>]) -> AnswerScores {
    let cell = |row: usize, column: usize| confusion[row][column] as f64;
    let row = |at: usize| (0..5).map(|other| cell(at, other)).sum::<f64>();
    let column = |at: usize| (0..5).map(|other| cell(other, at)).sum::<f64>();
    let all: f64 = (0..5).map(row).sum();
    let classes: Vec<usize> = (0..5).filter(|at| row(*at) + column(*at) > 0.0).collect();
    if classes.len() < 2 {
        return AnswerScores::default();
    }
    let pairs = || (0..5).flat_map(|a| (0..5).map(move |b| (a, b)));
    let weight = |(a, b): (usize, usize)| (a.abs_diff(b) as f64).powi(2);
    let seen: f64 = pairs().map(|pair| weight(pair) * cell(pair.0, pair.1)).sum();
    let chance: f64 = pairs().map(|pair| weight(pair) * row(pair.0) * column(pair.1) / all).sum();
    let kappa = 1.0 - seen / chance;
    let f1: f64 = classes.iter().map(|at| 2.0 * cell(*at, *at) / (row(*at) + column(*at))).sum();
    let right: f64 = (0..5).map(|at| cell(at, at)).sum();
    let both: f64 = (0..5).map(|at| row(at) * column(at)).sum();
    let spread = |of: &dyn Fn(usize) -> f64| all * all - (0..5).map(|at| of(at).powi(2)).sum::<f64>();
    AnswerScores {
        kappa_quadratic: Some(Estimate {
            value: kappa,
            lower: Some(kappa - 0.15),
            upper: Some((kappa + 0.15).min(1.0)),
        }),
        macro_f1: Some(f1 / classes.len() as f64),
        // Where only one class was expected or answered, it divides by nothing.
        mcc: Some((right * all - both) / (spread(&row) * spread(&column)).sqrt())
            .filter(|mcc| mcc.is_finite()),
        mean_distance: None,
        bias: None,
    }
}
