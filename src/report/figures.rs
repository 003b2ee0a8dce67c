//! Numbers as people read them: shares, intervals, durations, counts.
//!
//! A share of nothing is `–`, never 0 and never NaN.

pub use crate::domain::count;
use crate::domain::{AnswerCounts, Estimate, LoadModel, LoadRecord, LoadStep, Rate, RunRecord};

/// What stands where there is no number.
pub const NOTHING: &str = "–";

/// A share from 0 to 1 in percent, as `92.0 %`. What is not quite all never reads as all, nor a little as nothing.
pub fn percent(share: Option<f64>) -> String {
    match share.and_then(hundredfold) {
        Some(percent) if percent > 0.0 && percent < 0.05 => "<0.1 %".to_owned(),
        Some(percent) if (99.95..100.0).contains(&percent) => ">99.9 %".to_owned(),
        Some(percent) => format!("{percent:.1} %"),
        None => NOTHING.to_owned(),
    }
}

/// An interval of a share in percent, as `[89.1, 94.3]`; empty where there is none.
pub fn percent_interval(interval: Option<[f64; 2]>) -> String {
    match interval.map(|ends| ends.map(hundredfold)) {
        Some([Some(lower), Some(upper)]) => format!("[{lower:.1}, {upper:.1}]"),
        _ => String::new(),
    }
}

/// The number in hundredths; none for what is no number.
fn hundredfold(share: f64) -> Option<f64> {
    Some(share * 100.0).filter(|percent| percent.is_finite())
}

/// A share with its interval, as `92.0 % [89.1, 94.3]`.
pub fn share(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    join(percent(value), percent_interval(interval))
}

/// A rate with its 95 % Wilson interval, as `92.0 % [89.1, 94.3]`.
pub fn rate(rate: &Rate) -> String {
    share(rate.value, rate.wilson)
}

/// The answers to a phrase in a load run, as `19 of 26 right, 7 unanswered`.
pub fn answers(counts: AnswerCounts) -> String {
    let right = format!("{} of {} right", counts.right, counts.of);
    if counts.unanswered == 0 { right } else { format!("{right}, {} unanswered", counts.unanswered) }
}

/// A number that is no share, as `0.81`.
pub fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{:.2}", value + 0.0),
        _ => NOTHING.to_owned(),
    }
}

/// A number with its interval, as `0.81 [0.65, 0.93]`.
pub fn estimate(estimate: Option<&Estimate>) -> String {
    let Some(estimate) = estimate else { return NOTHING.to_owned() };
    let interval = match (estimate.lower, estimate.upper) {
        (Some(lower), Some(upper)) => format!("[{}, {}]", number(Some(lower)), number(Some(upper))),
        _ => String::new(),
    };
    join(number(Some(estimate.value)), interval)
}

/// A difference of two shares in percentage points, as `+40.0 points`.
pub fn points(difference: Option<f64>) -> String {
    difference
        .and_then(hundredfold)
        .map_or_else(|| NOTHING.to_owned(), |points| format!("{points:+.1} points"))
}

/// A difference of two shares in percentage points, with its interval, as `-1.9 [-4.0, +0.2]`.
pub fn signed(difference: Option<f64>, interval: Option<[f64; 2]>) -> String {
    let signed = |share: f64| match format!("{:+.1}", share * 100.0).as_str() {
        "+0.0" | "-0.0" => "0.0".to_owned(),
        signed => signed.to_owned(),
    };
    let finite = |share: &f64| share.is_finite();
    let Some(value) = difference.filter(finite) else { return NOTHING.to_owned() };
    match interval {
        Some([lower, upper]) if finite(&lower) && finite(&upper) => {
            format!("{} [{}, {}]", signed(value), signed(lower), signed(upper))
        }
        _ => signed(value),
    }
}

