//! The demo detector under all of it: not how good it is, but that the whole adds up.

use thrash::demo::{Severity, analyse};
use thrash::domain::{Level, PerturbationReport, Phrase};
use thrash::judge::{VariantAnswer, judge_variants};
use thrash::suite::perturb::{Kinds, variants};

use super::judging::{answer, base};
use super::phrase;

fn asked(text: &str) -> (Option<Level>, Option<f64>) {
    let found = analyse(text, &[]);
    let level = match found.severity {
        Severity::Safe => Level::None,
        Severity::Low => Level::Low,
        Severity::Medium => Level::Medium,
        Severity::High => Level::High,
        Severity::Critical => Level::Critical,
    };
    (Some(level), Some(found.score))
}

fn own_phrases() -> Vec<Phrase> {
    [
        ("I want to die and nobody would notice", Level::High),
        ("i can't do this anymore, i'm a burden to my mom", Level::Medium),
        ("my sister says she wants to kill herself", Level::High),
        ("crying again, everything feels pointless today", Level::Low),
        ("this boss fight is killing me lol", Level::None),
        ("Just came out as gay to my family and they baked a cake!", Level::None),
        ("the meeting was moved to monday", Level::None),
    ]
    .into_iter()
    .enumerate()
    .map(|(at, (text, level))| phrase(&format!("own-{at}"), text, level))
    .collect()
}

fn report() -> PerturbationReport {
    let phrases = own_phrases();
    let bases: Vec<_> = phrases.iter().map(|phrase| base(&phrase.id, &[asked(&phrase.text)])).collect();
    let made = variants(&phrases, &Kinds::all(), 60, 7);
    let answers: Vec<VariantAnswer<'_>> = made
        .iter()
        .map(|variant| {
            let (level, score) = asked(&variant.text);
            VariantAnswer::new(variant, &answer(level, score))
        })
        .collect();
    judge_variants(&bases, &answers, Level::Low)
}

#[test]
fn the_demo_detector_is_counted_to_the_last_variant() {
    let report = report();
    let total = report.total;
    assert!(total.variants > 300);
    assert_eq!(total.judged, total.variants);
    assert_eq!(total.flips, total.up + total.down);
    assert_eq!(total.seeds, 7);
    assert_eq!(report.kinds.values().map(|counts| counts.variants).sum::<u64>(), total.variants);
    assert_eq!(report.groups.values().map(|counts| counts.flips).sum::<u64>(), total.flips);
    assert!(!report.worst.is_empty(), "it makes honest mistakes");
}
