//! The cases of a comparison of two load runs: phrases with many answers each, or requests.

use super::paired_case::Case;
use super::threshold::Gate;
use crate::domain::{AnswerShares, CheckMode, CheckOutcome, PairedTest, Rate};
use crate::stats::unpaired::difference_interval;
use crate::stats::{ClusteredChange, Confidence, Interval, PairedTable, Proportion};

/// A test that cannot rule out five worse in a hundred overlooks what it is there for: a loss that it calls chance is no
/// pass then.
const SEES_LITTLE: f64 = 0.05;

/// What all answers say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers {
    shares: AnswerShares,
    /// The candidate's share of right ones less the baseline's.
    pub(super) gain: f64,
    /// The one-sided p-value, not corrected.
    alone: f64,
}

impl Answers {
    pub(super) fn of(test: &PairedTest) -> Option<Self> {
        let gain = test.difference?.value;
        Some(Self { shares: test.answers?, gain, alone: test.p_worse })
    }

    /// Cases, where a request is one; else they are phrases.
    pub(super) fn requests(self) -> Option<u64> {
        let of = |rate: Rate| proportion(rate).trials();
        self.shares.independent.then(|| of(self.shares.baseline).min(of(self.shares.candidate)))
    }

    /// How often there was the right thing in both runs, in a few words.
    pub(super) fn brief(self, table: PairedTable) -> String {
        let AnswerShares { baseline, candidate, independent, .. } = self.shares;
        let percent =
            |rate: Rate| rate.value.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0));
        if independent {
            let (is, was) = (others(candidate), others(baseline));
            return format!("{} of {}, and {} of {} before", is, candidate.of, was, baseline.of);
        }
        format!(
            "{} of {} answers right, and {} before; {} phrases worse, {} better of {}",
            percent(candidate),
            candidate.of,
            percent(baseline),
            table.regressed,
            table.improved,
            table.total()
        )
    }

    /// The interval of the gain. One that rules out a loss is no shorter than that of phrases simply right or wrong: those
    /// that would be lost wholly may be none of these.
    pub(super) fn interval(self, table: PairedTable, gate: &Gate) -> Option<Interval> {
        let confidence = gate.confidence;
        let Some(change) = self.change() else { return self.of_requests(confidence) };
        let interval = change.interval(confidence);
        if gate.mode != CheckMode::NonInferior {
            return Some(interval);
        }
        let (phrases, middle) = (table.difference_interval(confidence)?, table.difference()?);
        Some(Interval {
            lower: interval.lower.min(self.gain - middle + phrases.lower).max(-1.0),
            upper: interval.upper.max(self.gain - middle + phrases.upper).min(1.0),
        })
    }

    /// Whether a loss that is called chance may be more than little.
    fn blind(self, confidence: Confidence) -> bool {
        let change = self.change().map(|change| change.bounds(confidence));
        let worst = change.or_else(|| self.of_requests(confidence));
        worst.is_none_or(|worst| worst.lower < -SEES_LITTLE)
    }

    /// The change of phrases; none where each request is a case of its own.
    fn change(self) -> Option<ClusteredChange> {
        let AnswerShares { middle, standard_error, test_error, .. } = self.shares;
        let (middle, standard_error) = middle.zip(standard_error)?;
        let test_error = test_error.unwrap_or(standard_error);
        Some(ClusteredChange { middle, standard_error, test_error })
    }

    fn of_requests(self, confidence: Confidence) -> Option<Interval> {
        let [before, after] = [self.shares.baseline, self.shares.candidate].map(proportion);
        difference_interval(after, before, confidence).filter(|_| self.shares.independent)
    }

    pub(super) fn no_regression(
        self,
        case: &Case<'_>,
        gate: &Gate,
        brief: &str,
    ) -> (CheckOutcome, Option<u64>, String) {
        let (alpha, worse) = (gate.confidence.alpha(), case.table.regressed);
        let chance = percent(case.p);
        if case.p <= alpha {
            let reason = format!("{brief}: by chance alone that or worse happens in {chance} of cases");
            return (CheckOutcome::Fail, None, reason);
        }
        if let Some(most) = gate.max_new_failures.filter(|most| worse > *most) {
            return (CheckOutcome::Fail, Some(most), format!("{brief}; {most} new failures allowed"));
        }
        let unweighed = gate.min_n.is_none() && gate.max_new_failures.is_none() && case.tests == 1;
        let (outcome, reason) = if case.tests > 1 && self.alone <= alpha {
            let alone = percent(self.alone);
            let reason = format!(
                "{brief}: alone no chance ({alone}), but one of {} that are looked at ({chance})",
                case.tests
            );
            (CheckOutcome::Inconclusive, reason)
        } else if unweighed && let Some(reason) = case.too_few(brief) {
            (CheckOutcome::Inconclusive, reason)
        } else if unweighed && self.gain < 0.0 && self.blind(gate.confidence) {
            let reason = format!(
                "{brief}: too few to tell from chance ({chance}); `(min {} cases)` lets it pass",
                case.cases()
            );
            (CheckOutcome::Inconclusive, reason)
        } else if self.gain < 0.0 {
            (CheckOutcome::Pass, format!("{brief} (by chance alone in {chance} of cases)"))
        } else {
            (CheckOutcome::Pass, brief.to_owned())
        };
        (outcome, gate.max_new_failures, reason)
    }
}

/// What is not right.
const fn others(right: Rate) -> u64 {
    right.of - right.count
}

/// The share as one of independent cases.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
fn proportion(right: Rate) -> Proportion {
    let Some((worth, value)) = right.effective.zip(right.value) else {
        return Proportion::from_counts(right.count, others(right));
    };
    let (cases, wrong) = (worth.round() as u64, (worth * (1.0 - value)).ceil() as u64);
    Proportion::from_counts(cases.saturating_sub(wrong), wrong)
}

pub(super) fn percent(p: f64) -> String {
    if p < 0.001 { "less than 0.1 %".to_owned() } else { format!("{:.1} %", p * 100.0) }
}
