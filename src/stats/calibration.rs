//! Is a score of 0.8 right eight times in ten?
//!
//! Brier (1950), Murphy's decomposition (1973) and the expected calibration error (Guo et al. 2017; Nixon et al. 2019
//! for bins of equal mass). The error is biased upward for small n (Kumar et al. 2019): show it beside
//! [`ScoredCases::calibration_error_by_chance`].

use serde::{Deserialize, Serialize};

use super::random::Draws;
use super::{
    BootstrapError, BootstrapEstimate, BootstrapOptions, Proportion, ScoredCase, ScoredCases, bootstrap,
};

/// How scores are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// This many bins of equal width over 0..1, the last one closed.
    EqualWidth(usize),
    /// This many bins with about equally many cases; equal scores are never parted, so bins may be fewer.
    EqualMass(usize),
}

impl Default for Binning {
    fn default() -> Self {
        Self::EqualWidth(10)
    }
}

/// The cases whose scores fall into one bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// The lowest score of the bin's range (equal width) or of its cases (equal mass).
    pub lower: f64,
    /// The highest score of the bin's range (equal width) or of its cases (equal mass).
    pub upper: f64,
    /// The mean score of its cases.
    pub mean_score: f64,
    /// How many of its cases are positive.
    pub observed: Proportion,
}

/// Scores against outcomes, bin by bin; empty bins are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The bins in ascending order.
    pub bins: Vec<CalibrationBin>,
    /// The mean of |mean score − observed rate| weighted by cases (ECE).
    pub expected_error: f64,
    /// The largest |mean score − observed rate| (MCE).
    pub max_error: f64,
    /// What the Brier score is made of.
    pub murphy: MurphyDecomposition,
}

/// Brier = reliability − resolution + uncertainty + residual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MurphyDecomposition {
    /// How far the bins' scores are from their outcomes; 0 is best.
    pub reliability: f64,
    /// How far the bins' outcomes are from the overall rate; more is better.
    pub resolution: f64,
    /// The variance of the outcome itself.
    pub uncertainty: f64,
    /// What the decomposition leaves over, because scores vary within a bin.
    pub residual: f64,
}

impl CalibrationBin {
    /// |mean score − observed rate|.
    pub fn error(&self) -> f64 {
        self.observed.rate().map_or(0.0, |rate| (self.mean_score - rate).abs())
    }
}

impl ScoredCases {
    /// The mean of (score − outcome)²: 0 is best; `None` without cases.
    pub fn brier(&self) -> Option<f64> {
        let squares = self.as_slice().iter().map(|case| (case.score - outcome(case)).powi(2));
        mean(squares, self.as_slice().len())
    }

    /// 1 − Brier ÷ (Brier of always saying the base rate): 0 is no better than that.
    ///
    /// `None` unless there are both positive and negative cases.
    pub fn brier_skill(&self) -> Option<f64> {
        let rate = self.base_rate().rate()?;
        let uncertainty = rate * (1.0 - rate);
        (uncertainty > 0.0).then_some(1.0 - self.brier()? / uncertainty)
    }

    /// Scores against outcomes in bins; `None` without cases or without bins.
    pub fn calibration(&self, binning: Binning) -> Option<Calibration> {
        let bins = self.bins(binning);
        let rate = self.base_rate().rate()?;
        let cases = self.as_slice().len() as f64;
        let (mut expected_error, mut max_error) = (0.0, 0.0_f64);
        let (mut reliability, mut resolution) = (0.0, 0.0);
        for bin in &bins {
            let weight = bin.observed.trials() as f64 / cases;
            expected_error += weight * bin.error();
            max_error = max_error.max(bin.error());
            reliability += weight * bin.error().powi(2);
            resolution += weight * (bin.observed.rate()? - rate).powi(2);
        }
        let uncertainty = rate * (1.0 - rate);
        let residual = self.brier()? - (reliability - resolution + uncertainty);
        let murphy = MurphyDecomposition { reliability, resolution, uncertainty, residual };
        (!bins.is_empty()).then_some(Calibration { bins, expected_error, max_error, murphy })
    }

