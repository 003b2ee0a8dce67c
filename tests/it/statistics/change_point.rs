//! Shifts in a sequence, against exhaustive enumeration and the literature.

use super::{P95, close_to};
use proptest::prelude::*;
use thrash::stats::change_point::{MIN_SIDE, MIN_VALUES, prediction_interval};
use thrash::stats::{ChangePoint, ChangePointError, ChangePointOptions, Confidence};

fn find(values: &[f64]) -> ChangePoint {
    ChangePoint::find(values, ChangePointOptions::default()).expect("enough numbers")
}

/// Cobb (1978, Biometrika 65:243): the yearly flow of the Nile at Aswan, 1871 to 1970; it fell in 1899.
const NILE: [f64; 100] = [
    1120.0, 1160.0, 963.0, 1210.0, 1160.0, 1160.0, 813.0, 1230.0, 1370.0, 1140.0, 995.0, 935.0, 1110.0,
    994.0, 1020.0, 960.0, 1180.0, 799.0, 958.0, 1140.0, 1100.0, 1210.0, 1150.0, 1250.0, 1260.0, 1220.0,
    1030.0, 1100.0, 774.0, 840.0, 874.0, 694.0, 940.0, 833.0, 701.0, 916.0, 692.0, 1020.0, 1050.0, 969.0,
    831.0, 726.0, 456.0, 824.0, 702.0, 1120.0, 1100.0, 832.0, 764.0, 821.0, 768.0, 845.0, 864.0, 862.0,
    698.0, 845.0, 744.0, 796.0, 1040.0, 759.0, 781.0, 865.0, 845.0, 944.0, 984.0, 897.0, 822.0, 1010.0,
    771.0, 676.0, 649.0, 846.0, 812.0, 742.0, 801.0, 1040.0, 860.0, 874.0, 848.0, 890.0, 744.0, 749.0, 838.0,
    1050.0, 918.0, 986.0, 797.0, 923.0, 975.0, 815.0, 1020.0, 906.0, 901.0, 1170.0, 912.0, 746.0, 919.0,
    718.0, 714.0, 740.0,
];

#[test]
fn the_nile_falls_in_1899() {
    let found = find(&NILE);
    assert_eq!(1871 + found.at, 1899);
    close_to(found.before, 1097.75, 1e-9);
    close_to(found.after, 849.972_222, 1e-6);
    close_to(found.statistic, 6.574_105_620_273, 1e-9);
    close_to(found.p, 1.0 / 10_000.0, 1e-12);
}

#[test]
fn the_p_value_is_that_of_all_orders() {
    // All 40,320 orders, counted by a program in another language.
    for (values, statistic, p) in [
        ([0.90, 0.92, 0.91, 0.93, 0.80, 0.82, 0.79, 0.81], 2.592_724_864_350_67, 1152.0 / 40_320.0),
        ([3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0], 1.649_989_157_249_74, 12_288.0 / 40_320.0),
    ] {
        let found = find(&values);
        assert_eq!(found.at, 4);
        close_to(found.statistic, statistic, 1e-9);
        // Four standard errors of 9,999 draws.
        close_to(found.p, p, 4.0 * (p * (1.0 - p) / 9_999.0).sqrt());
    }
}

#[test]
fn the_seed_decides_and_is_told() {
    let values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0];
    let with = |seed| {
        ChangePoint::find(&values, ChangePointOptions { seed, ..ChangePointOptions::default() }).unwrap()
    };
    assert_eq!(with(1), with(1));
    assert_ne!(with(1).p.to_bits(), with(2).p.to_bits());
    assert_eq!(with(2).options.seed, 2);
}

#[test]
fn too_little_is_said_and_never_a_number() {
    let options = ChangePointOptions::default();
    let few = vec![1.0; MIN_VALUES - 1];
    assert_eq!(ChangePoint::find(&few, options), Err(ChangePointError::TooFew { values: 7 }));
    assert_eq!(ChangePoint::find(&[], options), Err(ChangePointError::TooFew { values: 0 }));
    // A sum of 0.1 eight times is not 0.8: rounding must not look like variation.
    assert_eq!(ChangePoint::find(&[0.1; 8], options), Err(ChangePointError::NoVariation));
    let mut broken = [1.0; 8];
    broken[3] = f64::NAN;
    assert_eq!(ChangePoint::find(&broken, options), Err(ChangePointError::NotFinite));
}

/// Without a shift, p is below 5 % in about 5 of 100 sequences.
#[test]
fn chance_alone_is_called_a_shift_as_seldom_as_promised() {
    let options = ChangePointOptions { permutations: 199, seed: 1 };
    let mut state = 1_u64;
    let mut draw = || {
        // An LCG (Knuth's MMIX constants) is random enough for this.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64
    };
    let alarms = (0..400)
        .filter(|_| {
            let values: Vec<f64> = (0..12).map(|_| draw()).collect();
            ChangePoint::find(&values, options).unwrap().p <= 0.05
        })
        .count();
    // 20 expected, four standard deviations around it.
    assert!((3..=37).contains(&alarms), "{alarms}");
}

#[test]
fn the_prediction_interval_is_the_textbooks() {
    // t(0.975, 4) = 2.7764; the mean is 51, the variance 2.5.
    let values = [50.0, 52.0, 49.0, 53.0, 51.0];
    let interval = prediction_interval(&values, P95).unwrap();
    let reach = 2.776_445_105 * 2.5_f64.sqrt() * 1.2_f64.sqrt();
    close_to(interval.lower, 51.0 - reach, 1e-7);
    close_to(interval.upper, 51.0 + reach, 1e-7);
    // t(0.95, 2) = 2.9200 for 90 %, two-sided.
    let interval = prediction_interval(&[1.0, 2.0, 3.0], Confidence::new(0.9).unwrap()).unwrap();
    close_to(interval.upper, 2.0 + 2.919_985_580 * (4.0_f64 / 3.0).sqrt(), 1e-7);
}

#[test]
fn nothing_is_predicted_from_too_little_or_from_what_never_varies() {
    assert_eq!(prediction_interval(&[], P95), None);
    assert_eq!(prediction_interval(&[1.0, 2.0], P95), None);
    assert_eq!(prediction_interval(&[0.1; 20], P95), None);
    assert_eq!(prediction_interval(&[1.0, 2.0, f64::INFINITY], P95), None);
}

proptest! {
    #[test]
    fn a_shift_is_the_same_on_any_scale(
        values in prop::collection::vec(-1e3..1e3_f64, 8..30), by in 0.01..100.0_f64, plus in -1e3..1e3_f64,
    ) {
        let options = ChangePointOptions { permutations: 99, seed: 3 };
        let Ok(found) = ChangePoint::find(&values, options) else { return Ok(()) };
        let scaled: Vec<f64> = values.iter().map(|value| value * by + plus).collect();
        let other = ChangePoint::find(&scaled, options).unwrap();
        prop_assert!((found.statistic - other.statistic).abs() < 1e-6);
        prop_assert!(found.at >= MIN_SIDE && found.at <= values.len() - MIN_SIDE);
        prop_assert!(found.p > 0.0 && found.p <= 1.0);
    }

    #[test]
    fn backwards_the_shift_is_as_large(values in prop::collection::vec(-1e3..1e3_f64, 8..30)) {
        let options = ChangePointOptions { permutations: 0, seed: 0 };
        let Ok(found) = ChangePoint::find(&values, options) else { return Ok(()) };
        let reversed: Vec<f64> = values.into_iter().rev().collect();
        let other = ChangePoint::find(&reversed, options).unwrap();
        prop_assert!((found.statistic - other.statistic).abs() < 1e-6);
    }
}
