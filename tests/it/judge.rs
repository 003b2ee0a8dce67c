//! Answers to verdicts, and verdicts to numbers.

mod repeats;

use std::collections::BTreeMap;

use proptest::prelude::*;
use thrash::domain::{
    Annotations, Answer, Attempt, Level, LevelSet, NoAnswer, NoAnswerReason, Observation, Phrase,
    PhraseResult, PhraseSource, Polarity, Prediction, SliceKind, TextPolicy, Tolerance, Verdict,
};
use thrash::judge::{integrity, judge, judge_phrase, latency_report, measure, slices};

use Level::{Critical, High, Low, Medium};

const NONE: Level = Level::None;

fn set(levels: &[Level]) -> LevelSet {
    LevelSet::new(levels.iter().copied()).expect("a level")
}

pub(super) fn phrase(id: &str, expected: &[Level], up: u8, down: u8) -> Phrase {
    Phrase {
        id: id.to_owned(),
        text: format!("The text of {id}."),
        category: id.split('-').next().unwrap_or_default().to_owned(),
        capability: None,
        tags: Vec::new(),
        expected: set(expected),
        escalation: Tolerance::levels(up).expect("at most 4"),
        de_escalation: Tolerance::levels(down).expect("at most 4"),
        critical: false,
        must_pass: false,
        pair: None,
        seed_of: None,
        history: Vec::new(),
        split: None,
        language: None,
        annotations: Annotations::default(),
        note: None,
        source: PhraseSource::default(),
    }
}

fn seen(answer: Option<Level>, repeat: u32) -> Observation {
    let answer = match answer {
        Some(level) => Answer::Prediction(Prediction {
            level,
            label: level.to_string(),
            score: None,
            confidence: None,
            service_latency_ms: None,
            version: None,
        }),
        None => Answer::NoAnswer(NoAnswer { reason: NoAnswerReason::Timeout, detail: String::new() }),
    };
    let attempt = Attempt {
        started_ms: 0.0,
        latency_ms: 1.0,
        accepted_ms: None,
        status: None,
        failure: None,
        phase: None,
    };
    Observation {
        repeat,
        started_ms: 0.0,
        latency_ms: 1.0,
        attempts: vec![attempt],
        answer,
        violations: Vec::new(),
        cached: false,
    }
}

pub(super) fn result(phrase: &Phrase, answers: &[Option<Level>]) -> PhraseResult {
    let seen = answers.iter().zip(0..).map(|(answer, repeat)| seen(*answer, repeat)).collect();
    judge_phrase(phrase, Low, TextPolicy::Full, seen)
}

/// Every expected set without a gap, every tolerance, every answer: 15 × 25 × 6 cases, judged by a rule written down
/// another way.
#[test]
fn the_whole_truth_table() {
    let mut cases = 0;
    for low in 0..5_usize {
        for high in low..5 {
            for up in 0..5_u8 {
                for down in 0..5_u8 {
                    let levels = &Level::ALL[low..=high];
                    let phrase = phrase("p", levels, up, down);
                    for answer in 0..5_usize {
                        let verdict = result(&phrase, &[Some(Level::ALL[answer])]).verdict;
                        let expected = if levels.contains(&Level::ALL[answer]) {
                            Verdict::Exact
                        } else if answer > high {
                            if answer - high <= usize::from(up) { Verdict::Tolerated } else { Verdict::Over }
                        } else if low - answer <= usize::from(down) {
                            Verdict::Tolerated
                        } else {
                            Verdict::Under
                        };
                        assert_eq!(verdict, expected, "{levels:?} +{up} -{down}: {:?}", Level::ALL[answer]);
                        cases += 1;
                    }
                    assert_eq!(result(&phrase, &[None]).verdict, Verdict::Unanswered);
                }
            }
        }
    }
    assert_eq!(cases, 15 * 25 * 5);
}

fn arbitrary_phrase() -> impl Strategy<Value = Phrase> {
    (0..5_usize, 0..5_usize, 0..5_u8, 0..5_u8)
        .prop_map(|(a, b, up, down)| phrase("p", &Level::ALL[a.min(b)..=a.max(b)], up, down))
}

fn arbitrary_answers() -> impl Strategy<Value = Vec<Option<Level>>> {
    let answer = prop::option::of(prop::sample::select(Level::ALL.to_vec()));
    prop::collection::vec(answer, 1..9)
}

