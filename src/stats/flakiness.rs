//! Repeats of one case: how likely flakiness shows, how large it is, and what "passes k times" means.
//!
//! The service's cache must be off, or repeats say nothing.

use super::Proportion;

/// P(k repeats do not all agree) when each answer flips with this probability: 1 − (1 − ε)ᵏ − εᵏ.
///
/// `None` without repeats or when the rate is not a probability.
pub fn detection_probability(flip_rate: f64, repeats: u32) -> Option<f64> {
    if repeats == 0 || !(0.0..=1.0).contains(&flip_rate) {
        return None;
    }
    if repeats == 1 {
        return Some(0.0);
    }
    let repeats = f64::from(repeats);
    Some((1.0 - (1.0 - flip_rate).powf(repeats) - flip_rate.powf(repeats)).max(0.0))
}

/// The fewest repeats that show a flip rate with at least this probability.
///
/// `None` when one of them is not strictly between 0 and 1, or more than a million repeats would be needed.
pub fn repeats_needed(flip_rate: f64, probability: f64) -> Option<u32> {
    let inside = |value: f64| value > 0.0 && value < 1.0;
    if !inside(flip_rate) || !inside(probability) {
        return None;
    }
    let (mut too_few, mut enough) = (1, 2);
    while detection_probability(flip_rate, enough)? < probability {
        (too_few, enough) = (enough, enough * 2);
        if enough > 1 << 20 {
            return None;
        }
    }
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if detection_probability(flip_rate, middle)? < probability {
            too_few = middle;
        } else {
            enough = middle;
        }
    }
    Some(enough)
}

/// The most frequent answer, the smallest of equally frequent ones; `None` without answers.
pub fn modal<T: Ord>(answers: &[T]) -> Option<&T> {
    let count = |answer: &T| answers.iter().filter(|other| *other == answer).count();
    answers.iter().max_by(|one, other| count(one).cmp(&count(other)).then_with(|| other.cmp(one)))
}

/// Whether the answers differ; a single answer cannot.
pub fn is_flaky<T: PartialEq>(answers: &[T]) -> bool {
    answers.windows(2).any(|pair| pair[0] != pair[1])
}

/// Answers that differ from the modal answer of their case, among all answers of cases asked more than once.
///
/// With few repeats it is too low, because the mode follows the answers.
pub fn flip_rate<T: Ord, C: AsRef<[T]>>(cases: &[C]) -> Proportion {
    let repeated = cases.iter().map(AsRef::as_ref).filter(|answers| answers.len() > 1);
    repeated
        .filter_map(|answers| Some((answers, modal(answers)?)))
        .flat_map(|(answers, modal)| answers.iter().map(move |answer| answer != modal))
        .collect()
}

/// pass@k: P(at least one of k repeats passes), unbiased from n observed repeats (Chen et al. 2021).
///
/// `None` when k is 0 or more than were observed.
pub fn pass_any(observed: Proportion, k: u64) -> Option<f64> {
    draw_all(observed.failures(), observed.trials(), k).map(|all_fail| 1.0 - all_fail)
}

/// pass^k: P(all of k repeats pass), unbiased from n observed repeats (Yao et al. 2024, τ-bench).
///
/// `None` when k is 0 or more than were observed.
pub fn pass_all(observed: Proportion, k: u64) -> Option<f64> {
    draw_all(observed.successes(), observed.trials(), k)
}

/// P(k draws without replacement all hit), C(hits, k) / C(all, k).
fn draw_all(hits: u64, all: u64, k: u64) -> Option<f64> {
    if k == 0 || k > all {
        return None;
    }
    Some((0..k).map(|drawn| hits.saturating_sub(drawn) as f64 / (all - drawn) as f64).product())
}
