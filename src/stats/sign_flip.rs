//! Did paired differences shift to one side? The randomization test by flipping signs (Fisher 1935; Pitman 1937).
//!
//! Where nothing changed, each difference is as likely to have the other sign. On differences of 1 and −1 alone this is
//! McNemar's test; here they may be shares.

use super::special::normal_cdf;

/// Of more differences than this the sum is as good as normal.
const MOST_COUNTED: usize = 200;
/// The sum of all differences in units of the distribution that is counted out.
const UNITS: f64 = 8192.0;

/// The one-sided mid-p value: is the sum of the differences lower than chance makes it? 1 when none differs from 0.
pub fn sign_flip_mid_p(differences: &[f64]) -> f64 {
    let changed: Vec<f64> = differences.iter().copied().filter(|change| *change != 0.0).collect();
    let reach: f64 = changed.iter().map(|change| change.abs()).sum();
    if changed.is_empty() || !reach.is_finite() {
        return 1.0;
    }
    if changed.len() > MOST_COUNTED {
        let spread = changed.iter().map(|change| change * change).sum::<f64>().sqrt();
        return normal_cdf(changed.iter().sum::<f64>() / spread);
    }
    // Equal differences are equally many units, so that ties stay ties.
    let units = |change: f64| (change.abs() / reach * UNITS).round() as usize;
    let all: usize = changed.iter().map(|change| units(*change)).sum();
    let fallen: usize = changed.iter().filter(|change| **change < 0.0).map(|change| units(*change)).sum();
    // The chance of each sum of those that fall, each of them with probability ½.
    let mut chance = vec![0.0; all + 1];
    chance[0] = 1.0;
    let mut top = 0;
    for change in changed {
        let step = units(change);
        for sum in (0..=top).rev() {
            let half = chance[sum] / 2.0;
            chance[sum] = half;
            chance[sum + step] += half;
        }
        top += step;
    }
    (chance[fallen + 1..].iter().sum::<f64>() + chance[fallen] / 2.0).min(1.0)
}
