//! Many answers to each phrase: what they are worth together, and beside the answers before the load.
//!
//! Answers to one phrase are no independent evidence: a target that is wrong once is wrong again. Every answer counts in
//! the numbers, and all answers to a phrase and its relatives together are worth what their agreement leaves of them.

#![expect(clippy::cast_precision_loss, reason = "no run has so many answers")]

use std::collections::BTreeMap;

use super::estimate::paired_test;
use super::family::{Families, plain_rate, rate_of};
use super::metrics::{best_constant, slice};
use super::{judge, latency_report};
use crate::domain::{
    Answer, AnswerScores, Estimate, IdleComparison, Integrity, Level, LoadCounts, Metrics, NoAnswerReason,
    Phrase, PhraseResult, Polarity, Rate, Slice, SliceKind, TextPolicy, Verdict, VerdictCounts,
};
use crate::stats::cluster::worth_of_counts;
use crate::stats::{ClusteredChange, Confidence, Confusion, KappaWeights, PairedTable, Unanswered};

/// More phrases than this without an answer before the load leave nothing to compare with.
const MOST_SILENT: f64 = 0.05;

/// A phrase with its answers: levels from `none` on, then no answer.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The phrase.
    pub phrase: &'a Phrase,
    /// How often each was answered.
    pub answers: [u64; 6],
}

impl Counted<'_> {
    fn sent(&self) -> u64 {
        self.answers.iter().sum()
    }

    /// Each answer that came, and how often.
    fn each(&self) -> impl Iterator<Item = (Option<Level>, u64)> {
        let answers = self.answers;
        let level = |index: usize| Level::ALL.get(index).copied();
        (0..6).map(move |index| (level(index), answers[index])).filter(|(_, count)| *count > 0)
    }

    fn verdict(&self, answer: Option<Level>) -> Verdict {
        judge(self.phrase.expected, self.phrase.lowest_passing(), self.phrase.highest_passing(), answer)
    }

    fn count(&self, holds: impl Fn(Option<Level>) -> bool) -> u64 {
        self.each().filter(|(answer, _)| holds(*answer)).map(|(_, count)| count).sum()
    }

    /// The most frequent answer; of two as frequent ones the worse, as the judge of repeats has it.
    fn most_frequent(&self) -> Option<Level> {
        let badness = |answer| match self.verdict(answer) {
            Verdict::Exact => 0,
            Verdict::Tolerated => 1,
            Verdict::Over => 2,
            Verdict::Under => 3,
            Verdict::Unanswered => 4,
        };
        self.each().max_by_key(|(answer, count)| (*count, badness(*answer))).and_then(|(answer, _)| answer)
    }
}

/// Each phrase that was sent as a result: its most frequent answer.
pub fn load_results(counted: &[Counted<'_>], alert_level: Level, text: TextPolicy) -> Vec<PhraseResult> {
    counted
        .iter()
        .filter(|counted| counted.sent() > 0)
        .map(|counted| {
            let level = counted.most_frequent();
            let mut result = super::judge_phrase(counted.phrase, alert_level, text, Vec::new());
            result.level = level;
            result.verdict = counted.verdict(level);
            result
        })
        .collect()
}

/// Measures all answers. Where requests hold several phrases, `requests` is how many there were: they fail together, so the
/// answers are worth no more independent ones than that.
pub fn measure_load(counted: &[Counted<'_>], requests: Option<u64>, alert_level: Level) -> Metrics {
    let counted: Vec<&Counted<'_>> = counted.iter().filter(|counted| counted.sent() > 0).collect();
    measure(&families(&counted), &counted, requests, alert_level)
}

/// Measures the answers of every category, tag, capability, language and part; `requests` as for [`measure_load`],
/// `targets` as for [`super::slices`].
pub fn load_slices(
    counted: &[Counted<'_>],
    requests: Option<u64>,
    alert_level: Level,
    targets: &BTreeMap<String, (Option<f64>, bool)>,
) -> Vec<Slice> {
    let sent: Vec<&Counted<'_>> = counted.iter().filter(|counted| counted.sent() > 0).collect();
    let families = families(&sent);
    let mut members: BTreeMap<(SliceKind, &str), Vec<&Counted<'_>>> = BTreeMap::new();
    for counted in &sent {
        for kind in SliceKind::ALL {
            for name in counted.phrase.slices(kind) {
                members.entry((kind, name)).or_default().push(counted);
            }
        }
    }
    members
        .into_iter()
        .map(|((kind, name), members)| {
            slice(kind, name, targets, measure(&families, &members, requests, alert_level))
        })
        .collect()
}

fn families<'a>(counted: &[&Counted<'a>]) -> Families<'a> {
    let link =
        |counted: &&Counted<'a>| Some((counted.phrase.id.as_str(), counted.phrase.seed_of.as_deref()?));
    Families::of(counted.iter().filter_map(link))
}

