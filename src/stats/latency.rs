//! Latencies in an HDR histogram: constant memory, cheap to record, merged without loss.
//!
//! One microsecond to one hour at three significant digits (Gil Tene's HdrHistogram). Each worker of a load run
//! owns one; they are merged at the end. Stored in the interchange format V2 as base64: the plain form rather
//! than the deflated one, because its header can be checked before anything is allocated and its bytes do not
//! depend on a compressor's version.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use serde::{Deserialize, Serialize};

use super::{Confidence, percentile};

const LOWEST_MICROS: u64 = 1;
const HIGHEST_MICROS: u64 = 3_600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;
/// Magic number, payload length, offset, digits, lowest, highest, ratio.
const HEADER_BYTES: usize = 40;
/// Where in the header the length of the counts stands.
const LENGTH_AT: std::ops::Range<usize> = 4..8;

/// Latencies between 1 µs and 1 h at three significant digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LatencyHistogram(Histogram<u64>);

/// Stored text that is not one of our histograms.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LatencyHistogramError {
    /// Not base64.
    #[error("the histogram is not base64")]
    Base64(#[from] base64::DecodeError),
    /// Not a plain V2 histogram over 1 µs to 1 h at three digits.
    #[error("the histogram is not in HDR V2 form over 1 µs to 1 h at 3 digits")]
    OtherShape,
    /// Its counts cannot be read.
    #[error("the counts of the histogram cannot be read")]
    Counts(#[from] hdrhistogram::serialization::DeserializeError),
}

/// The numbers of a latency distribution that people ask for, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// How many were measured.
    pub count: u64,
    /// The fastest.
    pub min_ms: f64,
    /// The arithmetic mean.
    pub mean_ms: f64,
    /// The standard deviation.
    pub stdev_ms: f64,
    /// The median.
    pub p50_ms: f64,
    /// 90 % were at most this slow.
    pub p90_ms: f64,
    /// 95 % were at most this slow.
    pub p95_ms: f64,
    /// 99 % were at most this slow.
    pub p99_ms: f64,
    /// 99.9 % were at most this slow.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

/// Latencies that enclose a true percentile; an end that too few values support is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatencyInterval {
    /// The lower end.
    pub lower: Option<Duration>,
    /// The upper end.
    pub upper: Option<Duration>,
    /// P(the interval holds the true percentile), if the values are independent.
    pub coverage: f64,
}

impl LatencyHistogram {
    /// An empty histogram, about 180 KiB.
    ///
    /// # Panics
    /// Never: the bounds are constants that the format allows.
    pub fn new() -> Self {
        Self(
            Histogram::new_with_bounds(LOWEST_MICROS, HIGHEST_MICROS, SIGNIFICANT_DIGITS)
                .expect("the bounds are valid"),
        )
    }

