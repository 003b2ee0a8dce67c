//! What holds for any two runs.

use proptest::prelude::*;
use thrash::domain::{Change, Level, NoAnswerReason, RunComparison, RunRecord};
use thrash::judge::compare;

use super::runs::runs;
use crate::support::sample::{Said, Sample};

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        6 => prop::sample::select(Level::ALL.to_vec()).prop_map(|level| Said::Level(level, 0.5)),
        1 => Just(Said::Nothing(NoAnswerReason::Timeout)),
    ]
}

/// Two runs of the same phrases, some phrases in one of them alone.
fn two_runs() -> impl Strategy<Value = (RunRecord, RunRecord)> {
    let phrase = (said(), said(), 0..12_u8);
    prop::collection::vec(phrase, 25).prop_map(|phrases| {
        let (mut baseline, mut candidate) = (Sample::all_right(), Sample::all_right());
        for (at, (before, after, _)) in phrases.iter().enumerate() {
            baseline.phrases[at].said = *before;
            candidate.phrases[at].said = *after;
        }
        let keep = |sample: &mut Sample, not: u8| {
            let mut at = phrases.iter().map(|phrase| phrase.2);
            sample.phrases.retain(|_| at.next() != Some(not));
        };
        keep(&mut baseline, 1);
        keep(&mut candidate, 2);
        runs(&baseline, &candidate)
    })
}

fn ids(comparison: &RunComparison, change: Change) -> Vec<&str> {
    let mut ids: Vec<&str> = comparison.changed(change).map(|phrase| phrase.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_run_beside_itself_shows_no_change((run, _) in two_runs()) {
        let found = compare(&run, &run).unwrap();
        let test = found.accuracy;
        prop_assert_eq!((test.improved, test.regressed, test.p_worse, test.p_changed), (0, 0, 1.0, 1.0));
        prop_assert!(found.changes.iter().all(|change| change.change == Change::StillWrong));
        prop_assert!(found.metrics.iter().all(|metric| metric.test.improved + metric.test.regressed == 0));
        prop_assert!(found.latency.iter().all(|latency| (latency.ratio.value - 1.0).abs() < 1e-12));
    }

    #[test]
    fn swapping_the_runs_turns_worse_into_better((one, other) in two_runs()) {
        let (there, back) = (compare(&one, &other).unwrap(), compare(&other, &one).unwrap());
        for (change, turned) in [
            (Change::Regressed, Change::Fixed),
            (Change::Fixed, Change::Regressed),
            (Change::New, Change::Gone),
            (Change::Gone, Change::New),
            (Change::StillWrong, Change::StillWrong),
        ] {
            prop_assert_eq!(ids(&there, change), ids(&back, turned));
        }
        prop_assert_eq!(there.compared, back.compared);
        for (there, back) in there.metrics.iter().zip(&back.metrics) {
            prop_assert_eq!((there.test.regressed, there.test.improved), (back.test.improved, back.test.regressed));
            prop_assert!((there.test.p_changed - back.test.p_changed).abs() < 1e-12);
            let values = (there.test.difference.map(|d| d.value), back.test.difference.map(|d| -d.value));
            prop_assert_eq!(values.0, values.1.map(|value| value + 0.0));
        }
    }

    #[test]
    fn the_parts_make_up_the_whole((baseline, candidate) in two_runs()) {
        let found = compare(&baseline, &candidate).unwrap();
        let test = found.accuracy;
        prop_assert_eq!(found.compared, test.both_right + test.improved + test.regressed + test.both_wrong);
        let count = |change| found.changed(change).count() as u64;
        prop_assert_eq!(
            (count(Change::Regressed), count(Change::Fixed), count(Change::StillWrong)),
            (test.regressed, test.improved, test.both_wrong)
        );
        let in_both = found.compared + count(Change::Flaky);
        prop_assert_eq!(in_both + count(Change::New), candidate.results.len() as u64);
        prop_assert_eq!(in_both + count(Change::Gone), baseline.results.len() as u64);
        let sliced: u64 = found.slices.iter().map(|slice| slice.test.regressed).sum();
        prop_assert_eq!(sliced, test.regressed);
        let difference = test.difference.unwrap();
        prop_assert!(difference.lower.unwrap() <= difference.value && difference.value <= difference.upper.unwrap());
        for slice in &found.slices {
            prop_assert!(slice.test.p_worse_holm.unwrap() >= slice.test.p_worse);
        }
        let order: Vec<Change> = found.changes.iter().map(|change| change.change).collect();
        prop_assert!(order.is_sorted());
    }
}
