//! How sure the change of shares is: against the published interval, and in simulated runs.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thrash::stats::ClusteredChange;

use super::{P95, close_to, count, float, rows};

/// Cases that weigh the same, each a cluster of its own.
fn of_cases(changes: &[f64]) -> ClusteredChange {
    let clusters: Vec<(f64, f64)> = changes.iter().map(|change| (1.0, *change)).collect();
    ClusteredChange::new(&clusters).expect("cases")
}

#[test]
fn on_cases_right_or_wrong_it_is_the_interval_of_bonett_and_price() {
    for row in rows("paired_diff") {
        let cells: Vec<usize> = row["table[a,b,c,d]"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| usize::try_from(count(cell)).unwrap())
            .collect();
        let changes = [vec![0.0; cells[0] + cells[3]], vec![1.0; cells[1]], vec![-1.0; cells[2]]].concat();
        let (change, n) = (of_cases(&changes), changes.len() as f64 + 2.0);
        let [lower, upper] = [0, 1].map(|end| float(&row["bonett_price"][end]));
        close_to(change.middle, f64::midpoint(lower, upper), 1e-9);
        // The clustered standard error has the factor C/(C - 1).
        let interval = change.interval(P95);
        close_to(interval.upper - interval.lower, (upper - lower) * (n / (n - 1.0)).sqrt(), 1e-9);
    }
}

#[test]
fn it_takes_four_whole_losses_to_be_sure_as_it_does_without_shares() {
    let lost = |count: usize| of_cases(&[vec![-1.0; count], vec![0.0; 100 - count]].concat()).p_fell();
    assert!(lost(4) < 0.05 && lost(3) > 0.05, "{} {}", lost(4), lost(3));
    // Nothing changed, and that shows little in few cases.
    let few = of_cases(&[0.0; 30]);
    close_to(few.p_fell(), 0.5, 1e-12);
    assert!(few.interval(P95).lower < -0.08);
}

#[test]
fn small_noise_shows_no_more_than_no_change_does() {
    let width = |changes: &[f64]| {
        let interval = of_cases(changes).interval(P95);
        interval.upper - interval.lower
    };
    let still = width(&[0.0; 30]);
    for noise in [vec![-0.05], vec![0.05, -0.05], vec![-0.05, -0.05, -0.05], [0.1, -0.1].repeat(10)] {
        let changes = [noise.clone(), vec![0.0; 30 - noise.len()]].concat();
        assert!(width(&changes) >= still, "{noise:?}: {} and not {still}", width(&changes));
    }
    // A loss of all is sure, and how large it may be is not.
    let all = of_cases(&[-0.05; 30]);
    let interval = all.interval(P95);
    assert!(all.p_fell() < 1e-6 && interval.upper < -0.04, "{all:?}");
    assert!(interval.lower <= all.middle - still / 2.0, "{interval:?}");
}

#[test]
fn phrases_of_a_family_are_no_further_evidence() {
    let together = ClusteredChange::new(&[(10.0, -10.0), (10.0, 0.0), (10.0, 0.0), (10.0, 0.0)]).unwrap();
    close_to(together.p_fell(), of_cases(&[-1.0, 0.0, 0.0, 0.0]).p_fell(), 1e-12);
    assert!(together.p_fell() > 0.2);
    assert_eq!(ClusteredChange::new(&[]), None);
    assert_eq!(ClusteredChange::new(&[(0.0, 0.0)]), None);
}

/// The share of right answers of six.
fn share(chance: f64, random: &mut ChaCha8Rng) -> f64 {
    share_of(6, chance, random)
}

fn share_of(answers: u32, chance: f64, random: &mut ChaCha8Rng) -> f64 {
    (0..answers).filter(|_| random.random_bool(chance)).count() as f64 / f64::from(answers)
}

#[test]
fn runs_that_did_not_change_are_called_worse_no_more_often_than_agreed() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for phrases in [25, 100] {
        let alarms = (0..1000).filter(|_| {
            let changes: Vec<f64> = (0..phrases)
                .map(|_| {
                    let chance = if random.random_bool(0.5) { 1.0 } else { random.random::<f64>() };
                    share(chance, &mut random) - share(chance, &mut random)
                })
                .collect();
            of_cases(&changes).p_fell() < 0.05
        });
        let alarms = alarms.count();
        assert!(alarms <= 65, "{alarms} of 1000 runs over {phrases} phrases");
        // Hardly any answer is wrong.
        let alarms = (0..1000).filter(|_| {
            let mut share = || share_of(20, 0.993, &mut random);
            let changes: Vec<f64> = (0..phrases).map(|_| share() - share()).collect();
            of_cases(&changes).p_fell() < 0.05
        });
        let alarms = alarms.count();
        assert!(alarms <= 65, "{alarms} of 1000 runs over {phrases} phrases that are nearly always right");
    }
}

#[test]
fn a_small_loss_of_all_is_seen() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let seen = (0..300).filter(|_| {
        let changes: Vec<f64> = (0..30).map(|_| share_of(20, 0.95, &mut random) - 1.0).collect();
        of_cases(&changes).p_fell() < 0.05
    });
    let seen = seen.count();
    assert!(seen >= 290, "{seen} of 300 where one of 20 answers is lost");
    let seen = (0..300).filter(|_| {
        let changes: Vec<f64> = (0..40).map(|_| share(0.9, &mut random) - 1.0).collect();
        of_cases(&changes).p_fell() < 0.05
    });
    let seen = seen.count();
    assert!(seen >= 290, "{seen} of 300");
}

#[test]
fn the_interval_holds_what_phrases_like_these_really_lose() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    // Some phrases are lost wholly, all others a little: on average so much.
    for (wholly, a_little) in [(0.0, 0.05), (0.1, 0.05), (0.03, 0.0), (0.03, 0.05), (0.02, 0.02)] {
        let loss = wholly + (1.0 - wholly) * a_little;
        let held = (0..1000).filter(|_| {
            let changes: Vec<f64> = (0..60)
                .map(|_| {
                    let chance = if random.random_bool(wholly) { 0.0 } else { 1.0 - a_little };
                    share(chance, &mut random) - 1.0
                })
                .collect();
            let interval = of_cases(&changes).interval(P95);
            interval.lower <= -loss && -loss <= interval.upper
        });
        let held = held.count();
        assert!(held >= 930, "{held} of 1000 intervals hold a loss of {loss}");
    }
}
