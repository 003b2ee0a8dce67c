//! Which phrase of one run is which of the other, and what became of it.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::answers::{self, Answers, Shares};
use crate::domain::{AnswerBrief, Change, Level, PairedRate, PhraseChange, PhraseResult, RunRecord, Verdict};
use crate::judge::{Families, judge};
use crate::stats::flakiness::is_flaky;

/// A phrase that both runs hold.
pub(super) struct Pair<'a> {
    /// As the candidate has it: its labels are the ones that count.
    pub(super) phrase: &'a PhraseResult,
    pub(super) before: &'a PhraseResult,
    /// The number of its family, if it has one.
    pub(super) family: Option<usize>,
    pub(super) baseline: AnswerBrief,
    pub(super) candidate: AnswerBrief,
    /// All answers in both, in load runs.
    pub(super) answers: Option<[Answers; 2]>,
    /// None if it is simply right in both.
    pub(super) change: Option<Change>,
}

/// Everything that two runs hold.
pub(super) struct Pairing<'a> {
    /// In the candidate's order.
    pub(super) pairs: Vec<Pair<'a>>,
    pub(super) new: Vec<&'a PhraseResult>,
    pub(super) gone: Vec<&'a PhraseResult>,
    /// Phrases whose id both runs hold, with different texts.
    pub(super) reworded: usize,
}

pub(super) fn pair<'a>(baseline: &'a RunRecord, candidate: &'a RunRecord) -> Pairing<'a> {
    let before: HashMap<(&str, &str), &PhraseResult> =
        baseline.results.iter().map(|result| (identity(result), result)).collect();
    let mut found = Pairing { pairs: Vec::new(), new: Vec::new(), gone: Vec::new(), reworded: 0 };
    let families = Families::of_results(&candidate.results);
    let counted = [baseline, candidate].map(answers_of);
    for phrase in &candidate.results {
        match before.get(&identity(phrase)) {
            Some(before) => {
                let pair = Pair::new(before, phrase, families.number(&phrase.id));
                let of = |run: usize| counted[run].get(phrase.id.as_str()).copied();
                found.pairs.push(match of(0).zip(of(1)) {
                    Some((before, after)) => pair.with_answers([before, after]),
                    None => pair,
                });
            }
            None => found.new.push(phrase),
        }
    }
    let after: HashSet<(&str, &str)> = candidate.results.iter().map(identity).collect();
    found.gone = baseline.results.iter().filter(|result| !after.contains(&identity(result))).collect();
    let gone: HashSet<&str> = found.gone.iter().map(|result| result.id.as_str()).collect();
    found.reworded = found.new.iter().filter(|result| gone.contains(result.id.as_str())).count();
    found
}

/// All answers to each phrase of a load run.
fn answers_of(run: &RunRecord) -> HashMap<&str, Answers> {
    let phrases = run.load.iter().flat_map(|load| &load.phrases);
    phrases.map(|phrase| (phrase.id.as_str(), phrase.answers)).collect()
}

fn identity(result: &PhraseResult) -> (&str, &str) {
    (&result.id, &result.text_hash)
}

impl<'a> Pair<'a> {
    fn new(before: &'a PhraseResult, phrase: &'a PhraseResult, family: Option<usize>) -> Self {
        let (baseline, candidate) = (answer(before, phrase), answer(phrase, phrase));
        // A candidate that became unsteady must not take what it got wrong out of the tests. One that is right by majority
        // is neither mended nor unchanged.
        let change = match (baseline.verdict.passes(), candidate.verdict.passes()) {
            _ if baseline.unsteady => Some(Change::Flaky),
            (_, true) if candidate.unsteady => Some(Change::Flaky),
            (true, true) => None,
            (true, false) => Some(Change::Regressed),
            (false, true) => Some(Change::Fixed),
            (false, false) => Some(Change::StillWrong),
        };
        Self { phrase, before, family, baseline, candidate, answers: None, change }
    }

    /// The same, with all answers: what became of it is what became of them.
    fn with_answers(mut self, answers: [Answers; 2]) -> Self {
        self.answers = Some(answers);
        for (brief, answers) in [&mut self.baseline, &mut self.candidate].into_iter().zip(answers) {
            let counts = answers::counts(answers, self.phrase);
            brief.unsteady = counts.right > 0 && counts.right < counts.of;
            brief.answers = Some(counts);
        }
        if let Some(shares) = Shares::of(PairedRate::Accuracy, &self, Level::Low) {
            self.change = shares.change();
        }
        self
    }
}

/// What a run found, judged by the labels of `labels`.
pub(super) fn answer(result: &PhraseResult, labels: &PhraseResult) -> AnswerBrief {
    let predictions = result.observations.iter().filter_map(|seen| seen.answer.prediction());
    let verdict = |level| judge(labels.expected, labels.lowest_passing, labels.highest_passing, level);
    // Two answers that are both right are no doubt; no answer is a wrong one.
    let passes: Vec<bool> =
        result.observations.iter().map(|seen| verdict(seen.answer.level()).passes()).collect();
    AnswerBrief {
        level: result.level,
        verdict: verdict(result.level),
        unsteady: is_flaky(&passes),
        score: predictions
            .filter(|prediction| Some(prediction.level) == result.level)
            .find_map(|prediction| prediction.score),
        latency_ms: result.observations.first().map_or(0.0, |seen| seen.latency_ms),
        answers: None,
    }
}

/// Every phrase that is not simply right in both, the worst of each fate first.
pub(super) fn changes(pairing: Pairing<'_>) -> Vec<PhraseChange> {
    let both = pairing.pairs.into_iter().filter_map(|pair| {
        Some(change(pair.phrase, pair.change?, Some(pair.baseline), Some(pair.candidate)))
    });
    let new =
        pairing.new.into_iter().map(|phrase| change(phrase, Change::New, None, Some(answer(phrase, phrase))));
    let gone = pairing
        .gone
        .into_iter()
        .map(|phrase| change(phrase, Change::Gone, Some(answer(phrase, phrase)), None));
    let mut changes: Vec<PhraseChange> = both.chain(new).chain(gone).collect();
    changes.sort_by_key(order);
    changes
}

fn change(
    phrase: &PhraseResult,
    change: Change,
    baseline: Option<AnswerBrief>,
    candidate: Option<AnswerBrief>,
) -> PhraseChange {
    PhraseChange {
        id: phrase.id.clone(),
        category: phrase.category.clone(),
        capability: phrase.capability.clone(),
        language: phrase.language.clone(),
        critical: phrase.critical,
        must_pass: phrase.must_pass,
        expected: phrase.expected,
        change,
        baseline,
        candidate,
        source: phrase.source.clone(),
    }
}

/// By fate; then what must pass, what is critical, what is too low or unanswered, and how far off it is.
fn order(change: &PhraseChange) -> impl Ord + use<> {
    let expected = change.expected;
    let found = change.candidate.or(change.baseline);
    let side = match found.map(|found| found.verdict) {
        Some(Verdict::Under | Verdict::Unanswered) => 0,
        Some(Verdict::Over) => 1,
        Some(Verdict::Exact | Verdict::Tolerated) | None => 2,
    };
    // No answer is as far off as `none`: nobody was alerted.
    let level = found.and_then(|found| found.level).unwrap_or(Level::None);
    let distance = expected.iter().map(|right| right.steps_above(level).unsigned_abs()).min();
    (change.change, !change.must_pass, !change.critical, side, Reverse(distance), Reverse(expected.max()))
}
