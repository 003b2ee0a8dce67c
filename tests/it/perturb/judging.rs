//! Answers to variants against answers to phrases, by hand.

use thrash::domain::{
    Answer, Attempt, Expectation, Level, NoAnswer, NoAnswerReason, Observation, PerturbationGroup,
    PerturbationKind as Kind, PerturbationReport, PhraseResult, Prediction, TextPolicy, Variant,
};
use thrash::judge::{VariantAnswer, judge_phrase, judge_variants};

use super::phrase;

pub(super) fn answer(level: Option<Level>, score: Option<f64>) -> Answer {
    match level {
        Some(level) => Answer::Prediction(Prediction {
            level,
            label: level.to_string(),
            score,
            confidence: None,
            service_latency_ms: None,
            version: None,
        }),
        None => Answer::NoAnswer(NoAnswer { reason: NoAnswerReason::FailOpen, detail: String::new() }),
    }
}

/// A phrase and the answers to it, one a repeat.
pub(super) fn base(id: &str, answers: &[(Option<Level>, Option<f64>)]) -> PhraseResult {
    let observations = (0..)
        .zip(answers)
        .map(|(repeat, (level, score))| Observation {
            repeat,
            started_ms: 0.0,
            latency_ms: 1.0,
            attempts: Vec::<Attempt>::new(),
            answer: answer(*level, *score),
            violations: Vec::new(),
            cached: false,
        })
        .collect();
    judge_phrase(&phrase(id, "words", Level::High), Level::Low, TextPolicy::None, observations)
}

pub(super) fn variant(of: &str, kind: Kind, index: u32) -> Variant {
    Variant {
        of: of.to_owned(),
        kind,
        index,
        expectation: kind.expectation(),
        text: "other words".to_owned(),
    }
}

