//! What sending phrases more than once showed.

use std::cmp::Reverse;

use super::family::plain_rate;
use super::judge;
use crate::domain::{AnswerCount, FlakyPhrase, Level, PhraseResult, Rate, RepeatReport};
use crate::stats::flakiness::{flip_rate, is_flaky};

/// The report over the phrases that were sent more than once; none if none was. `passes` is how often each phrase was
/// to be sent: what came beyond was sent because the answer was in doubt.
///
/// No answer is an answer of its own. The flip rate leaves out what came beyond the passes, which would weigh the
/// doubtful phrases more: unless there was only one pass, and nothing else to see.
pub fn repeats(results: &[PhraseResult], passes: u32) -> Option<RepeatReport> {
    let repeated: Vec<&PhraseResult> =
        results.iter().filter(|result| result.observations.len() > 1).collect();
    if repeated.is_empty() {
        return None;
    }
    let counted: Vec<Vec<Option<Level>>> =
        repeated.iter().map(|result| answers(result, if passes > 1 { passes } else { u32::MAX })).collect();
    let flips = flip_rate(&counted);
    let extra = repeated.iter().flat_map(|result| &result.observations).filter(|seen| seen.repeat >= passes);
    let phrases = repeated.len() as u64;
    let always_right = repeated.iter().filter(|result| {
        let passing = passing(result);
        passing.count == passing.of
    });
    let always_right = always_right.count() as u64;
    let extra = extra.count() as u64;
    let mut flaky: Vec<FlakyPhrase> = repeated.into_iter().filter_map(flaky).collect();
    flaky.sort_by(|one, other| one.agreement.total_cmp(&other.agreement).then_with(|| one.id.cmp(&other.id)));
    Some(RepeatReport {
        phrases,
        flip_rate: plain_rate(flips.successes(), flips.trials()),
        flaky_rate: plain_rate(flaky.len() as u64, phrases),
        always_right: plain_rate(always_right, phrases),
        extra,
        flaky,
    })
}

/// The answers of the passes before this one.
fn answers(result: &PhraseResult, before: u32) -> Vec<Option<Level>> {
    let seen = result.observations.iter().filter(|seen| seen.repeat < before);
    seen.map(|seen| seen.answer.level()).collect()
}

/// The answers that pass, each judged by itself.
fn passing(result: &PhraseResult) -> Rate {
    let passes = |level: &&Option<Level>| {
        judge(result.expected, result.lowest_passing, result.highest_passing, **level).passes()
    };
    let answers = answers(result, u32::MAX);
    plain_rate(answers.iter().filter(passes).count() as u64, answers.len() as u64)
}

/// The phrase with its answers, if they differ.
#[expect(clippy::cast_precision_loss, reason = "a phrase is sent a hundred times at most")]
fn flaky(result: &PhraseResult) -> Option<FlakyPhrase> {
    let seen = answers(result, u32::MAX);
    if !is_flaky(&seen) {
        return None;
    }
    let mut answers: Vec<AnswerCount> = Vec::new();
    for level in seen.iter().copied() {
        match answers.iter_mut().find(|answer| answer.level == level) {
            Some(answer) => answer.count += 1,
            None => answers.push(AnswerCount { level, count: 1 }),
        }
    }
    answers.sort_by_key(|answer| (Reverse(answer.count), answer.level));
    Some(FlakyPhrase {
        id: result.id.clone(),
        category: result.category.clone(),
        agreement: answers.first().map_or(0.0, |answer| answer.count as f64) / seen.len() as f64,
        answers,
        passing: passing(result),
    })
}