proptest! {
    /// From none to critical the verdict goes under → tolerated → exact → tolerated → over and never back.
    #[test]
    fn the_verdict_is_monotone_in_the_answer(phrase in arbitrary_phrase()) {
        let place = |level: Level| match judge(phrase.expected, phrase.lowest_passing(), phrase.highest_passing(), Some(level)) {
            Verdict::Under => 0,
            Verdict::Tolerated if level < phrase.expected.min() => 1,
            Verdict::Exact => 2,
            Verdict::Tolerated => 3,
            Verdict::Over => 4,
            Verdict::Unanswered => unreachable!("there is an answer"),
        };
        let places: Vec<i32> = Level::ALL.into_iter().map(place).collect();
        prop_assert!(places.is_sorted(), "{:?}", places);
    }

    /// More tolerance never makes an answer worse.
    #[test]
    fn more_tolerance_never_fails_what_passed(phrase in arbitrary_phrase(), answer in 0..5_usize) {
        let wider = Phrase { escalation: Tolerance::ANY, de_escalation: Tolerance::ANY, ..phrase.clone() };
        let answer = [Some(Level::ALL[answer])];
        prop_assert!(!result(&phrase, &answer).verdict.passes() || result(&wider, &answer).verdict.passes());
    }

    /// Repeats are a bag: their order decides nothing.
    #[test]
    fn the_judged_answer_is_a_most_frequent_one_in_any_order(
        phrase in arbitrary_phrase(),
        (answers, shuffled) in arbitrary_answers().prop_flat_map(|a| (Just(a.clone()), Just(a).prop_shuffle())),
    ) {
        let judged = result(&phrase, &answers);
        let count = |answer| answers.iter().filter(|other| **other == answer).count();
        let most = answers.iter().map(|answer| count(*answer)).max().unwrap();
        prop_assert_eq!(count(judged.level), most);
        let again = result(&phrase, &shuffled);
        prop_assert_eq!((judged.level, judged.verdict), (again.level, again.verdict));
        // Of the most frequent ones it is never better than another.
        for other in answers.iter().filter(|answer| count(**answer) == most) {
            prop_assert!(!judged.verdict.passes() || result(&phrase, &[*other]).verdict.passes());
        }
    }

    #[test]
    fn numbers_add_up(answers in prop::collection::vec((arbitrary_phrase(), arbitrary_answers()), 0..40)) {
        let results: Vec<PhraseResult> = answers.iter().map(|(phrase, answers)| result(phrase, answers)).collect();
        let metrics = measure(&results, Low);
        let verdicts = metrics.verdicts;
        let all = verdicts.exact + verdicts.tolerated + verdicts.under + verdicts.over + verdicts.unanswered;
        prop_assert_eq!(all, results.len() as u64);
        prop_assert_eq!(metrics.accuracy.count, verdicts.exact + verdicts.tolerated);
        prop_assert_eq!(metrics.accuracy.of, all);
        prop_assert_eq!(metrics.confusion.iter().flatten().sum::<u64>(), all);
        let sides = [Polarity::Negative, Polarity::Positive].map(|side| {
            results.iter().filter(|result| result.polarity == side).count() as u64
        });
        prop_assert_eq!(sides[0] + sides[1] + metrics.straddling, all);
        prop_assert_eq!(metrics.false_negative_rate.of, sides[1]);
        prop_assert!(metrics.false_positive_rate.of <= sides[0]);
        for rate in [metrics.accuracy, metrics.false_positive_rate, metrics.false_negative_rate, metrics.severe_miss_rate] {
            prop_assert_eq!(rate.value.is_some(), rate.of > 0);
            if let (Some(value), Some([lower, upper])) = (rate.value, rate.wilson) {
                prop_assert!((0.0..=value).contains(&lower) && (value..=1.0).contains(&upper));
            }
        }
        // Nothing beats the best constant answer but something that is no constant.
        if let (Some(best), Some(level)) = (metrics.best_constant_accuracy, metrics.best_constant) {
            let constant: Vec<PhraseResult> = answers.iter().map(|(phrase, _)| result(phrase, &[Some(level)])).collect();
            let accuracy = measure(&constant, Low).accuracy.value.unwrap();
            prop_assert!((accuracy - best).abs() < 1e-12);
            for level in Level::ALL {
                let other: Vec<PhraseResult> = answers.iter().map(|(phrase, _)| result(phrase, &[Some(level)])).collect();
                prop_assert!(measure(&other, Low).accuracy.value.unwrap() <= best + 1e-12);
            }
        }
    }
}

