//! From answers to verdicts, from verdicts to numbers. Pure: no clock, no network.

mod agreement;
mod comparison;
mod doubt;
mod estimate;
mod family;
mod history;
mod integrity;
mod latency;
mod load;
mod metrics;
mod perturbation;
mod reference;
mod repeats;
mod shadow;

use std::cmp::Reverse;

use crate::domain::{Level, LevelSet, Observation, Phrase, PhraseResult, TextPolicy, Verdict};

pub use agreement::human_agreement;
pub use comparison::{Incomparable, compare, compare_at};
pub use doubt::is_doubtful;
pub use family::Families;
pub use history::history;
pub use integrity::integrity;
pub use latency::{histogram_report, latency_report};
pub use load::{
    Counted, compare_idle, load_integrity, load_results, load_slices, measure_load, request_rate,
};
pub use metrics::{measure, pair_accuracy, slices};
pub use perturbation::{VariantAnswer, judge_variants};
pub use reference::{compare_reference, disagreement};
pub use repeats::repeats;
pub use shadow::compare_shadow;

/// What an answer is worth.
///
/// ```
/// use thrash::domain::{Level, LevelSet, Verdict};
/// use thrash::judge::judge;
///
/// let expected = LevelSet::only(Level::Medium);
/// // One level up is tolerated, nothing below is.
/// assert_eq!(judge(expected, Level::Medium, Level::High, Some(Level::High)), Verdict::Tolerated);
/// assert_eq!(judge(expected, Level::Medium, Level::High, Some(Level::Low)), Verdict::Under);
/// assert_eq!(judge(expected, Level::Medium, Level::High, None), Verdict::Unanswered);
/// ```
pub fn judge(
    expected: LevelSet,
    lowest_passing: Level,
    highest_passing: Level,
    answer: Option<Level>,
) -> Verdict {
    match answer {
        None => Verdict::Unanswered,
        Some(level) if expected.contains(level) => Verdict::Exact,
        Some(level) if level > highest_passing => Verdict::Over,
        Some(level) if level < lowest_passing => Verdict::Under,
        Some(_) => Verdict::Tolerated,
    }
}

/// Judges everything that came back for a phrase.
///
/// With repeats the most frequent answer counts, no answer being an answer of its own; of two as frequent ones the
/// worse counts, because a service that is right half of the time is not right; of two as good ones the lower.
pub fn judge_phrase(
    phrase: &Phrase,
    alert_level: Level,
    text: TextPolicy,
    observations: Vec<Observation>,
) -> PhraseResult {
    let (lowest_passing, highest_passing) = (phrase.lowest_passing(), phrase.highest_passing());
    let verdict_of = |level| judge(phrase.expected, lowest_passing, highest_passing, level);
    let answers: Vec<Option<Level>> =
        observations.iter().map(|observation| observation.answer.level()).collect();
    let badness = |level: Option<Level>| match (verdict_of(level), level) {
        (Verdict::Unanswered, _) | (_, None) => 100,
        (Verdict::Exact, _) => 0,
        (Verdict::Tolerated, _) => 1,
        (Verdict::Over, Some(level)) => 10 + i32::from(level.steps_above(highest_passing)),
        (Verdict::Under, Some(level)) => 20 + i32::from(lowest_passing.steps_above(level)),
    };
    let level = answers
        .iter()
        .copied()
        .max_by_key(|answer| {
            (answers.iter().filter(|other| *other == answer).count(), badness(*answer), Reverse(*answer))
        })
        .flatten();
    PhraseResult {
        id: phrase.id.clone(),
        text_hash: phrase.text_hash(),
        text: text.apply(&phrase.text),
        category: phrase.category.clone(),
        capability: phrase.capability.clone(),
        tags: phrase.tags.clone(),
        language: phrase.language.clone(),
        split: phrase.split,
        expected: phrase.expected,
        lowest_passing,
        highest_passing,
        polarity: phrase.expected.polarity(alert_level),
        critical: phrase.critical,
        must_pass: phrase.must_pass,
        pair: phrase.pair.clone(),
        seed_of: phrase.seed_of.clone(),
        source: phrase.source.clone(),
        level,
        verdict: verdict_of(level),
        observations,
    }
}
