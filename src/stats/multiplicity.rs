//! Many tests at once: adjusted p-values and the chance that at least one cries wolf.
//!
//! Holm (1979) keeps the chance of any false alarm at α: for "no category regressed". Benjamini & Hochberg (1995)
//! keeps the share of false alarms at α: for exploring slices. Gates declared primary beforehand are never
//! corrected.

/// Holm's step-down adjusted p-values, in the order given; `None` when one is not a probability.
pub fn holm(p_values: &[f64]) -> Option<Vec<f64>> {
    let order = ascending(p_values)?;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    Some(adjusted)
}

/// Benjamini–Hochberg step-up adjusted p-values, in the order given; `None` when one is not a probability.
pub fn benjamini_hochberg(p_values: &[f64]) -> Option<Vec<f64>> {
    let order = ascending(p_values)?;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[index] * p_values.len() as f64 / (rank + 1) as f64);
        adjusted[index] = smallest;
    }
    Some(adjusted)
}

/// Bonferroni-adjusted p-values, in the order given; `None` when one is not a probability.
pub fn bonferroni(p_values: &[f64]) -> Option<Vec<f64>> {
    ascending(p_values)?;
    Some(p_values.iter().map(|p| (p * p_values.len() as f64).min(1.0)).collect())
}

/// P(at least one of `tests` independent tests at level α alarms although nothing changed).
///
/// `None` when α is not a probability.
pub fn family_false_alarm_rate(tests: u32, alpha: f64) -> Option<f64> {
    (0.0..=1.0).contains(&alpha).then(|| 1.0 - (1.0 - alpha).powf(f64::from(tests)))
}

/// The indices by ascending p-value.
fn ascending(p_values: &[f64]) -> Option<Vec<usize>> {
    if !p_values.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    Some(order)
}