    /// The calibration error to expect from a perfectly calibrated service with these very scores.
    ///
    /// Draws each outcome with its score as probability, `rounds` times, and averages; `None` without cases,
    /// bins or rounds.
    pub fn calibration_error_by_chance(&self, binning: Binning, rounds: usize, seed: u64) -> Option<f64> {
        let mut draws = Draws::new(seed);
        let mut simulated = self.clone();
        let mut sum = 0.0;
        for _ in 0..rounds {
            for case in simulated.cases_mut() {
                case.positive = draws.unit() < case.score;
            }
            sum += simulated.calibration(binning)?.expected_error;
        }
        (rounds > 0).then(|| sum / rounds as f64)
    }

    /// The expected calibration error with its bootstrap interval; cases are drawn with their outcome as stratum.
    ///
    /// The bins stay those of the cases themselves, so that every draw asks the same question.
    ///
    /// # Errors
    /// [`BootstrapError`] says what was too little.
    pub fn calibration_error_interval(
        &self,
        binning: Binning,
        options: BootstrapOptions,
    ) -> Result<BootstrapEstimate, BootstrapError> {
        // Bins follow each other as the cases do, so a case's bin is the one that its place falls into.
        let bins = self.bins(binning);
        let bin_of: Vec<usize> = bins
            .iter()
            .enumerate()
            .flat_map(|(index, bin)| std::iter::repeat_n(index, bin.observed.trials() as usize))
            .collect();
        let strata: Vec<usize> = self.as_slice().iter().map(|case| usize::from(case.positive)).collect();
        bootstrap::interval(&strata, options, |drawn| {
            // Within a bin, cases × |mean score − rate| is |Σ score − Σ outcome|.
            let mut excess = vec![0.0; bins.len()];
            for &index in drawn {
                let case = &self.as_slice()[index];
                *excess.get_mut(*bin_of.get(index)?)? += case.score - outcome(case);
            }
            mean(excess.iter().map(|excess| excess.abs()), drawn.len())
        })
    }

    fn bins(&self, binning: Binning) -> Vec<CalibrationBin> {
        match binning {
            Binning::EqualWidth(0) | Binning::EqualMass(0) => Vec::new(),
            Binning::EqualWidth(count) => {
                let index = |case: &ScoredCase| ((case.score * count as f64) as usize).min(count - 1);
                self.as_slice()
                    .chunk_by(|one, other| index(one) == index(other))
                    .filter_map(|cases| {
                        let first = index(cases.first()?) as f64;
                        Some(bin(first / count as f64, (first + 1.0) / count as f64, cases))
                    })
                    .collect()
            }
            Binning::EqualMass(count) => self.equal_mass_bins(count),
        }
    }

    fn equal_mass_bins(&self, count: usize) -> Vec<CalibrationBin> {
        let cases = self.as_slice();
        let mut bins = Vec::new();
        let mut start = 0;
        for part in 1..=count {
            let planned = (cases.len() * part / count).max(start);
            let Some(last) = planned.checked_sub(1).and_then(|last| cases.get(last)) else { continue };
            let end = cases.partition_point(|case| case.score <= last.score);
            if let [first, ..] = &cases[start..end] {
                bins.push(bin(first.score, last.score, &cases[start..end]));
            }
            start = end;
        }
        bins
    }
}

fn bin(lower: f64, upper: f64, cases: &[ScoredCase]) -> CalibrationBin {
    CalibrationBin {
        lower,
        upper,
        mean_score: mean(cases.iter().map(|case| case.score), cases.len()).unwrap_or(lower),
        observed: cases.iter().map(|case| case.positive).collect(),
    }
}

fn outcome(case: &ScoredCase) -> f64 {
    f64::from(u8::from(case.positive))
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> Option<f64> {
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}
