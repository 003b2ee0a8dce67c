//! Numbers only: how sure a count, a rate, a comparison or a percentile lets us be.
//!
//! `judge` and `gate` call this layer with counts; it knows nothing of phrases or services. Levels are
//! indices `0..K`, cases are indices `0..n`. Every function is pure. Too little data is a value (`None` or a
//! typed error), never `NaN` and never a number that looks certain. Each formula names its source; golden
//! values from scipy, statsmodels and scikit-learn are in `tests/golden/statistics.json`.
//!
//! | question | where |
//! |---|---|
//! | how sure is this rate? | [`Proportion`] |
//! | how many errors may a gate allow, and could it ever pass? | [`acceptance`] |
//! | did the second run get worse on the same cases? | [`PairedTable`]; for shares [`ClusteredChange`] |
//! | and if the cases differ? | [`unpaired`] |
//! | do the levels agree, and what do the mistakes cost? | [`Confusion`], [`CostMatrix`] |
//! | do the people agree who gave the labels? | [`krippendorff_alpha`] |
//! | false alarms and misses at one cut | [`BinaryCounts`] |
//! | an interval for anything else | [`bootstrap`] |
//! | are the scores honest, and where to put the threshold? | [`ScoredCases`] |
//! | how slow is it? | [`percentile`], [`LatencyHistogram`] |
//! | did a sequence shift, and is its newest number out of line? | [`change_point`] |
//! | many tests, repeats, templated cases, stopping early | [`multiplicity`], [`flakiness`], [`cluster`], [`early_stop`] |
//!
//! ```
//! use thrash::stats::{Confidence, IntervalMethod, Proportion};
//!
//! let accuracy = Proportion::new(329, 350)?;
//! let at_least = accuracy.lower_bound(IntervalMethod::Wilson, Confidence::PERCENT_95);
//! assert!(at_least.is_some_and(|bound| bound > 0.91));
//! # Ok::<(), thrash::stats::ProportionError>(())
//! ```
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts stay far below 2^52, and ranks are rounded and clamped before they become integers"
)]
#![allow(clippy::doc_markdown, reason = "McNemar and DasGupta are people, not code")]

pub mod acceptance;
mod agreement;
mod binary;
pub mod bootstrap;
mod calibration;
pub mod change_point;
pub mod cluster;
mod clustered_change;
mod confidence;
mod confusion;
mod cost;
pub mod early_stop;
pub mod flakiness;
mod kappa;
mod krippendorff;
mod latency;
pub mod multiplicity;
mod paired;
pub mod percentile;
mod proportion;
mod random;
mod ranking;
mod scores;
mod special;
pub mod unpaired;

pub use acceptance::BoundRule;
pub use agreement::{ClassScores, Unanswered};
pub use binary::BinaryCounts;
pub use bootstrap::{BootstrapError, BootstrapEstimate, BootstrapKind, BootstrapOptions, BootstrapRng};
pub use calibration::{Binning, Calibration, CalibrationBin, MurphyDecomposition};
pub use change_point::{ChangePoint, ChangePointError, ChangePointOptions};
pub use cluster::ClusteredMean;
pub use clustered_change::ClusteredChange;
pub use confidence::{Confidence, ConfidenceError};
pub use confusion::{Confusion, ConfusionError};
pub use cost::{CostError, CostMatrix, CostSummary};
pub use early_stop::{Curtailment, Decision, Sprt};
pub use kappa::{Kappa, KappaWeights};
pub use krippendorff::krippendorff_alpha;
pub use latency::{LatencyHistogram, LatencyHistogramError, LatencyInterval, LatencySummary};
pub use paired::{PairedTable, regression_chance, regression_power, smallest_regression};
pub use percentile::RankInterval;
pub use proportion::{Interval, IntervalMethod, Proportion, ProportionError};
pub use ranking::ThresholdRow;
pub use scores::{ScoreError, ScoredCase, ScoredCases};
