//! Signs that the numbers may not mean what they seem to.

use crate::domain::{Answer, Integrity, NoAnswerReason, PhraseResult, Violation};

/// Looks for them in the results; `planned` is how many observations there should have been.
pub fn integrity(results: &[PhraseResult], planned: usize, target_caches: Option<bool>) -> Integrity {
    let mut found = Integrity { target_caches, ..Integrity::default() };
    let mut observed = 0;
    for result in results {
        let mut levels: Vec<_> = result.observations.iter().filter_map(|seen| seen.answer.level()).collect();
        levels.sort_unstable();
        levels.dedup();
        if levels.len() > 1 {
            found.changed.push(result.id.clone());
        }
        let mut fails_open = false;
        for seen in &result.observations {
            observed += 1;
            for invariant in &seen.violations {
                found.violations.push(Violation {
                    phrase: result.id.clone(),
                    repeat: seen.repeat,
                    invariant: invariant.clone(),
                });
            }
            if let Answer::NoAnswer(none) = &seen.answer {
                *found.no_answer.entry(none.reason).or_default() += 1;
                fails_open |= none.reason == NoAnswerReason::FailOpen;
            }
            found.cached += u64::from(seen.cached);
            found.retries += seen.attempts.len().saturating_sub(1) as u64;
            found.rate_limited +=
                seen.attempts.iter().filter(|attempt| attempt.status == Some(429)).count() as u64;
        }
        if fails_open {
            found.fail_open.push(result.id.clone());
        }
    }
    found.not_sent = planned.saturating_sub(observed) as u64;
    found
}
