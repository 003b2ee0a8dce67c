//! Variants of one phrase say less than as many phrases.

use thrash::domain::{Level, PerturbationCounts, PerturbationKind as Kind, PhraseResult, Variant};
use thrash::judge::{VariantAnswer, judge_variants};
use thrash::stats::{Confidence, IntervalMethod, Proportion};

use super::judging::{answer, base, variant};

/// The counts over phrases that were all answered high; `flips` says of each phrase's variants which flip.
fn counted(flips: &[(&str, &[bool])], change: impl Fn(&mut PhraseResult)) -> PerturbationCounts {
    let mut bases: Vec<PhraseResult> =
        flips.iter().map(|(id, _)| base(id, &[(Some(Level::High), None)])).collect();
    bases.iter_mut().for_each(change);
    let variants: Vec<(Variant, Level)> = flips
        .iter()
        .flat_map(|(id, flips)| (0..).zip(*flips).map(|(index, flip)| (*id, index, *flip)))
        .map(|(id, index, flip)| {
            (variant(id, Kind::Typo, index), if flip { Level::Low } else { Level::High })
        })
        .collect();
    let answers: Vec<VariantAnswer<'_>> = variants
        .iter()
        .map(|(variant, level)| VariantAnswer::new(variant, &answer(Some(*level), None)))
        .collect();
    judge_variants(&bases, &answers, Level::Low).total
}

#[track_caller]
fn close(found: [f64; 2], by_hand: [f64; 2]) {
    let far = found.iter().zip(by_hand).any(|(found, by_hand)| (found - by_hand).abs() > 1e-6);
    assert!(!far, "{found:?} is not {by_hand:?}");
}

#[test]
fn families_that_flip_together_count_as_one_case_each() {
    // Four phrases with two variants each; one phrase flips in both. p = 2/8.
    // SE² = 4/3 · (1.5² + 3 · 0.5²) / 64 = 0.0625; independent: 1.5 / 7 / 8 = 0.0267857; effect 7/3; n = 24/7.
    let counts =
        counted(&[("a", &[true, true]), ("b", &[false; 2]), ("c", &[false; 2]), ("d", &[false; 2])], |_| ());
    assert_eq!((counts.rate.count, counts.rate.of, counts.seeds), (2, 8, 4));
    assert!((counts.design_effect.unwrap() - 7.0 / 3.0).abs() < 1e-12);
    // Wilson at p = 1/4, n = 24/7, z = 1.959964: centre 0.25 + 0.560213, half z · √(0.054688 + 0.081698) = 0.723822,
    // both over 2.120425.
    close(counts.rate.wilson.unwrap(), [0.040_742, 0.723_456]);
}

#[test]
fn phrases_with_one_variant_each_are_independent() {
    let flips: Vec<(&str, &[bool])> = ["a", "b", "c", "d", "e", "f", "g", "h"]
        .into_iter()
        .zip([&[true][..], &[true]].into_iter().chain([&[false][..]; 6]))
        .collect();
    let counts = counted(&flips, |_| ());
    assert!((counts.design_effect.unwrap() - 1.0).abs() < 1e-12);
    let plain = Proportion::new(2, 8).unwrap();
    for (found, method) in
        [(counts.rate.wilson, IntervalMethod::Wilson), (counts.rate.exact, IntervalMethod::ClopperPearson)]
    {
        let plain = plain.interval(method, Confidence::PERCENT_95).unwrap();
        close(found.unwrap(), [plain.lower, plain.upper]);
    }
}

#[test]
fn families_never_make_an_interval_shorter() {
    // Every phrase flips in one of its two variants: less spread than chance, which is luck.
    let counts = counted(&[("a", &[true, false]), ("b", &[false, true]), ("c", &[true, false])], |_| ());
    // What is planned for pairs holds: 1 + 1 · 0.5.
    assert_eq!(counts.design_effect, Some(1.5));
    assert_eq!(counts.rate.effective, Some(4.0));
}

#[test]
fn without_any_flip_what_is_planned_holds() {
    // Twelve variants of three phrases, no flip: nothing shows how alike siblings are. 12 / (1 + 3 · 0.5) = 4.8.
    let counts = counted(&[("a", &[false; 4]), ("b", &[false; 4]), ("c", &[false; 4])], |_| ());
    assert_eq!((counts.rate.value, counts.design_effect), (Some(0.0), Some(2.5)));
    // z² / (4.8 + z²) and 1 − 0.025^(1/4.8)
    close(counts.rate.wilson.unwrap(), [0.0, 0.444_538]);
    close(counts.rate.exact.unwrap(), [0.0, 0.536_300]);
}

#[test]
fn phrases_made_from_one_seed_are_one_family() {
    let flips: [(&str, &[bool]); 4] =
        [("a", &[true, true]), ("b", &[true, true]), ("c", &[false; 2]), ("d", &[false; 2])];
    let apart = counted(&flips, |_| ());
    let related = counted(&flips, |result| {
        // b was made from a, d from c.
        result.seed_of =
            [("b", "a"), ("d", "c")].iter().find(|(id, _)| *id == result.id).map(|(_, of)| (*of).to_owned());
    });
    assert_eq!((apart.seeds, related.seeds), (4, 2));
    let width = |counts: &PerturbationCounts| counts.rate.wilson.map(|[lower, upper]| upper - lower).unwrap();
    assert!(width(&related) > width(&apart));
}

#[test]
fn a_line_of_seeds_is_followed_to_its_end_and_may_bite_its_tail() {
    let line = |links: &'static [(&str, &str)]| {
        counted(&[("a", &[true]), ("b", &[false]), ("c", &[true])], |result| {
            result.seed_of = links.iter().find(|(id, _)| *id == result.id).map(|(_, of)| (*of).to_owned());
        })
    };
    assert_eq!(line(&[("a", "b"), ("b", "c")]).seeds, 1);
    assert_eq!(line(&[("a", "b"), ("b", "a")]).seeds, 2);
    assert_eq!(line(&[("a", "elsewhere"), ("b", "elsewhere")]).seeds, 2);
    let one = line(&[("a", "c"), ("b", "c")]);
    // One family of three: no spread between families to see, so it is one case.
    assert_eq!((one.seeds, one.design_effect), (1, Some(3.0)));
    assert!(one.rate.wilson.unwrap()[0] < 0.1 && one.rate.wilson.unwrap()[1] > 0.9);
}
