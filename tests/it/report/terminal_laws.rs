//! Laws of what a person sees: lines fit, and nothing panics.

use std::path::PathBuf;

use console::measure_text_width;
use proptest::prelude::*;
use thrash::domain::{Estimate, LatencyReport, RunRecord};
use thrash::report::{TerminalOptions, render_terminal};

use super::terminal::without_colors;
use crate::support::sample::Sample;

/// A record whose words come from outside.
fn with_words(sample: &Sample, words: &[String]) -> RunRecord {
    let mut record = sample.record();
    let mut words = words.iter().cycle().cloned();
    let mut next = || words.next().unwrap_or_default();
    record.suite.name = next();
    record.target.name = next();
    record.target.url = next();
    record.target.version = Some(next());
    record.verdict.sentence = next();
    record.integrity.fail_open = vec![next(), next()];
    for result in &mut record.results {
        (result.id, result.text) = (next(), Some(next()));
    }
    for slice in &mut record.slices {
        slice.name = next();
    }
    for check in &mut record.verdict.checks {
        (check.name, check.reason) = (next(), next());
    }
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_wider_than_the_terminal(
        width in 60usize..=200,
        which in 0usize..6,
        text: bool,
        words in prop::collection::vec(prop_oneof![any::<String>(), "[a-z_ \u{1f600}\u{fe0f}\u{200d}漢é\u{300}☺]{0,120}"], 1..8),
    ) {
        let mut demo = Sample { demo: true, retries: 2, ..Sample::quick() };
        demo.bound = true;
        let samples = [
            Sample::quick(), Sample::comprehensive(), Sample::target_down(), Sample::interrupted(), Sample::empty(), demo,
        ];
        let record = with_words(&samples[which], &words);
        let files = vec![(words[0].clone(), PathBuf::from(words.concat()))];
        let options = TerminalOptions { width, text, files, notes: words, color: false, kept: true };
        for line in render_terminal(&record, &options).lines() {
            prop_assert!(measure_text_width(line) <= width, "{} columns: {line:?}", measure_text_width(line));
        }
    }

    #[test]
    fn nothing_panics_in_a_tiny_terminal_or_on_odd_numbers(width in 0usize..60, number: f64, color: bool) {
        let mut record = Sample::quick().record();
        let odd = Some(number);
        record.metrics.accuracy.value = odd;
        record.metrics.lift = odd;
        record.metrics.scores.kappa_quadratic = Some(Estimate { value: number, lower: odd, upper: odd });
        record.metrics.confusion.truncate(3);
        record.metrics.confusion[0].truncate(2);
        record.metrics.accuracy.count = 0;
        record.latency = LatencyReport { count: 1, p50_ms: odd, max_ms: odd, ..LatencyReport::default() };
        record.duration_ms = number;
        for result in &mut record.results {
            result.observations.clear();
        }
        for check in &mut record.verdict.checks {
            (check.value, check.interval) = (odd, Some([number, number]));
        }
        let text = render_terminal(&record, &TerminalOptions { width, color, ..TerminalOptions::default() });
        prop_assert!(without_colors(&text).lines().all(|line| measure_text_width(line) <= width));
        prop_assert!(!text.contains("NaN") && !text.contains("inf"));
    }
}
