//! Records whose numbers the program itself counted.

use std::collections::BTreeMap;

use thrash::domain::{Level, PhraseResult, RunRecord};
use thrash::judge::{measure, pair_accuracy, slices};

use super::sample::Sample;

/// The record of a run with these results, judged by an alert level of `low`.
pub(crate) fn record(results: Vec<PhraseResult>) -> RunRecord {
    let mut record = Sample::all_right().record();
    record.metrics = measure(&results, Level::Low);
    record.slices = slices(&results, Level::Low, &BTreeMap::new());
    record.pair_accuracy = pair_accuracy(&results);
    record.results = results;
    record
}
