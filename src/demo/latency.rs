//! How long the demo pretends to think.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// The 99th percentile of the standard normal distribution: what turns p50 and p99 into a log-normal's sigma.
const Z_99: f64 = 2.326_347_874_040_841;

/// The longest latency that can be asked for: beyond it, every client has long given up.
const LONGEST: Duration = Duration::from_mins(10);

/// How long an answer takes. As text: `20ms` (always) or `20ms..200ms` (log-normal, its median and its 99th percentile).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Latency {
    /// Every answer takes this long.
    Fixed(Duration),
    /// Log-normally distributed, the shape that measured service times come closest to.
    LogNormal {
        /// The median.
        p50: Duration,
        /// The 99th percentile; never below the median.
        p99: Duration,
    },
}

impl Latency {
    /// One latency, drawn from `rng`. A fixed latency draws nothing.
    pub(super) fn draw(self, rng: &mut impl Rng) -> Duration {
        match self {
            Self::Fixed(latency) => latency,
            Self::LogNormal { p50, p99 } => {
                let sigma = (p99.as_secs_f64() / p50.as_secs_f64()).ln() / Z_99;
                p50.mul_f64((sigma * standard_normal(rng)).exp()).min(LONGEST)
            }
        }
    }
}

/// A draw from the standard normal distribution (Box and Muller, 1958), within ±8.6.
fn standard_normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// A latency that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LatencyError {
    /// Not a number with a unit.
    #[error(
        "latency `{0}` is not a time such as `20ms`, `1.5s` or `250us`, nor a range such as `20ms..200ms`"
    )]
    Malformed(String),
    /// The median of a range is zero, or the 99th percentile lies below it.
    #[error("latency range `{0}` does not rise from a median above zero to a 99th percentile")]
    Falling(String),
    /// Longer than anyone waits.
    #[error("latency `{0}` is above {LONGEST:?}")]
    TooLong(String),
}

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, LatencyError> {
        let part = |part: &str| {
            let time = parse_time(part).ok_or_else(|| LatencyError::Malformed(text.to_owned()))?;
            if time > LONGEST { Err(LatencyError::TooLong(text.to_owned())) } else { Ok(time) }
        };
        let Some((p50, p99)) = text.split_once("..") else { return part(text).map(Self::Fixed) };
        let (p50, p99) = (part(p50)?, part(p99)?);
        if p50.is_zero() || p99 < p50 {
            return Err(LatencyError::Falling(text.to_owned()));
        }
        Ok(Self::LogNormal { p50, p99 })
    }
}

/// `20ms` → 20 milliseconds; `0` needs no unit.
fn parse_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim_start() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "" if number == 0.0 => 0.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(latency) => write!(f, "{latency:?}"),
            Self::LogNormal { p50, p99 } => write!(f, "{p50:?}..{p99:?}"),
        }
    }
}

impl TryFrom<String> for Latency {
    type Error = LatencyError;

    fn try_from(text: String) -> Result<Self, LatencyError> {
        text.parse()
    }
}

impl From<Latency> for String {
    fn from(latency: Latency) -> Self {
        latency.to_string()
    }
}
