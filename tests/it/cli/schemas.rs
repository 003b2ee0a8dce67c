//! The JSON Schemas: printed, committed, and true.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::command::Place;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn schema(format: &str) -> Value {
    let printed = Place::new().thrash(["schema", format]).exits(0);
    assert_eq!(printed.stderr, "");
    serde_json::from_str(&printed.stdout).expect("a schema is JSON")
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut value: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
    value.apply_merge().expect("merge keys");
    serde_json::to_value(value).expect("JSON")
}

#[track_caller]
pub(crate) fn accepts(schema: &Value, document: &Value, what: &str) {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let problems: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{what}: {}", problems.join("\n"));
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn every_shipped_phrase_file_fits_its_schema() {
    let schema = schema("phrases");
    for file in files("phrases/comprehensive") {
        accepts(&schema, &yaml(&file), &file.display().to_string());
    }
}

#[test]
fn every_preset_fits_its_schema_once_it_is_laid_over_what_it_extends() {
    let schema = schema("target");
    for file in files("src/target/presets") {
        let mut preset = yaml(&file);
        if let Some(base) = preset.get("extends").and_then(Value::as_str) {
            let mut whole = yaml(&root().join(format!("src/target/presets/{base}.yaml")));
            for (key, value) in preset.as_object().unwrap() {
                whole[key] = value.clone();
            }
            preset = whole;
        }
        accepts(&schema, &preset, &file.display().to_string());
    }
}

#[test]
fn the_default_configuration_and_the_examples_fit_the_schema() {
    let schema = schema("config");
    accepts(&schema, &yaml(&root().join("src/config/default.yaml")), "default.yaml");
    let own: serde_yaml::Value = serde_yaml::from_str(
        "gates: ['accuracy >= 92%', {metric: accuracy, category: definite_high, at_least: 95%, mode: bound, confidence: 95%, min_n: 50}]\n\
         targets: {staging: {extends: ash-v5, base_url: 'https://nlp.staging.example'}}\nrun: {timeout: 10s}\n",
    )
    .unwrap();
    accepts(&schema, &serde_json::to_value(own).unwrap(), "a file of one's own");
    let validator = jsonschema::validator_for(&schema).unwrap();
    for bad in ["{run: {concurency: 3}}", "{thresholds: {accuracy: 92}}", "{gates: [{at_least: 92%}]}"] {
        let value: serde_yaml::Value = serde_yaml::from_str(bad).unwrap();
        assert!(!validator.is_valid(&serde_json::to_value(value).unwrap()), "{bad} is accepted");
    }
}

#[test]
fn a_record_fits_its_schema() {
    let schema = schema("record");
    let place = Place::new();
    place.thrash(["quick", "--repeat", "2"]);
    accepts(&schema, &place.latest(), "a record");
}

/// `THRASH_BLESS=1` writes them again.
#[test]
fn the_committed_schemas_are_the_current_ones() {
    let committed = [
        ("record", "reports/record.schema.json"),
        ("comparison", "reports/comparison.schema.json"),
        ("history", "reports/history.schema.json"),
        ("shadow", "reports/shadow.schema.json"),
        ("phrases", "phrases/phrases.schema.json"),
        ("target", "docs/schemas/target.schema.json"),
        ("config", "docs/schemas/config.schema.json"),
        ("waivers", "docs/schemas/waivers.schema.json"),
        ("scenario", "docs/schemas/scenario.schema.json"),
    ];
    for (format, path) in committed {
        let file = root().join(path);
        let current = Place::new().thrash(["schema", format]).exits(0).stdout;
        if std::env::var_os("THRASH_BLESS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &current).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(found == current, "{path} is out of date: run the tests with THRASH_BLESS=1");
    }
}
