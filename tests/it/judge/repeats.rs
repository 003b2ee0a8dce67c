//! What repeats show, and which answers are in doubt.

use proptest::prelude::*;
use thrash::domain::{Level, Verdict};
use thrash::judge::{is_doubtful, repeats};

use super::{High, Low, Medium, NONE, phrase, result};

/// Answers of some phrases: no answer, or a level.
fn answers() -> impl Strategy<Value = Vec<Vec<Option<Level>>>> {
    let answer = prop_oneof![1 => Just(None), 5 => prop::sample::select(Level::ALL.to_vec()).prop_map(Some)];
    prop::collection::vec(prop::collection::vec(answer, 1..8), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Counted here answer by answer, over all phrases that came more than once.
    #[test]
    fn the_report_is_what_one_counts_by_hand(answers in answers(), passes in 1..4_u32) {
        let results: Vec<_> = answers
            .iter()
            .enumerate()
            .map(|(at, answers)| result(&phrase(&format!("p-{at}"), &[Low, Medium], 0, 1), answers))
            .collect();
        let more_than_one: Vec<_> = answers.iter().filter(|answers| answers.len() > 1).collect();
        let Some(report) = repeats(&results, passes) else {
            prop_assert!(more_than_one.is_empty());
            return Ok(());
        };
        let right = |answer: &Option<Level>| answer.is_some_and(|level| level <= Medium);
        let times = |answers: &[Option<Level>], answer| answers.iter().filter(|other| **other == answer).count();
        let most = |answers: &[Option<Level>]| answers.iter().map(|answer| times(answers, *answer)).max().unwrap_or(0);
        let counted = |answers: &Vec<Option<Level>>| -> Vec<Option<Level>> {
            let end = if passes > 1 { answers.len().min(passes as usize) } else { answers.len() };
            answers[..end].to_vec()
        };
        let of: usize = more_than_one.iter().map(|answers| counted(answers).len()).sum();
        let flips: usize = more_than_one.iter().map(|answers| counted(answers).len() - most(&counted(answers))).sum();
        prop_assert_eq!((report.flip_rate.count, report.flip_rate.of), (flips as u64, of as u64));
        let flaky = more_than_one.iter().filter(|answers| most(answers) < answers.len()).count();
        prop_assert_eq!((report.flaky_rate.count, report.flaky.len(), report.phrases), (flaky as u64, flaky, more_than_one.len() as u64));
        let always = more_than_one.iter().filter(|answers| answers.iter().all(right)).count();
        prop_assert_eq!(report.always_right.count, always as u64);
        let extra: usize = more_than_one.iter().map(|answers| answers.len().saturating_sub(passes as usize)).sum();
        prop_assert_eq!(report.extra, extra as u64);
        prop_assert!(report.flaky.is_sorted_by(|one, other| one.agreement <= other.agreement));
        for phrase in &report.flaky {
            let at: usize = phrase.id[2..].parse().unwrap();
            let seen: u64 = phrase.answers.iter().map(|answer| answer.count).sum();
            prop_assert_eq!(seen, answers[at].len() as u64);
            prop_assert!(phrase.answers.is_sorted_by(|one, other| one.count >= other.count));
            let share = |count: usize| f64::from(u32::try_from(count).unwrap());
            prop_assert!((phrase.agreement * share(answers[at].len()) - share(most(&answers[at]))).abs() < 1e-9);
            prop_assert_eq!(phrase.passing.count, answers[at].iter().filter(|answer| right(answer)).count() as u64);
        }
    }

    /// Asking again is for answers: a phrase that got none is not asked again, one whose answers differ always is.
    #[test]
    fn doubt_follows_the_answers(answers in prop::collection::vec(prop::option::of(prop::sample::select(Level::ALL.to_vec())), 1..6)) {
        let result = result(&phrase("p-1", &[Low, Medium], 1, 0), &answers);
        let doubtful = is_doubtful(&result, &[]);
        if answers.iter().all(Option::is_none) {
            prop_assert!(!doubtful);
        } else if answers.iter().any(|answer| *answer != answers[0]) || (answers.len() == 1 && !result.verdict.passes()) {
            prop_assert!(doubtful);
        } else {
            prop_assert_eq!(doubtful, [NONE, High, Level::Critical].contains(&answers[0].unwrap()));
        }
    }
}

#[test]
fn a_score_is_near_an_edge_within_three_hundredths() {
    let mut result = result(&phrase("p-1", &[Low], 0, 0), &[Some(Low), Some(Low)]);
    assert_eq!(result.verdict, Verdict::Exact);
    for (score, near) in
        [(0.3, true), (0.27, true), (0.33, true), (0.265, false), (0.34, false), (0.47, true), (0.9, false)]
    {
        for seen in &mut result.observations {
            let thrash::domain::Answer::Prediction(prediction) = &mut seen.answer else {
                panic!("an answer")
            };
            prediction.score = Some(score);
        }
        assert_eq!(is_doubtful(&result, &[0.3, 0.5, 0.7]), near, "{score}");
        assert!(!is_doubtful(&result, &[]), "without bands a score says nothing");
    }
}
