//! Phrases that two load runs sent many times: what all their answers say.
//!
//! Answers to one phrase, or to phrases made from one another, are no independent evidence. So shares are compared phrase
//! by phrase, and how much they scatter from phrase to phrase says how sure that is.

#![expect(clippy::cast_precision_loss, reason = "no run has so many answers")]

use std::collections::BTreeMap;

use super::pairs::Pair;
use crate::domain::{
    AnswerBrief, AnswerCounts, AnswerShares, Change, Level, PairedRate, PairedTest, PhraseResult,
};
use crate::judge::estimate::estimate;
use crate::judge::family::rate_of;
use crate::judge::judge;
use crate::judge::load::clustered_rate;
use crate::stats::unpaired::{difference_interval, fisher_exact, fisher_exact_lower};
use crate::stats::{ClusteredChange, Confidence, Proportion};

/// A share that changed so much by chance alone in fewer cases than this did change.
const CHANCE: f64 = 0.025;

/// Answers to a phrase: levels from `none` on, then no answer.
pub(super) type Answers = [u64; 6];

/// Right answers of all that count for a rate, in the baseline and in the candidate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares([Proportion; 2]);

/// The counts of a phrase's answers, judged by the labels of `labels`.
pub(super) fn counts(answers: Answers, labels: &PhraseResult) -> AnswerCounts {
    let all = share(PairedRate::Accuracy, answers, labels, Level::Low);
    AnswerCounts { right: all.successes(), unanswered: answers[5], of: all.trials() }
}

fn share(of: PairedRate, answers: Answers, labels: &PhraseResult, alert_level: Level) -> Proportion {
    let (mut right, mut wrong) = (0, 0);
    for (index, count) in answers.into_iter().enumerate() {
        let level = Level::ALL.get(index).copied();
        let verdict = judge(labels.expected, labels.lowest_passing, labels.highest_passing, level);
        let found =
            AnswerBrief { level, verdict, unsteady: false, score: None, latency_ms: 0.0, answers: None };
        match of.is_right(labels.expected, alert_level, &found) {
            Some(true) => right += count,
            Some(false) => wrong += count,
            None => {}
        }
    }
    Proportion::from_counts(right, wrong)
}

impl Shares {
    /// Those of a phrase in both runs; none where one has no answer that counts.
    pub(super) fn of(rate: PairedRate, pair: &Pair<'_>, alert_level: Level) -> Option<Self> {
        let both = pair.answers?.map(|answers| share(rate, answers, pair.phrase, alert_level));
        both.iter().all(|share| share.trials() > 0).then_some(Self(both))
    }

    /// What became of the phrase; none if it is simply right in both.
    pub(super) fn change(self) -> Option<Change> {
        let Self([before, after]) = self;
        let always = |share: Proportion| share.failures() == 0;
        let never = |share: Proportion| share.successes() == 0;
        let right = before.successes() + after.successes();
        if fisher_exact_lower(after, before) <= CHANCE || (always(before) && never(after)) {
            Some(Change::Regressed)
        } else if fisher_exact_lower(before, after) <= CHANCE || (never(before) && always(after)) {
            Some(Change::Fixed)
        } else {
            (right * 2 < before.trials() + after.trials()).then_some(Change::StillWrong)
        }
    }

    /// The same in the words of a table of right and wrong.
    pub(super) fn right(self) -> (bool, bool) {
        match self.change() {
            Some(Change::Regressed) => (true, false),
            Some(Change::Fixed) => (false, true),
            Some(Change::StillWrong) => (false, false),
            Some(Change::Flaky | Change::New | Change::Gone) | None => (true, true),
        }
    }
}

/// Makes a test of phrases one of all their answers, which scatter as the phrases do. Each phrase has its family's number,
/// if it has one.
pub(super) fn write(test: &mut PairedTest, phrases: &[(Option<usize>, Shares)]) {
    let rates = [0, 1].map(|run| {
        let counts: Vec<(u64, u64)> =
            phrases.iter().map(|(_, Shares(both))| (both[run].trials(), both[run].successes())).collect();
        clustered_rate(&counts, None)
    });
    let clusters = clusters(phrases);
    let Some(change) = ClusteredChange::new(&clusters) else { return };
    let value = clusters.iter().map(|(_, change)| change).sum();
    test.difference = Some(estimate(value, Some(change.interval(Confidence::PERCENT_95))));
    (test.p_worse, test.p_changed) = (change.p_fell(), change.p_changed());
    test.answers = Some(AnswerShares {
        baseline: rates[0],
        candidate: rates[1],
        middle: Some(change.middle),
        standard_error: Some(change.standard_error),
        test_error: Some(change.test_error),
        independent: false,
    });
}

/// The same where each request is a case of its own; it holds so many phrases, and they fail together.
pub(super) fn write_requests(test: &mut PairedTest, phrases: &[(Option<usize>, Shares)], batch: u64) {
    let sum = |run: usize| {
        let all = phrases.iter().map(|(_, Shares(both))| both[run]);
        let (right, of) =
            all.fold((0, 0), |sums, share| (sums.0 + share.successes(), sums.1 + share.trials()));
        let (requests, failed) = (of.div_ceil(batch), (of - right).div_ceil(batch));
        let worth = (batch > 1).then_some(requests as f64);
        (rate_of(right, of, worth), Proportion::from_counts(requests - failed, failed))
    };
    let ((baseline, before), (candidate, after)) = (sum(0), sum(1));
    test.answers = Some(AnswerShares { baseline, candidate, independent: true, ..AnswerShares::default() });
    let value = candidate.value.zip(baseline.value).map(|(after, before)| after - before);
    let interval = difference_interval(after, before, Confidence::PERCENT_95);
    test.difference = value.map(|value| estimate(value, interval));
    test.p_worse = fisher_exact_lower(after, before);
    test.p_changed = fisher_exact(after, before);
}

/// The families of phrases, each with its weight and what it adds to the difference. A phrase weighs as much as it was
/// sent in both runs, so that one that was sent more often in one of them is no difference.
fn clusters(phrases: &[(Option<usize>, Shares)]) -> Vec<(f64, f64)> {
    let sent = |Shares(both): &Shares| both.iter().map(|share| share.trials()).sum::<u64>() as f64;
    let all: f64 = phrases.iter().map(|(_, shares)| sent(shares)).sum();
    let mut clusters: BTreeMap<Result<usize, usize>, (f64, f64)> = BTreeMap::new();
    for (place, (family, shares)) in phrases.iter().enumerate() {
        let weight = sent(shares) / all;
        let [before, after] = shares.0.map(|share| share.rate().unwrap_or_default());
        let sums = clusters.entry(family.ok_or(place)).or_default();
        *sums = (sums.0 + weight, sums.1 + weight * (after - before));
    }
    clusters.into_values().collect()
}
