//! Places in a latency distribution that gates ask for.

use crate::domain::LatencyReport;
use crate::stats::{Confidence, LatencyHistogram};

/// A place in a latency distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantile {
    /// Median.
    P50,
    /// 90th percentile.
    P90,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// The slowest.
    Max,
    /// The mean.
    Mean,
}

impl Quantile {
    /// The latency at it, in milliseconds.
    pub(super) fn of(self, latency: &LatencyReport) -> Option<f64> {
        match self {
            Self::P50 => latency.p50_ms,
            Self::P90 => latency.p90_ms,
            Self::P95 => latency.p95_ms,
            Self::P99 => latency.p99_ms,
            Self::Max => latency.max_ms,
            Self::Mean => latency.mean_ms,
        }
    }

    /// Of how many answers it is the slowest; none where that is no such share.
    pub(super) fn fraction(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            Self::Max | Self::Mean => None,
        }
    }

    /// The upper confidence limit of the percentile, in milliseconds; none when there are too few latencies.
    pub(super) fn upper_bound(self, latency: &LatencyReport, confidence: Confidence) -> Option<f64> {
        let histogram = LatencyHistogram::from_base64(latency.histogram.as_ref()?).ok()?;
        histogram.percentile_upper_bound(self.fraction()?, confidence).map(|bound| bound.as_secs_f64() * 1e3)
    }
}