    /// Counts one latency, without allocating; beyond the range it counts as the nearest end.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(HIGHEST_MICROS);
        self.0.saturating_record(micros.clamp(LOWEST_MICROS, HIGHEST_MICROS));
    }

    /// Adds all counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// How many latencies were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The nearest-rank percentile (0.95 is p95), at most 0.1 % too high; `None` when empty or q is not in 0..=1.
    pub fn percentile(&self, q: f64) -> Option<Duration> {
        self.value_at(percentile::rank(self.count(), q)?)
    }

    /// The distribution-free interval of a percentile; `None` when empty or q is not strictly between 0 and 1.
    pub fn percentile_interval(&self, q: f64, confidence: Confidence) -> Option<LatencyInterval> {
        let ranks = percentile::rank_interval(self.count(), q, confidence)?;
        Some(LatencyInterval {
            lower: ranks.lower.and_then(|rank| self.value_at(rank)),
            upper: ranks.upper.and_then(|rank| self.value_at(rank)),
            coverage: ranks.coverage,
        })
    }

    /// The one-sided upper bound of a percentile; `None` when too few values support one.
    pub fn percentile_upper_bound(&self, q: f64, confidence: Confidence) -> Option<Duration> {
        self.value_at(percentile::upper_bound_rank(self.count(), q, confidence)?)
    }

    /// Every latency that was recorded, in microseconds and rising, with how often.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }

    /// The fastest, at most 0.1 % too low.
    pub fn min(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.0.min()))
    }

    /// The slowest, at most 0.1 % too high.
    pub fn max(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.0.max()))
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| from_micros(self.0.mean()))
    }

    /// The standard deviation.
    pub fn stdev(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| from_micros(self.0.stdev()))
    }

    /// The usual numbers in milliseconds; `None` when empty.
    pub fn summary(&self) -> Option<LatencySummary> {
        let percentile = |q| self.percentile(q).map(milliseconds);
        Some(LatencySummary {
            count: self.count(),
            min_ms: milliseconds(self.min()?),
            mean_ms: milliseconds(self.mean()?),
            stdev_ms: milliseconds(self.stdev()?),
            p50_ms: percentile(0.5)?,
            p90_ms: percentile(0.9)?,
            p95_ms: percentile(0.95)?,
            p99_ms: percentile(0.99)?,
            p999_ms: percentile(0.999)?,
            max_ms: milliseconds(self.max()?),
        })
    }

    /// The histogram as base64 of its V2 form, which other HDR tools read too.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_v2())
    }

    /// Reads what [`to_base64`](Self::to_base64) wrote.
    ///
    /// # Errors
    /// [`LatencyHistogramError`] for text that is not base64, another shape, or damaged counts.
    pub fn from_base64(text: &str) -> Result<Self, LatencyHistogramError> {
        let bytes = STANDARD.decode(text)?;
        let Some((header, counts)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err(LatencyHistogramError::OtherShape);
        };
        // Only the length of the counts differs between headers of our shape.
        let mut expected = Self::new().to_v2();
        expected.truncate(HEADER_BYTES);
        let length = u32::try_from(counts.len()).map_err(|_| LatencyHistogramError::OtherShape)?;
        expected[LENGTH_AT].copy_from_slice(&length.to_be_bytes());
        if header != expected {
            return Err(LatencyHistogramError::OtherShape);
        }
        Ok(Self(Deserializer::new().deserialize(&mut bytes.as_slice())?))
    }

    fn to_v2(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        V2Serializer::new()
            .serialize(&self.0, &mut bytes)
            .expect("memory takes every histogram of our shape");
        bytes
    }

    /// The latency of a rank, 1 being the fastest.
    fn value_at(&self, rank: u64) -> Option<Duration> {
        let count = self.count();
        if rank == 0 || rank > count {
            return None;
        }
        // Half a rank lower, so that rounding cannot lift the quantile to the next rank.
        let quantile = (rank as f64 - 0.5) / count as f64;
        Some(Duration::from_micros(self.0.value_at_quantile(quantile)))
    }
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Extend<Duration> for LatencyHistogram {
    fn extend<I: IntoIterator<Item = Duration>>(&mut self, latencies: I) {
        for latency in latencies {
            self.record(latency);
        }
    }
}

impl FromIterator<Duration> for LatencyHistogram {
    fn from_iter<I: IntoIterator<Item = Duration>>(latencies: I) -> Self {
        let mut histogram = Self::new();
        histogram.extend(latencies);
        histogram
    }
}

impl TryFrom<String> for LatencyHistogram {
    type Error = LatencyHistogramError;

    fn try_from(text: String) -> Result<Self, LatencyHistogramError> {
        Self::from_base64(&text)
    }
}

impl From<LatencyHistogram> for String {
    fn from(histogram: LatencyHistogram) -> Self {
        histogram.to_base64()
    }
}

fn from_micros(micros: f64) -> Duration {
    Duration::from_secs_f64(micros / 1e6)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