#[test]
fn of_two_as_frequent_answers_the_worse_one_counts() {
    let phrase = phrase("p", &[Medium], 1, 0);
    let level = |answers: &[Option<Level>]| result(&phrase, answers).level;
    // No answer is the worst, then too low, too high, tolerated, right.
    assert_eq!(level(&[Some(Medium), None]), None);
    assert_eq!(level(&[Some(Low), Some(Critical)]), Some(Low));
    assert_eq!(level(&[Some(NONE), Some(Low)]), Some(NONE));
    assert_eq!(level(&[Some(Critical), Some(High)]), Some(Critical));
    assert_eq!(level(&[Some(High), Some(Medium)]), Some(High));
    // The more frequent one wins, whatever it is.
    assert_eq!(level(&[Some(Medium), None, Some(Medium)]), Some(Medium));
    assert_eq!(level(&[None, None, Some(Medium)]), None);
}

/// Ten phrases, counted by hand with the alert level at low.
#[test]
fn the_numbers_of_a_small_set_are_those_counted_by_hand() {
    let answers = [
        ("high-1", vec![High, Critical], Some(High)),
        ("high-2", vec![High, Critical], Some(Medium)),
        ("high-3", vec![High, Critical], None),
        ("medium-1", vec![Medium], Some(High)),
        ("medium-2", vec![Medium], Some(NONE)),
        ("none-1", vec![NONE], Some(NONE)),
        ("none-2", vec![NONE], Some(Low)),
        ("none-3", vec![NONE], Some(Critical)),
        ("none-4", vec![NONE], None),
        ("edge-1", vec![NONE, Low], Some(Medium)),
    ];
    let results: Vec<PhraseResult> = answers
        .iter()
        .map(|(id, expected, answer)| {
            result(&phrase(id, expected, u8::from(id.starts_with("medium")), 0), &[*answer])
        })
        .collect();
    let metrics = measure(&results, Low);
    let pair = |rate: thrash::domain::Rate| (rate.count, rate.of);
    // Exact: high-1, none-1. Tolerated: medium-1.
    assert_eq!((metrics.verdicts.exact, metrics.verdicts.tolerated), (2, 1));
    assert_eq!((metrics.verdicts.under, metrics.verdicts.over, metrics.verdicts.unanswered), (2, 3, 2));
    assert_eq!(pair(metrics.accuracy), (3, 10), "unanswered is wrong");
    assert_eq!(pair(metrics.accuracy_answered), (3, 8));
    assert_eq!(pair(metrics.exact_accuracy), (2, 10));
    // none-2 and none-3 of the three negatives that were answered; edge-1 straddles.
    assert_eq!(pair(metrics.false_positive_rate), (2, 3));
    assert_eq!(metrics.straddling, 1);
    // medium-2 below low, high-3 unanswered, of five positives; high-2 still alerts.
    assert_eq!(pair(metrics.false_negative_rate), (2, 5));
    // high-2 below high, high-3 unanswered.
    assert_eq!(pair(metrics.severe_miss_rate), (2, 3));
    assert_eq!(pair(metrics.unanswered_rate), (2, 10));
    // Always `none`: four negatives and edge-1. Always `high`: three high, two tolerated medium. The lower one is named.
    assert_eq!(metrics.best_constant, Some(NONE));
    assert!((metrics.best_constant_accuracy.unwrap() - 0.5).abs() < 1e-12);
    assert!((metrics.lift.unwrap() + 0.2).abs() < 1e-12);
    // Row `none` (four negatives; edge-1's middle level is the lower one): none, low, medium, critical, no answer.
    assert_eq!(metrics.confusion[0], [1, 1, 1, 0, 1, 1]);
    // Distances of the eight answered: 0 1 1 2 0 1 4 1; signed: 0 −1 +1 −2 0 +1 +4 +1.
    assert!((metrics.scores.mean_distance.unwrap() - 10.0 / 8.0).abs() < 1e-12);
    assert!((metrics.scores.bias.unwrap() - 4.0 / 8.0).abs() < 1e-12);
}

