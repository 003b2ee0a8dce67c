//! The part of a suite that nobody tunes on is judged by itself as well.

use super::evaluate::GATED_FROM;
use super::metric::Metric;
use super::threshold::Gate;
use crate::domain::{CheckMode, RunRecord, SliceKind, Split};

/// The gates that hold for the held part on its own: those over the accuracy or the false positives of the whole run.
///
/// Bounds are left out: what all phrases prove, a third of them cannot.
pub fn held_gates(gates: &[Gate]) -> Vec<Gate> {
    let of_both = |gate: &&Gate| {
        matches!(gate.metric, Metric::Accuracy | Metric::FalsePositiveRate)
            && gate.mode == CheckMode::Point
            && gate.slice.is_none()
            && gate.min_n.is_none()
    };
    let slice = Some((SliceKind::Split, Split::Held.as_str().to_owned()));
    gates.iter().filter(of_both).map(|gate| Gate { slice: slice.clone(), ..gate.clone() }).collect()
}

/// Those of them that the run has enough cases for. Where every phrase is held, the whole run says it already.
pub(super) fn held_gates_of(record: &RunRecord, gates: &[Gate]) -> Vec<Gate> {
    let Some(held) = record.slice(SliceKind::Split, Split::Held.as_str()) else { return Vec::new() };
    if held.metrics.phrases >= record.metrics.phrases {
        return Vec::new();
    }
    let mut gates = held_gates(gates);
    gates.retain(|gate| gate.metric.rate(&held.metrics).is_some_and(|rate| rate.of >= GATED_FROM));
    gates
}