type Said = (&'static str, Kind, Option<Level>, Option<f64>);

fn judged(bases: &[PhraseResult], said: &[Said]) -> PerturbationReport {
    let variants: Vec<Variant> =
        (0..).zip(said).map(|(index, (of, kind, ..))| variant(of, *kind, index)).collect();
    let answers: Vec<VariantAnswer<'_>> = variants
        .iter()
        .zip(said)
        .map(|(variant, (_, _, level, score))| VariantAnswer::new(variant, &answer(*level, *score)))
        .collect();
    judge_variants(bases, &answers, Level::Low)
}

#[test]
fn an_expectation_is_held_against_the_answer_to_the_phrase_itself() {
    // Rows: the answer to the phrase; columns: the answer to the variant; both from none to critical.
    let table = |expectation: Expectation| {
        let row =
            |base: Level| Level::ALL.map(|answer| if expectation.holds(base, answer) { '.' } else { 'x' });
        Level::ALL.map(|base| row(base).iter().collect::<String>()).join(" ")
    };
    assert_eq!(table(Expectation::Same), ".xxxx x.xxx xx.xx xxx.x xxxx.");
    assert_eq!(table(Expectation::NotBelow), "..... x.... xx... xxx.. xxxx.");
    assert_eq!(table(Expectation::NotAbove), ".xxxx ..xxx ...xx ....x .....");
    assert_eq!(table(Expectation::NotBelowBy(1)), "..... ..... x.... xx... xxx..");
    assert_eq!(table(Expectation::NotBelowBy(0)), table(Expectation::NotBelow));
}

#[test]
fn nothing_can_fall_from_none_or_rise_from_critical() {
    let breakable = |expectation: Expectation| Level::ALL.map(|base| expectation.can_break(base));
    assert_eq!(breakable(Expectation::Same), [true; 5]);
    assert_eq!(breakable(Expectation::NotBelow), [false, true, true, true, true]);
    assert_eq!(breakable(Expectation::NotAbove), [true, true, true, true, false]);
    assert_eq!(breakable(Expectation::NotBelowBy(1)), [false, false, true, true, true]);
}

#[test]
fn every_variant_is_counted_once_where_it_belongs() {
    use Level::{Critical, High, Low, None as Safe};
    let bases = [
        base("high", &[(Some(High), Some(0.8))]),
        base("safe", &[(Some(Safe), Some(0.1))]),
        base("mute", &[(None, None)]),
    ];
    let report = judged(
        &bases,
        &[
            ("high", Kind::Typo, Some(High), Some(0.75)),
            ("high", Kind::Typo, Some(Safe), Some(0.1)),
            ("high", Kind::Typo, Some(Critical), Some(0.9)),
            ("high", Kind::Typo, None, None),
            ("safe", Kind::Typo, Some(Low), Some(0.21)),
            ("mute", Kind::Typo, Some(High), Some(0.8)),
            ("gone", Kind::Typo, Some(High), Some(0.8)),
            ("safe", Kind::Intensify, Some(Safe), Some(0.1)),
            ("high", Kind::Intensify, Some(Low), None),
        ],
    );
    let typo = report.kinds[&Kind::Typo];
    assert_eq!((typo.variants, typo.judged, typo.unanswered, typo.without_base), (7, 4, 1, 2));
    assert_eq!((typo.flips, typo.up, typo.down), (3, 2, 1));
    assert_eq!((typo.alerts_lost, typo.alerts_raised), (1, 1));
    // 0.8 → 0.75 and 0.8 → 0.9 did not move by more than 0.1, 0.8 → 0.1 and 0.1 → 0.21 did.
    assert_eq!((typo.scored, typo.score_moved), (4, 2));
    assert_eq!((typo.rate.count, typo.rate.of, typo.seeds), (3, 4, 2));
    let intensify = report.kinds[&Kind::Intensify];
    assert_eq!((intensify.judged, intensify.cannot_flip, intensify.flips, intensify.rate.of), (2, 1, 1, 1));
    assert_eq!((intensify.scored, intensify.score_moved), (1, 0));
    assert_eq!(report.total.variants, 9);
    assert_eq!(report.total.rate.of, 5);
    assert_eq!(report.groups[&PerturbationGroup::Typing], typo);
    assert_eq!(report.groups[&PerturbationGroup::Direction], intensify);
    assert_eq!(report.groups.len(), 2, "nothing was sent of the others");
}

#[test]
fn a_score_may_move_the_way_that_was_expected() {
    let bases = [base("p", &[(Some(Level::High), Some(0.75))])];
    let moved = |kind, score| {
        let report = judged(&bases, &[("p", kind, Some(Level::High), Some(score))]);
        report.total.score_moved == 1
    };
    assert!(moved(Kind::Emoji, 0.6) && moved(Kind::Emoji, 0.9) && !moved(Kind::Emoji, 0.65));
    assert!(moved(Kind::Intensify, 0.6) && !moved(Kind::Intensify, 0.9));
    assert!(!moved(Kind::Resolve, 0.6) && moved(Kind::Resolve, 0.9));
    assert!(!moved(Kind::Lol, 0.6) && !moved(Kind::Lol, 0.9));
    assert!(!moved(Kind::Emoji, f64::NAN));
}

#[test]
fn the_worst_flips_are_the_deepest_falls_then_the_highest_rises() {
    use Level::{Critical, High, Low, Medium, None as Safe};
    let bases = [
        base("a", &[(Some(High), None)]),
        base("b", &[(Some(Critical), Some(0.9))]),
        base("c", &[(Some(Safe), None)]),
    ];
    let report = judged(
        &bases,
        &[
            ("c", Kind::Leet, Some(Critical), None),
            ("a", Kind::Leet, Some(Medium), None),
            ("c", Kind::Leet, Some(Low), None),
            ("b", Kind::Leet, Some(Low), Some(0.3)),
            ("a", Kind::Leet, Some(Safe), None),
            ("b", Kind::Leet, Some(Critical), Some(0.9)),
        ],
    );
    let listed: Vec<String> =
        report.worst.iter().map(|flip| format!("{} {}→{}", flip.phrase, flip.base, flip.level)).collect();
    assert_eq!(listed, ["b critical→low", "a high→none", "a high→medium", "c none→critical", "c none→low"]);
    assert!(report.worst[0].score_change.is_some_and(|change| (change + 0.6).abs() < 1e-9));
    assert_eq!(report.worst[0].index, 3);
}

#[test]
fn a_phrase_that_is_answered_in_two_ways_is_told_apart() {
    let high = (Some(Level::High), Some(0.8));
    let bases = [base("shaky", &[high, high, (Some(Level::Low), Some(0.2))]), base("firm", &[high, high])];
    let said = [
        ("shaky", Kind::Rtl, Some(Level::High), Some(0.8)),
        ("firm", Kind::Rtl, Some(Level::Low), Some(0.2)),
    ];
    let report = judged(&bases, &said);
    assert_eq!((report.total.judged, report.total.unsteady, report.total.flips), (2, 1, 1));
    // The score of the level that counts, not the mean over both levels.
    assert_eq!(report.total.score_moved, 1);
}

#[test]
fn of_nothing_there_is_no_rate() {
    let report = judged(&[], &[]);
    assert_eq!(report, PerturbationReport::default());
    let report = judged(&[base("mute", &[(None, None)])], &[("mute", Kind::Lol, Some(Level::High), None)]);
    assert_eq!(
        (report.total.without_base, report.total.rate.value, report.total.rate.wilson),
        (1, None, None)
    );
}

#[test]
fn a_report_reads_back_as_it_was_written_and_fits_its_schema() {
    let bases = [base("a", &[(Some(Level::High), Some(0.8))])];
    let report = judged(
        &bases,
        &[("a", Kind::Leet, Some(Level::Low), Some(0.3)), ("a", Kind::ZeroWidth, Some(Level::High), None)],
    );
    let written = serde_json::to_value(&report).unwrap();
    assert_eq!(written["kinds"]["zero_width"]["judged"], 1);
    assert_eq!(written["worst"][0]["kind"], "leet");
    let schema = serde_json::to_value(schemars::schema_for!(PerturbationReport)).unwrap();
    assert!(jsonschema::is_valid(&schema, &written));
    assert_eq!(serde_json::from_value::<PerturbationReport>(written).unwrap(), report);
}