#[test]
fn the_alert_level_moves_the_sides() {
    let judged = |alert| -> Vec<PhraseResult> {
        [(vec![Low], Medium), (vec![Medium], Low)]
            .into_iter()
            .map(|(expected, answer)| {
                judge_phrase(
                    &phrase("a-1", &expected, 0, 0),
                    alert,
                    TextPolicy::None,
                    vec![seen(Some(answer), 0)],
                )
            })
            .collect()
    };
    let low = measure(&judged(Low), Low);
    assert_eq!((low.false_positive_rate.of, low.false_negative_rate.of), (0, 2));
    assert_eq!(low.false_negative_rate.count, 0);
    let medium = measure(&judged(Medium), Medium);
    assert_eq!((medium.false_positive_rate.count, medium.false_positive_rate.of), (1, 1));
    assert_eq!((medium.false_negative_rate.count, medium.false_negative_rate.of), (1, 1));
}

#[test]
fn nothing_measures_as_nothing() {
    let metrics = measure(&[], Low);
    assert_eq!(metrics.phrases, 0);
    for rate in
        [metrics.accuracy, metrics.false_positive_rate, metrics.severe_miss_rate, metrics.unanswered_rate]
    {
        assert_eq!((rate.value, rate.wilson, rate.exact), (None, None, None));
    }
    assert_eq!((metrics.lift, metrics.best_constant, metrics.scores.kappa_quadratic), (None, None, None));
    let latency = latency_report([]);
    assert_eq!((latency.count, latency.p50_ms, latency.max_ms), (0, None, None));
}

#[test]
fn every_try_counts_in_the_unanswered_rate() {
    let results = [result(&phrase("a-1", &[High], 0, 0), &[Some(High), None, Some(High)])];
    let metrics = measure(&results, Low);
    assert_eq!(metrics.verdicts.unanswered, 0, "two of three answered");
    assert_eq!((metrics.unanswered_rate.count, metrics.unanswered_rate.of), (1, 3));
}

#[test]
fn integrity_finds_what_makes_numbers_doubtful() {
    let mut changed = result(&phrase("a-1", &[High], 0, 0), &[Some(High), Some(Low), None]);
    changed.observations[0].violations.push("severity_matches_score".to_owned());
    changed.observations[1].cached = true;
    let mut open = result(&phrase("a-2", &[High], 0, 0), &[None]);
    open.observations[0].answer =
        Answer::NoAnswer(NoAnswer { reason: NoAnswerReason::FailOpen, detail: String::new() });
    let retried = Attempt { status: Some(429), ..open.observations[0].attempts[0].clone() };
    open.observations[0].attempts.insert(0, retried);
    let steady = result(&phrase("a-3", &[High], 0, 0), &[Some(High), None]);
    let found = integrity(&[changed, open, steady], 10, Some(true));
    assert_eq!(found.changed, ["a-1"], "no answer is no other answer");
    assert_eq!(found.fail_open, ["a-2"]);
    assert_eq!((found.violations.len(), found.cached, found.retries, found.rate_limited), (1, 1, 1, 1));
    assert_eq!(found.not_sent, 4);
    assert_eq!(found.no_answer[&NoAnswerReason::Timeout], 2);
    assert_eq!(found.target_caches, Some(true));
}

#[test]
fn slices_hold_their_members_and_what_the_suite_asks() {
    let mut first = phrase("calm-1", &[NONE], 0, 0);
    first.tags = vec!["x".to_owned(), "y".to_owned()];
    first.language = Some("fr".to_owned());
    let second = Phrase { tags: vec!["x".to_owned()], ..phrase("loud-1", &[High], 0, 0) };
    let results = [result(&first, &[Some(NONE)]), result(&second, &[Some(NONE)])];
    let targets =
        BTreeMap::from([("calm".to_owned(), (Some(0.9), false)), ("loud".to_owned(), (None, true))]);
    let slices = slices(&results, Low, &targets);
    let find = |kind, name: &str| slices.iter().find(|slice| slice.kind == kind && slice.name == name);
    let of =
        |kind, name| find(kind, name).map(|slice| (slice.metrics.accuracy.count, slice.metrics.accuracy.of));
    assert_eq!(of(SliceKind::Category, "calm"), Some((1, 1)));
    assert_eq!(of(SliceKind::Category, "loud"), Some((0, 1)));
    assert_eq!(of(SliceKind::Tag, "x"), Some((1, 2)));
    assert_eq!(of(SliceKind::Language, "fr"), Some((1, 1)));
    assert_eq!(slices.len(), 5);
    assert_eq!(find(SliceKind::Category, "calm").unwrap().target_accuracy, Some(0.9));
    assert!(find(SliceKind::Category, "loud").unwrap().critical);
}
