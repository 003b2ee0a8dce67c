//! Comparisons that show less than they seem to, in the verdict on two runs and in the one on the candidate.

use thrash::domain::{BaselineRecord, Check, CheckOutcome, CheckSource, Conclusion, RunRecord, RunStatus};
use thrash::gate::{GateOptions, evaluate, evaluate_comparison};
use thrash::judge::compare;

use super::runs::{answer_again, runs, say};
use crate::support::sample::Sample;
use thrash::domain::Level;

/// A hundred calm phrases and a hundred desperate ones, all right in both runs.
fn both() -> (RunRecord, RunRecord) {
    let mut sample = Sample::empty();
    sample.add("calm", &[Level::None], 100);
    sample.add("crisis", &[Level::High], 100);
    runs(&sample, &sample)
}

/// What both entry points find unsound, which is the same.
fn unsound((baseline, mut candidate): (RunRecord, RunRecord)) -> Vec<String> {
    let comparison = compare(&baseline, &candidate).expect("comparable runs");
    candidate.baseline = Some(BaselineRecord::Compared(Box::new(comparison)));
    let gates = vec!["accuracy no_regression".parse().unwrap()];
    let options = GateOptions { gates, error_budget: 0.05, needs_baseline: false };
    let undecided = |checks: Vec<Check>| -> Vec<String> {
        let unsure = checks.into_iter().filter(|check| {
            check.source == CheckSource::Integrity && check.outcome == CheckOutcome::Inconclusive
        });
        unsure.map(|check| format!("{}: {}", check.name, check.reason)).collect()
    };
    let (alone, beside) = (evaluate(&candidate, &options), evaluate_comparison(&candidate, &options));
    let expected = if undecided(beside.checks.clone()).is_empty() {
        Conclusion::Passed
    } else {
        Conclusion::Inconclusive
    };
    assert_eq!(beside.conclusion, expected, "{}", beside.sentence);
    if candidate.status == RunStatus::Completed {
        assert_eq!(alone.conclusion, expected, "{}", alone.sentence);
    }
    let found = undecided(beside.checks);
    assert_eq!(undecided(alone.checks), found);
    // What was only asked for is looked at alike, and what nobody asked for is not.
    let asked = GateOptions { gates: Vec::new(), needs_baseline: true, ..options.clone() };
    assert_eq!(undecided(evaluate(&candidate, &asked).checks), found);
    let nobody = GateOptions { needs_baseline: false, ..asked };
    assert_eq!(undecided(evaluate(&candidate, &nobody).checks), Vec::<String>::new());
    found
}

#[test]
fn a_whole_baseline_of_the_same_phrases_is_sound() {
    assert_eq!(unsound(both()), Vec::<String>::new());
}

#[test]
fn a_baseline_that_was_cut_short_is_not() {
    for (status, why) in
        [(RunStatus::Interrupted, "stopped by hand"), (RunStatus::Aborted, "ended before its time")]
    {
        let (mut baseline, candidate) = both();
        baseline.status = status;
        let found = unsound((baseline, candidate));
        assert!(found[0].starts_with("the baseline is a whole run") && found[0].contains(why), "{found:?}");
    }
}

#[test]
fn nine_in_ten_phrases_of_the_larger_run_must_be_compared() {
    for (lost, sound) in [(20, true), (21, false)] {
        for of_baseline in [true, false] {
            let (mut baseline, mut candidate) = both();
            let run = if of_baseline { &mut baseline } else { &mut candidate };
            run.results.drain(..lost);
            let found = unsound((baseline, candidate));
            assert_eq!(found.is_empty(), sound, "{found:?}");
            assert!(found.iter().all(|check| check.contains("179 of 200 phrases")), "{found:?}");
        }
    }
    // What changes within the baseline is not compared.
    let (mut baseline, candidate) = both();
    let ids: Vec<String> =
        baseline.results.iter().skip(100).take(21).map(|result| result.id.clone()).collect();
    for id in &ids {
        answer_again(&mut baseline, id, Level::Low);
    }
    let found = unsound((baseline.clone(), candidate.clone()));
    assert!(found[0].contains("21 with answers that change within a run"), "{found:?}");
    // Down to nothing.
    for result in &mut baseline.results {
        let id = result.id.clone();
        if !ids.contains(&id) {
            let wrong = if result.category == "calm" { Level::High } else { Level::Low };
            let mut again = result.observations[0].clone();
            if let thrash::domain::Answer::Prediction(prediction) = &mut again.answer {
                prediction.level = wrong;
            }
            result.observations.push(again);
        }
    }
    let found = unsound((baseline, candidate));
    assert!(found.iter().any(|check| check.contains("0 of 200 phrases")), "{found:?}");
}

