//! Which answers are in doubt, so that asking again can show something.

use crate::domain::{Level, PhraseResult, Verdict};
use crate::stats::flakiness::is_flaky;

/// A score this close to where another level begins may fall on its other side the next time.
const NEAR: f64 = 0.03;

/// Whether asking for this phrase again may bring another answer: its answers differ, its only answer is wrong, or it
/// stands at a boundary. `band_edges` are the scores at which another level begins, where the target has such.
///
/// A phrase without any answer is not in doubt: what failed there is the service, and it was given its retries.
pub fn is_doubtful(result: &PhraseResult, band_edges: &[f64]) -> bool {
    let answers: Vec<Option<Level>> = result.observations.iter().map(|seen| seen.answer.level()).collect();
    if answers.iter().all(Option::is_none) {
        return false;
    }
    is_flaky(&answers)
        || (answers.len() == 1 && !result.verdict.passes())
        || is_at_boundary(result, band_edges)
}

/// By the score, if there is one and the bands are known. By the level otherwise: the last one that is tolerated, or
/// the first one that is not. A level in the expected set is no sign of doubt, although a wrong one is often next to
/// it: so nearly every phrase would be in doubt.
fn is_at_boundary(result: &PhraseResult, band_edges: &[f64]) -> bool {
    let predictions = result.observations.iter().filter_map(|seen| seen.answer.prediction());
    let mut scores = predictions.filter_map(|prediction| prediction.score).peekable();
    if !band_edges.is_empty() && scores.peek().is_some() {
        // Scores are printed with few digits, and a difference of two of them has many.
        return scores.any(|score| band_edges.iter().any(|edge| (score - edge).abs() <= NEAR + 1e-9));
    }
    let (Some(level), lowest, highest) = (result.level, result.lowest_passing, result.highest_passing) else {
        return false;
    };
    match result.verdict {
        Verdict::Exact | Verdict::Unanswered => false,
        Verdict::Tolerated => level == lowest || level == highest,
        Verdict::Under => lowest.steps_above(level) == 1,
        Verdict::Over => level.steps_above(highest) == 1,
    }
}
