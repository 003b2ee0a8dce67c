//! The stored form of a record.

use std::error::Error;
use std::path::Path;

use super::sample::{PRIVATE_TEXT, record_at};
use serde_json::Value;
use thrash::domain::{RunId, RunRecord};
use thrash::store::{RecordError, decode_record, encode_record};

#[test]
fn a_record_survives_its_json() {
    let record = record_at(0);
    assert_eq!(decode_record(&encode_record(&record).unwrap()).unwrap(), record);
}

/// `THRASH_WRITE_FIXTURES=1` writes the fixture anew: only while no released program has written version 1.
#[test]
fn a_record_of_version_1_is_still_read_and_loses_nothing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/record-v1.json");
    if std::env::var_os("THRASH_WRITE_FIXTURES").is_some() {
        let record = RunRecord { id: RunId::from_stored("20260101-000000-fixt01"), ..record_at(0) };
        let json = serde_json::to_string_pretty(&record).unwrap();
        std::fs::write(&path, json + "\n").unwrap();
    }
    let json = std::fs::read_to_string(path).unwrap();
    let record = decode_record(&json).unwrap();
    assert_eq!((record.id.as_str(), record.results.len()), ("20260101-000000-fixt01", 3));
    let then: Value = serde_json::from_str(&json).unwrap();
    assert_holds(&serde_json::to_value(&record).unwrap(), &then, "$");
}

/// Whether a document says all that an older one says; it may say more.
fn assert_holds(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (key, value) in then {
                assert_holds(now.get(key).unwrap_or(&Value::Null), value, &format!("{place}.{key}"));
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{place}");
            for (index, (now, then)) in now.iter().zip(then).enumerate() {
                assert_holds(now, then, &format!("{place}[{index}]"));
            }
        }
        (now, then) => assert_eq!(now, then, "{place}"),
    }
}

#[test]
fn a_record_of_a_newer_program_says_so() {
    let error = decode_record(r#"{"schema_version": 2, "unheard_of": true}"#).unwrap_err();
    assert_eq!(error, RecordError::Newer { found: 2, known: 1 });
    assert_eq!(error.to_string(), "it has format version 2, this program reads versions up to 1");
}

#[test]
fn what_is_no_record_is_unreadable() {
    for json in ["", "{", "[]", "{}", "null", r#"{"schema_version": 0}"#, r#"{"schema_version": -1}"#] {
        assert!(matches!(decode_record(json), Err(RecordError::Unreadable { .. })), "{json}");
    }
}

#[test]
fn a_key_that_is_missing_is_named() {
    for (place, key) in [("", "target"), ("suite", "hash")] {
        let mut json = serde_json::to_value(record_at(0)).unwrap();
        let holder = if place.is_empty() { &mut json } else { &mut json[place] };
        holder.as_object_mut().unwrap().remove(key).expect("a record has it");
        let error = decode_record(&json.to_string()).unwrap_err().to_string();
        let path = format!("`{place}.{key}` is not as").replace("`.", "`");
        assert!(error.starts_with(&path), "{error}");
    }
}

#[test]
fn an_unreadable_record_names_the_place_and_not_the_text() {
    let mut json = serde_json::to_value(record_at(0)).unwrap();
    json["results"][1]["critical"] = PRIVATE_TEXT.into();
    let error = decode_record(&json.to_string()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`results[1].critical` is not as format version 1 has it (line 1, column ")
    );
    assert!(!format!("{error:?}").contains(PRIVATE_TEXT));
    assert!(error.source().is_none());
}