#[test]
fn neither_run_may_be_unanswered_beyond_the_budget() {
    for of_baseline in [true, false] {
        let (mut baseline, mut candidate) = both();
        let run = if of_baseline { &mut baseline } else { &mut candidate };
        let ids: Vec<String> = run.results.iter().take(11).map(|result| result.id.clone()).collect();
        for id in &ids {
            say(run, id, None);
        }
        // A candidate like that got worse besides, so that only the baseline's silence could pass.
        if of_baseline {
            let found = unsound((baseline, candidate));
            assert!(found[0].starts_with("the baseline was answered: 11 of 200 phrases"), "{found:?}");
        } else {
            let comparison = compare(&baseline, &candidate).unwrap();
            candidate.baseline = Some(BaselineRecord::Compared(Box::new(comparison)));
            let gates = vec!["accuracy drop <= 50 points".parse().unwrap()];
            let options = GateOptions { gates, error_budget: 0.05, needs_baseline: false };
            let verdict = evaluate_comparison(&candidate, &options);
            assert_eq!(verdict.conclusion, Conclusion::Inconclusive, "{}", verdict.sentence);
            assert_eq!(verdict.checks[0].name, "the candidate was answered");
        }
    }
}

#[test]
fn a_phrase_that_had_to_pass_and_is_gone_is_a_finding_however_many_are_left() {
    let lost = |change: fn(&mut RunRecord, &mut RunRecord)| {
        let (mut baseline, mut candidate) = both();
        baseline.results[150].must_pass = true;
        candidate.results[150].must_pass = true;
        change(&mut baseline, &mut candidate);
        let warnings = compare(&baseline, &candidate).unwrap().warnings;
        (unsound((baseline, candidate)), warnings.join("; "))
    };
    assert_eq!(lost(|_, _| {}), (Vec::new(), String::new()));
    let (found, warnings) = lost(|_, candidate| {
        candidate.results.remove(150);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("what had to pass still has to: `crisis-051` had to pass"), "{found:?}");
    assert!(warnings.contains("1 phrase had to pass and is gone: `crisis-051`"), "{warnings}");
    let (found, warnings) = lost(|baseline, candidate| {
        baseline.results[151].must_pass = true;
        candidate.results.drain(150..152);
    });
    assert!(found[0].contains("`crisis-051` and 1 more"), "{found:?}");
    assert!(warnings.contains("2 phrases had to pass and are gone: `crisis-051` and 1 more"), "{warnings}");
    // A phrase that need not have passed may go.
    let (found, _) = lost(|_, candidate| {
        candidate.results.remove(10);
    });
    assert_eq!(found, [""; 0]);
    // Another text under the same id is still asked for; unless it need not pass any more.
    let (found, _) = lost(|_, candidate| candidate.results[150].text_hash.push('x'));
    assert_eq!(found, [""; 0]);
    let (found, _) = lost(|_, candidate| {
        candidate.results[150].text_hash.push('x');
        candidate.results[150].must_pass = false;
    });
    assert_eq!(found.len(), 1);
    let (_, warnings) = lost(|_, candidate| candidate.results[150].must_pass = false);
    assert!(warnings.contains("1 phrase had to pass in the baseline and need not now"), "{warnings}");
}
