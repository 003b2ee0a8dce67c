//! A run record in a file, as `--json` writes it.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::error::Category;

use super::error::chain;
use crate::domain::{Observation, PlainJson, RunRecord};
use crate::store::decode_record;

/// Largest record that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// Reads a run record; a pipe is read to its end.
///
/// # Errors
/// Why there is none, as a part of a sentence: the file cannot be read, it holds none, or one that contradicts itself.
pub fn read_record_file(path: &Path) -> Result<RunRecord, String> {
    let cannot = |error: std::io::Error| format!("the file cannot be read: {error}");
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() || is_device(&metadata) || metadata.len() > LARGEST {
        return Err("it is no file that holds a record".to_owned());
    }
    let mut text = String::new();
    let read = File::open(path).map_err(cannot)?.take(LARGEST).read_to_string(&mut text);
    read.map_err(|_| "the file holds no run record".to_owned())?;
    // Types refuse a field that stands twice, and maps take its last value.
    if let Err(error) = serde_json::from_str::<PlainJson>(&text)
        && error.classify() == Category::Data
    {
        return Err(format!("it is damaged: {error}"));
    }
    let record = decode_record(&text)
        .map_err(|error| format!("the file holds no run record that can be read: {}", chain(&error)))?;
    if record.load.as_ref().is_some_and(|load| !load.scenario.is_judged()) {
        return Err(
            "its requests had one fixed body, so no answer was judged and there is nothing to compare"
                .to_owned(),
        );
    }
    let said = record.metrics.phrases;
    let there = match &record.load {
        None => record.results.len() as u64,
        Some(load) => load.phrases.iter().flat_map(|phrase| phrase.answers).fold(0, u64::saturating_add),
    };
    if there != said {
        return Err(format!("it is damaged: it speaks of {said} phrases and holds {there}"));
    }
    let single = record.load.as_ref().filter(|load| load.search.is_none() && load.scenario.batch == 1);
    if let Some(load) = single {
        let (ended, unanswered) = (load.counts.ended(), load.counts.unanswered());
        let silent = load.phrases.iter().fold(0, |sum: u64, phrase| sum.saturating_add(phrase.answers[5]));
        if ended != said {
            return Err(format!(
                "it is damaged: it speaks of {said} answers and counts {ended} requests that ended"
            ));
        }
        if unanswered != silent {
            return Err(format!(
                "it is damaged: {unanswered} of its requests have no answer, and {silent} of its phrases' answers are none"
            ));
        }
    }
    let mut ids = HashSet::with_capacity(record.results.len());
    if let Some(twice) = record.results.iter().find(|result| !ids.insert(result.id.as_str())) {
        return Err(format!("it is damaged: it holds phrase `{}` twice", twice.id));
    }
    if let Some(result) = record.results.iter().find(|result| !result.observations.iter().all(is_possible)) {
        return Err(format!("it is damaged: a time of phrase `{}` is none that a clock measures", result.id));
    }
    Ok(record)
}

/// No phrase is waited for as long as this: a week, in milliseconds.
const LONGEST_MS: f64 = 7.0 * 24.0 * 3600.0 * 1000.0;

/// Whether its times can have been measured; those of a record made by hand would be compared with real ones. What the
/// target says of itself may be anything from zero on.
fn is_possible(seen: &Observation) -> bool {
    let measured = |ms: f64| (0.0..=LONGEST_MS).contains(&ms);
    let from_zero = |ms: f64| ms.is_finite() && ms >= 0.0;
    let of_service = seen.answer.prediction().and_then(|prediction| prediction.service_latency_ms);
    measured(seen.latency_ms)
        && from_zero(seen.started_ms)
        && of_service.is_none_or(from_zero)
        && seen.attempts.iter().all(|attempt| {
            measured(attempt.latency_ms)
                && from_zero(attempt.started_ms)
                && attempt.accepted_ms.is_none_or(measured)
        })
}

/// Whether it would never end.
#[cfg(unix)]
fn is_device(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_char_device(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_device(_: &std::fs::Metadata) -> bool {
    false
}
