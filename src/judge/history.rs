//! What the runs of a series show together: did a metric shift, and is the newest run out of line?

use crate::domain::{Conclusion, History, HistoryRun, NewestRun, RunStatus, Series, Shift, ShiftTest, Trend};
use crate::stats::change_point::{MIN_VALUES, prediction_interval};
use crate::stats::{
    ChangePoint, ChangePointError, ChangePointOptions, Confidence, IntervalMethod, Proportion, multiplicity,
};

/// Above this a shift is put down to chance.
const ALPHA: f64 = 0.05;

/// A metric of which a trend is made.
struct Measure {
    name: &'static str,
    of: fn(&HistoryRun) -> Option<f64>,
    /// The scale on which its runs vary alike.
    scale: fn(f64) -> f64,
    /// The way back.
    unscale: fn(f64) -> f64,
}

const MEASURES: [Measure; 2] = [
    Measure { name: "accuracy", of: |run| run.accuracy, scale: |share| share, unscale: |share| share },
    // Latencies vary by factors.
    Measure {
        name: "latency_p95",
        of: |run| run.p95_ms.filter(|ms| *ms > 0.0),
        scale: f64::ln,
        unscale: f64::exp,
    },
];

/// Makes the history of a series of runs, given oldest first. Which runs count is decided here.
pub fn history(series: Series, mut runs: Vec<HistoryRun>) -> History {
    let counts = |run: &HistoryRun| {
        run.status == Some(RunStatus::Completed) && run.conclusion != Some(Conclusion::TargetFailed)
    };
    let phrases = phrases(runs.iter().filter(|run| counts(run)));
    for run in &mut runs {
        run.counted = counts(run) && phrases.is_some() && run.selection_hash == phrases;
        run.accuracy_interval = accuracy_interval(run);
    }
    let mut trends: Vec<Trend> = MEASURES.iter().map(|measure| trend(measure, &runs)).collect();
    correct(&mut trends);
    History { series, runs, elsewhere: 0, trends }
}

/// The phrases that the trends are about: what ran last is what is asked about, and a single run of other phrases is no
/// series. Numbers over different phrases differ for no fault of the target's.
fn phrases<'a>(runs: impl DoubleEndedIterator<Item = &'a HistoryRun> + Clone) -> Option<String> {
    let hashes = runs.filter_map(|run| run.selection_hash.as_ref()).rev();
    let again = |hash: &&String| hashes.clone().filter(|other| other == hash).count() > 1;
    hashes.clone().find(again).or(hashes.clone().next()).cloned()
}

fn accuracy_interval(run: &HistoryRun) -> Option<[f64; 2]> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of phrases, back from the share that it made"
    )]
    let right = (run.accuracy?.clamp(0.0, 1.0) * run.phrases as f64).round() as u64;
    let proportion = Proportion::new(right, run.phrases).ok()?;
    proportion
        .interval(IntervalMethod::Wilson, Confidence::PERCENT_95)
        .map(|interval| [interval.lower, interval.upper])
}

fn trend(measure: &Measure, runs: &[HistoryRun]) -> Trend {
    let points: Vec<(&HistoryRun, f64)> = runs
        .iter()
        .filter(|run| run.counted)
        .filter_map(|run| (measure.of)(run).map(|value| (run, value)))
        .collect();
    Trend {
        metric: measure.name.to_owned(),
        runs: points.len() as u64,
        shift: shift(measure, &points),
        newest: newest(measure, &points),
    }
}

fn shift(measure: &Measure, points: &[(&HistoryRun, f64)]) -> Shift {
    let scaled: Vec<f64> = points.iter().map(|(_, value)| (measure.scale)(*value)).collect();
    let options = ChangePointOptions::default();
    let found = match ChangePoint::find(&scaled, options) {
        Ok(found) => found,
        Err(ChangePointError::NoVariation) => return Shift::Constant,
        Err(ChangePointError::TooFew { .. } | ChangePointError::NotFinite) => {
            return Shift::TooFew { needed: MIN_VALUES as u64 };
        }
    };
    let (before, after) = points.split_at(found.at);
    Shift::Tested(ShiftTest {
        from: after[0].0.id.clone(),
        runs_before: before.len() as u64,
        runs_after: after.len() as u64,
        mean_before: mean(before),
        mean_after: mean(after),
        statistic: found.statistic,
        p: found.p,
        p_holm: found.p,
        permutations: options.permutations as u64,
        seed: options.seed,
        significant: false,
    })
}

/// Corrects the p-values for there being several, and says which shifts are more than chance.
fn correct(trends: &mut [Trend]) {
    let tests = || trends.iter().filter_map(|trend| tested(&trend.shift));
    let p_values: Vec<f64> = tests().map(|test| test.p).collect();
    let mut corrected = multiplicity::holm(&p_values).unwrap_or(p_values).into_iter();
    for trend in trends {
        if let Shift::Tested(test) = &mut trend.shift
            && let Some(p_holm) = corrected.next()
        {
            test.p_holm = p_holm;
            test.significant = p_holm < ALPHA;
        }
    }
}

fn tested(shift: &Shift) -> Option<&ShiftTest> {
    match shift {
        Shift::Tested(test) => Some(test),
        Shift::TooFew { .. } | Shift::Constant => None,
    }
}

/// The newest run beside those before it; none where there are too few of them to vary as they will.
fn newest(measure: &Measure, points: &[(&HistoryRun, f64)]) -> Option<NewestRun> {
    let (&(run, value), before) = points.split_last()?;
    if points.len() < MIN_VALUES {
        return None;
    }
    let scaled: Vec<f64> = before.iter().map(|(_, value)| (measure.scale)(*value)).collect();
    let predicted = prediction_interval(&scaled, Confidence::PERCENT_95)
        .map(|interval| [(measure.unscale)(interval.lower), (measure.unscale)(interval.upper)]);
    let differs = match predicted {
        Some([lower, upper]) => value < lower || value > upper,
        None => before.iter().any(|(_, other)| other.to_bits() != value.to_bits()),
    };
    Some(NewestRun { id: run.id.clone(), value, mean_before: mean(before), predicted, differs })
}

#[expect(clippy::cast_precision_loss, reason = "a count of runs")]
fn mean(points: &[(&HistoryRun, f64)]) -> f64 {
    points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64
}