/// A p-value, as `p = 0.031` or `p < 0.001`.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// Milliseconds with about three digits, as `0.42 ms`, `131 ms`, `4.21 s`, `3 min 12 s`.
pub fn duration(milliseconds: Option<f64>) -> String {
    match milliseconds {
        Some(ms) if !ms.is_finite() => NOTHING.to_owned(),
        Some(0.0) => "0 ms".to_owned(),
        Some(ms) if ms < 9.995 => format!("{ms:.2} ms"),
        Some(ms) if ms < 99.95 => format!("{ms:.1} ms"),
        Some(ms) if ms < 999.5 => format!("{ms:.0} ms"),
        Some(ms) if ms < 9_995.0 => format!("{:.2} s", ms / 1000.0),
        Some(ms) if ms < 59_950.0 => format!("{:.1} s", ms / 1000.0),
        Some(ms) => long_duration(ms / 1000.0),
        None => NOTHING.to_owned(),
    }
}

/// A minute or more, in its two largest units.
fn long_duration(seconds: f64) -> String {
    let (seconds, minutes) = (seconds.round(), (seconds.round() / 60.0).floor());
    if seconds < 3600.0 {
        return format!("{minutes} min {} s", seconds - minutes * 60.0);
    }
    let hours = (minutes / 60.0).floor();
    format!("{hours} h {} min", minutes - hours * 60.0)
}

/// A number with a digit after the point, if it has any.
pub fn short(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

/// What a step of a load run asked for, as `50/s` or `10 to 100 users`.
pub fn load(step: &LoadStep, model: LoadModel) -> String {
    let (from, to) = (short(step.load_from), short(step.load_to));
    if step.load_from.to_bits() == step.load_to.to_bits() {
        format!("{to}{}", model.unit())
    } else {
        format!("{from} to {to}{}", model.unit())
    }
}

/// What a load run's requests held, where that was more than a phrase each, as `16 phrases each: 950 of 960 answered`.
pub fn batches(load: &LoadRecord) -> Option<String> {
    let (batch, counts) = (load.scenario.batch, &load.counts);
    let ended = counts.ended_phrases();
    let answered = ended - counts.unanswered_phrases();
    (batch > 1).then(|| format!("{batch} phrases each: {answered} of {ended} answered"))
}

/// The phrases a second of a step, as `160.0/s`; a request holds so many.
pub fn phrase_rate(step: &LoadStep, batch: usize) -> String {
    format!("{:.1}/s", step.rate * f64::from(u32::try_from(batch).unwrap_or(u32::MAX)))
}

/// How many went unanswered: requests, or phrases where a request holds more than one.
pub fn unanswered(record: &RunRecord, all: u64) -> String {
    match record.options.batch {
        0 | 1 => count(all, "request went unanswered", "requests went unanswered"),
        _ => count(all, "phrase went unanswered", "phrases went unanswered"),
    }
}

/// That so many runs are left out of a history, if any are.
pub fn elsewhere(runs: u64) -> Option<String> {
    let left_out = count(runs, "run is", "runs are");
    (runs > 0).then(|| format!("{left_out} left out: against another URL than the configured one"))
}

/// The first few names, and how many more there are, as `a, b, c +4 more`.
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>, at_most: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names[..names.len().min(at_most)].join(", ");
    match names.len().saturating_sub(at_most) {
        0 => shown,
        more => join(shown, format!("+{more} more")),
    }
}

/// A metric's value in the unit that its name tells, as a gate's limit is written: latencies as durations, shares in
/// percent, counts of answers whole, anything else as a number; with the interval, where there is one.
pub fn of_metric(metric: &str, value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    let with_ends = |show: fn(Option<f64>) -> String| match interval {
        Some([lower, upper]) => format!("{} [{}, {}]", show(value), show(Some(lower)), show(Some(upper))),
        None => show(value),
    };
    if metric.contains("latency") {
        with_ends(duration)
    } else if metric.contains("accuracy") || metric.ends_with("_rate") || metric.ends_with("_agreement") {
        share(value, interval)
    } else if ["_violations", "_answers", "_phrases"].iter().any(|ending| metric.ends_with(ending)) {
        with_ends(whole)
    } else {
        with_ends(number)
    }
}

/// A count that is held as a number.
fn whole(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.0}"),
        _ => NOTHING.to_owned(),
    }
}

/// Two pieces with a space between them, if both say something.
fn join(first: String, second: String) -> String {
    match (first.is_empty(), second.is_empty()) {
        (_, true) => first,
        (true, false) => second,
        (false, false) => format!("{first} {second}"),
    }
}
