//! The part of a suite that may be looked at while a service is tuned, and the part that may not.

use crate::domain::{Rate, RunRecord, SliceKind, Split};
use crate::stats::Proportion;
use crate::stats::unpaired::fisher_exact_lower;

/// The accuracy on both parts of a suite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Splits {
    /// On the part that may be looked at.
    pub dev: Rate,
    /// On the part that is kept back.
    pub held: Rate,
    /// Fisher's exact one-sided p-value: is `held` lower by chance?
    pub p_held_lower: f64,
}

impl Splits {
    /// Both parts, of a run that holds phrases of both.
    pub fn of(record: &RunRecord) -> Option<Self> {
        let accuracy = |part: Split| Some(record.slice(SliceKind::Split, part.as_str())?.metrics.accuracy);
        let (dev, held) = (accuracy(Split::Dev)?, accuracy(Split::Held)?);
        Some(Self { dev, held, p_held_lower: fisher_exact_lower(worth(held), worth(dev)) })
    }

    /// Whether the answers on `dev` are better by more than chance, as those of a service tuned to these phrases are.
    pub fn dev_is_better(&self) -> bool {
        self.p_held_lower <= 0.05
    }
}

/// The rate as one of whole independent cases, as many as its own are worth.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "phrases of a run are few"
)]
fn worth(rate: Rate) -> Proportion {
    let of = rate.effective.map_or(rate.of, |worth| worth as u64);
    let count = rate.effective.map_or(rate.count, |_| (rate.value.unwrap_or(0.0) * of as f64).round() as u64);
    Proportion::new(count, of).unwrap_or_default()
}
