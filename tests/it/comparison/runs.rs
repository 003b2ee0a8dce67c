//! Pairs of runs to compare.

use thrash::domain::{Answer, Level, NoAnswerReason, Observation, RunId, RunRecord};
use thrash::judge::judge;

use crate::support::sample::{Said, Sample};

pub(super) const CANDIDATE: &str = "20260308-101500-x3n8rt";

/// The runs of two samples; the candidate's is a week younger.
pub(super) fn runs(baseline: &Sample, candidate: &Sample) -> (RunRecord, RunRecord) {
    let mut candidate = candidate.record();
    candidate.id = RunId::from_stored(CANDIDATE);
    candidate.started_at += chrono::Duration::days(7);
    (baseline.record(), candidate)
}

/// Phrases of one category that expect `high`: so many right in both runs, fixed, regressed and wrong in both.
pub(super) fn table(
    both_right: usize,
    improved: usize,
    regressed: usize,
    both_wrong: usize,
) -> (RunRecord, RunRecord) {
    let mut right = Sample::empty();
    right.add("crisis", &[Level::High], both_right + improved + regressed + both_wrong);
    let (mut baseline, mut candidate) = (right.clone(), right);
    let wrong = Said::Level(Level::Low, 0.3);
    for at in both_right..both_right + improved {
        baseline.phrases[at].said = wrong;
    }
    for at in both_right + improved..both_right + improved + regressed {
        candidate.phrases[at].said = wrong;
    }
    for at in both_right + improved + regressed..baseline.phrases.len() {
        baseline.phrases[at].said = wrong;
        candidate.phrases[at].said = wrong;
    }
    runs(&baseline, &candidate)
}

/// Gives a phrase one more answer.
pub(super) fn answer_again(run: &mut RunRecord, id: &str, level: Level) {
    let result = run.results.iter_mut().find(|result| result.id == id).expect("the phrase is in the run");
    let mut again = Observation { repeat: 1, ..result.observations[0].clone() };
    if let Answer::Prediction(prediction) = &mut again.answer {
        prediction.level = level;
    }
    result.observations.push(again);
}

/// Moves what a run says of a phrase, verdict and all.
pub(super) fn say(run: &mut RunRecord, id: &str, level: Option<Level>) {
    let result = run.results.iter_mut().find(|result| result.id == id).expect("the phrase is in the run");
    result.level = level;
    result.verdict = judge(result.expected, result.lowest_passing, result.highest_passing, level);
    match (&mut result.observations[0].answer, level) {
        (Answer::Prediction(prediction), Some(level)) => prediction.level = level,
        (answer, None) => {
            let detail = String::new();
            *answer = Answer::NoAnswer(thrash::domain::NoAnswer { reason: NoAnswerReason::Timeout, detail });
        }
        (Answer::NoAnswer(_), Some(_)) => panic!("`{id}` had no answer"),
    }
}