fn measure(
    families: &Families<'_>,
    counted: &[&Counted<'_>],
    requests: Option<u64>,
    alert_level: Level,
) -> Metrics {
    let share = |of: &dyn Fn(&Counted<'_>, Option<Level>) -> bool,
                 counts: &dyn Fn(&Counted<'_>, Option<Level>) -> bool| {
        let mut clusters: BTreeMap<Result<usize, usize>, (u64, u64)> = BTreeMap::new();
        for (place, one) in counted.iter().enumerate() {
            let cases = one.count(|answer| of(one, answer));
            let hits = one.count(|answer| of(one, answer) && counts(one, answer));
            let cluster = families.number(&one.phrase.id).ok_or(place).map_or_else(Err, Ok);
            let sums = clusters.entry(cluster).or_default();
            *sums = (sums.0 + cases, sums.1 + hits);
        }
        let clusters: Vec<(u64, u64)> = clusters.into_values().filter(|(cases, _)| *cases > 0).collect();
        clustered_rate(&clusters, requests)
    };
    let with = |verdict: Verdict| {
        counted.iter().map(|one| one.count(|answer| one.verdict(answer) == verdict)).sum::<u64>()
    };
    let verdicts = VerdictCounts {
        exact: with(Verdict::Exact),
        tolerated: with(Verdict::Tolerated),
        under: with(Verdict::Under),
        over: with(Verdict::Over),
        unanswered: with(Verdict::Unanswered),
    };
    let phrases = counted.iter().map(|one| one.sent()).sum();
    let polarity = |one: &Counted<'_>| one.phrase.expected.polarity(alert_level);
    let alerts = |answer: Option<Level>| answer.is_some_and(|level| level >= alert_level);
    let severe = |one: &Counted<'_>| one.phrase.expected.min() >= Level::High;
    let right = |one: &Counted<'_>, answer| one.verdict(answer).passes();
    let confusion = confusion(counted);
    let accuracy = share(&|_, _| true, &right);
    let best = best_constant_of(counted);
    Metrics {
        phrases,
        verdicts,
        accuracy,
        accuracy_answered: share(&|_, answer| answer.is_some(), &right),
        exact_accuracy: share(&|_, _| true, &|one, answer| one.verdict(answer) == Verdict::Exact),
        false_positive_rate: share(
            &|one, answer| polarity(one) == Polarity::Negative && answer.is_some(),
            &|_, answer| alerts(answer),
        ),
        false_negative_rate: share(&|one, _| polarity(one) == Polarity::Positive, &|_, answer| {
            !alerts(answer)
        }),
        severe_miss_rate: share(&|one, _| severe(one), &|_, answer| {
            answer.is_none_or(|level| level < Level::High)
        }),
        // What has no answer has none because of the load, whatever it says: each request is a case of its own.
        unanswered_rate: rate_of(verdicts.unanswered, phrases, worth(None, phrases, requests)),
        straddling: counted
            .iter()
            .filter(|one| polarity(one) == Polarity::Straddling)
            .map(|one| one.sent())
            .sum(),
        scores: scores(counted, &confusion),
        confusion: confusion.rows().to_vec(),
        best_constant: best.map(|(level, _)| level),
        best_constant_accuracy: best.map(|(_, share)| share),
        lift: accuracy.value.zip(best).map(|(accuracy, (_, share))| accuracy - share),
    }
}

/// A share of answers that come in clusters, each as its cases and those that count.
pub(super) fn clustered_rate(clusters: &[(u64, u64)], requests: Option<u64>) -> Rate {
    let (of, count) = clusters.iter().fold((0, 0), |sums, cluster| (sums.0 + cluster.0, sums.1 + cluster.1));
    let alone = clusters.iter().all(|(cases, _)| *cases == 1);
    let clustered = if alone { None } else { worth_of_counts(clusters) };
    rate_of(count, of, worth(clustered, of, requests))
}

/// How many independent cases so many are worth that came in so many requests; none where each stands alone.
fn worth(clustered: Option<f64>, cases: u64, requests: Option<u64>) -> Option<f64> {
    match requests.filter(|requests| *requests < cases) {
        Some(requests) => Some(clustered.map_or(requests as f64, |worth| worth.min(requests as f64))),
        None => clustered,
    }
}

fn confusion(counted: &[&Counted<'_>]) -> Confusion {
    let classes = Level::ALL.len();
    let mut rows = vec![vec![0; classes + 1]; classes];
    for one in counted {
        let row = &mut rows[one.phrase.expected.primary().index()];
        row.iter_mut().zip(one.answers).for_each(|(cell, count)| *cell += count);
    }
    Confusion::from_rows(rows).unwrap_or_else(|_| Confusion::new(classes))
}

fn scores(counted: &[&Counted<'_>], confusion: &Confusion) -> AnswerScores {
    let (mut answered, mut away, mut signed) = (0.0, 0.0, 0.0);
    for one in counted {
        for (level, count) in one.each().filter_map(|(answer, count)| Some((answer?, count))) {
            let steps = one.phrase.expected.iter().map(|expected| level.steps_above(expected));
            let nearest = f64::from(steps.min_by_key(|steps| steps.abs()).unwrap_or_default());
            answered += count as f64;
            away += nearest.abs() * count as f64;
            signed += nearest * count as f64;
        }
    }
    let mean = |sum: f64| (answered > 0.0).then(|| sum / answered);
    AnswerScores {
        // Its interval would take every answer for independent.
        kappa_quadratic: confusion.kappa(KappaWeights::Quadratic).map(|kappa| Estimate {
            value: kappa.value,
            lower: None,
            upper: None,
        }),
        macro_f1: confusion.macro_f1(Unanswered::Excluded),
        mcc: confusion.matthews(Unanswered::Excluded),
        mean_distance: mean(away),
        bias: mean(signed),
    }
}

/// The one answer that would be right most often, and how often.
fn best_constant_of(counted: &[&Counted<'_>]) -> Option<(Level, f64)> {
    best_constant(counted.iter().map(|one| {
        (one.phrase.expected, one.phrase.lowest_passing(), one.phrase.highest_passing(), one.sent())
    }))
}

/// The phrases under load beside the same phrases before it.
pub fn compare_idle(idle: &[PhraseResult], counted: &[Counted<'_>]) -> IdleComparison {
    let before: BTreeMap<&str, &PhraseResult> =
        idle.iter().map(|result| (result.id.as_str(), result)).collect();
    let pairs: Vec<(bool, f64, bool, &str)> = counted
        .iter()
        .filter(|one| one.sent() > 0)
        .filter_map(|one| {
            let idle = before.get(one.phrase.id.as_str())?.verdict.passes();
            let right = one.count(|answer| one.verdict(answer).passes()) as f64 / one.sent() as f64;
            Some((idle, right, one.verdict(one.most_frequent()).passes(), one.phrase.id.as_str()))
        })
        .collect();
    let table: PairedTable = pairs.iter().map(|(idle, _, loaded, _)| (*idle, *loaded)).collect();
    let drops: Vec<f64> = pairs.iter().map(|pair| f64::from(u8::from(pair.0)) - pair.1).collect();
    // Beside a target that did not answer then, any load looks harmless.
    let silent = idle.iter().filter(|result| result.level.is_none()).count();
    let answered = silent as f64 <= MOST_SILENT * idle.len() as f64 && pairs.iter().any(|pair| pair.0);
    let latencies = idle.iter().flat_map(|result| &result.observations);
    IdleComparison {
        accuracy: plain_rate(pairs.iter().filter(|pair| pair.0).count() as u64, pairs.len() as u64),
        drop: if answered { mean_drop(&drops) } else { None },
        test: paired_test(table, None),
        lost: pairs.iter().filter(|pair| pair.0 && !pair.2).map(|pair| pair.3.to_owned()).collect(),
        latency: latency_report(
            latencies.filter(|seen| matches!(seen.answer, Answer::Prediction(_))).map(|seen| seen.latency_ms),
        ),
    }
}

/// The mean of the phrases' differences with its 95 % interval; without one for fewer than two phrases.
fn mean_drop(differences: &[f64]) -> Option<Estimate> {
    let each: Vec<(f64, f64)> = differences.iter().map(|difference| (1.0, *difference)).collect();
    let value = differences.iter().sum::<f64>() / differences.len() as f64;
    let interval = ClusteredChange::new(&each)
        .filter(|_| differences.len() > 1)
        .map(|change| change.interval(Confidence::PERCENT_95));
    (!differences.is_empty()).then_some(Estimate {
        value,
        lower: interval.map(|interval| interval.lower),
        upper: interval.map(|interval| interval.upper),
    })
}

/// Signs in a load run that its numbers may not mean what they seem to. Answers that broke invariants are counted in
/// [`LoadCounts`]; they are too many to be listed.
pub fn load_integrity(
    counted: &[Counted<'_>],
    fail_open: &[u64],
    counts: &LoadCounts,
    lost: u64,
) -> Integrity {
    let ids = |holds: &dyn Fn(usize, &Counted<'_>) -> bool| {
        let held = counted.iter().enumerate().filter(|(place, one)| holds(*place, one));
        held.map(|(_, one)| one.phrase.id.clone()).collect()
    };
    let levels = |one: &Counted<'_>| one.answers[..5].iter().filter(|count| **count > 0).count();
    Integrity {
        fail_open: ids(&|place, _| fail_open.get(place).is_some_and(|count| *count > 0)),
        changed: ids(&|_, one| levels(one) > 1),
        cached: counts.cached,
        rate_limited: counts.no_answer.get(&NoAnswerReason::RateLimited).copied().unwrap_or_default(),
        no_answer: counts.silent_phrases().clone(),
        not_sent: counts.intended.saturating_sub(counts.started),
        lost,
        ..Integrity::default()
    }
}

/// A share of requests, each a case of its own.
pub fn request_rate(count: u64, of: u64) -> Rate {
    plain_rate(count, of)
}
