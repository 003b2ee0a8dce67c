//! The record as JSON, and its schema.

use serde_json::Value;
use thrash::domain::{RunRecord, TextPolicy};
use thrash::report::{Format, RenderOptions, record_schema, render};

use crate::support::sample::{self, Sample};

fn json(record: &RunRecord, options: &RenderOptions) -> String {
    String::from_utf8(render(Format::Json, record, options).expect("it renders")).expect("it is UTF-8")
}

#[test]
fn json_reads_back_as_the_same_record() {
    for sample in [Sample::quick(), Sample::comprehensive(), Sample::target_down(), Sample::empty()] {
        let record = sample.record();
        for compact in [false, true] {
            let json = json(&record, &RenderOptions { compact, ..RenderOptions::default() });
            let read: RunRecord = serde_json::from_str(&json).expect("it parses");
            // Whole records as a message would hide the rest of the output.
            assert!(
                read == record,
                "it reads back otherwise: {} phrases, compact: {compact}",
                record.results.len()
            );
        }
    }
}

#[test]
fn json_ends_in_one_newline_and_compact_json_is_one_line() {
    let record = sample::record();
    let pretty = json(&record, &RenderOptions::default());
    assert!(pretty.ends_with("\n}\n"));
    let compact = json(&record, &RenderOptions { compact: true, ..RenderOptions::default() });
    assert_eq!(compact.lines().count(), 1);
    assert!(compact.ends_with("}\n"));
}

#[test]
fn every_record_fits_the_schema() {
    let schema = record_schema();
    assert!(jsonschema::meta::is_valid(&schema), "the schema is one");
    let validator = jsonschema::validator_for(&schema).expect("the schema compiles");
    for sample in [Sample::quick(), Sample::comprehensive(), Sample::target_down(), Sample::empty()] {
        let json = json(&sample.record(), &RenderOptions::default());
        let value: Value = serde_json::from_str(&json).expect("it parses");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
}

#[test]
fn a_record_without_a_verdict_does_not_fit_the_schema() {
    let mut value: Value =
        serde_json::from_str(&json(&sample::record(), &RenderOptions::default())).expect("it parses");
    value.as_object_mut().expect("an object").remove("verdict");
    assert!(!jsonschema::is_valid(&record_schema(), &value));
}

#[test]
fn json_holds_no_more_of_the_text_than_was_asked_for() {
    let record = sample::record();
    let with = |text| json(&record, &RenderOptions { text, ..RenderOptions::default() });
    assert!(with(None).contains("The text of self_harm-002."));
    assert!(with(Some(TextPolicy::Redacted)).contains("••• •••• •• ••••_••••-•••."));
    let without = with(Some(TextPolicy::None));
    assert!(!without.contains("The text") && !without.contains("•••"));
}
