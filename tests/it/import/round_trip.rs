//! What is exported comes back as it was.

use std::fs;

use proptest::prelude::*;
use thrash::domain::{Level, LevelSet, Phrase, PhraseSource, Selection, Split, SuiteRecord, Tolerance};
use thrash::suite::export::{ExportFormat, export};
use thrash::suite::import::{ImportOptions, import};
use thrash::suite::{Catalog, Category, Suite};

use super::{Bench, load};

const FORMATS: [ExportFormat; 2] = [ExportFormat::Jsonl, ExportFormat::Csv { spreadsheet_safe: false }];

/// The suite after it was exported and imported.
fn there_and_back(suite: &Suite, format: ExportFormat) -> Suite {
    let bench = Bench::new();
    let table = bench.file("exported", export(suite, format).unwrap());
    let report =
        import(&ImportOptions { inputs: vec![table], out: bench.out(), ..ImportOptions::default() }).unwrap();
    assert!(report.dropped.is_empty(), "{:?}", report.dropped);
    bench.load()
}

/// Everything but the place in a file, in an order that does not depend on files.
fn plain(suite: &Suite) -> (Vec<Phrase>, Vec<Category>) {
    let mut phrases = suite.phrases.clone();
    for phrase in &mut phrases {
        phrase.source = PhraseSource::default();
    }
    phrases.sort_by(|a, b| a.id.cmp(&b.id));
    let mut categories = suite.categories.clone();
    categories.sort_by(|a, b| a.name.cmp(&b.name));
    (phrases, categories)
}

#[test]
fn the_shipped_suite_comes_back_as_it_was() {
    let suite = Catalog::shipped().load(&["comprehensive".to_owned()], None).unwrap();
    for format in FORMATS {
        let back = there_and_back(&suite, format);
        assert_eq!(plain(&back), plain(&suite));
        assert_eq!(back.record.hash, suite.record.hash);
    }
}

#[test]
fn a_spreadsheet_finds_no_formula_where_it_was_asked_to_be_safe() {
    let bench = Bench::new();
    bench
        .import("t.csv", "text,level\n=1+1,low\n-okapi,low\n\" +1\",low\n＝2,low\nbell \u{7}=,low\n")
        .unwrap();
    let suite = bench.load();
    let cells = |spreadsheet_safe| {
        let table = export(&suite, ExportFormat::Csv { spreadsheet_safe }).unwrap();
        let mut reader = csv::Reader::from_reader(table.as_slice());
        reader.records().map(|row| row.unwrap()[1].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(cells(false), ["=1+1", "-okapi", " +1", "＝2", "bell \u{7}="]);
    assert_eq!(cells(true), ["'=1+1", "'-okapi", "' +1", "'＝2", "bell \u{fffd}="]);
}

#[test]
fn json_lines_hold_lists_as_lists() {
    let suite = Catalog::shipped().load(&["quick".to_owned()], None).unwrap();
    let lines = String::from_utf8(export(&suite, ExportFormat::Jsonl).unwrap()).unwrap();
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["expected"], serde_json::json!(["high", "critical"]));
    assert!(first["history"].is_array());
    assert_eq!(lines.lines().count(), 25);
}

fn text() -> impl Strategy<Value = String> {
    // Words that formats trip over, beside everything that a character can be.
    prop_oneof![
        "[ -~\\n\\r\\t]{1,30}",
        any::<String>(),
        Just("a|b\\|c\\".to_owned()),
        Just("[\"x\"]".to_owned()),
        Just("\u{85}\u{2028}\u{feff}\u{7f}\u{0}#: - \"'".to_owned()),
        Just("null".to_owned()),
    ]
}

fn words() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text().prop_filter("nothing is no word", |text| !text.is_empty()))
}

prop_compose! {
    fn phrase()(
        text in text().prop_filter("a phrase has a text", |text| !text.trim().is_empty()),
        category in 0..3_usize,
        low in 1..5_usize,
        steps in 0..=4_u8,
        must_pass: bool,
        split in proptest::sample::select(vec![None, Some(Split::Dev), Some(Split::Held)]),
        capability in words(),
        language in words(),
        note in words(),
        tags in proptest::collection::vec(text(), 0..3),
        history in proptest::collection::vec(text(), 0..3),
        annotations in proptest::collection::btree_map(text(), 0..5_usize, 0..3),
    ) -> (usize, Phrase) {
        let phrase = Phrase {
            id: String::new(),
            text,
            category: ["a.b:c", "Yes", "two-2"][category].to_owned(),
            capability,
            tags,
            expected: LevelSet::only(Level::ALL[low]),
            escalation: Tolerance::levels(steps).unwrap(),
            de_escalation: Tolerance::NONE,
            critical: category == 1,
            must_pass,
            pair: None,
            seed_of: None,
            history,
            language,
            split,
            annotations: annotations.into_iter().map(|(by, level)| (by, Level::ALL[level])).collect(),
            note,
            source: PhraseSource::default(),
        };
        (category, phrase)
    }
}

fn suite(phrases: Vec<(usize, Phrase)>, title: &str) -> Suite {
    let mut known = std::collections::HashSet::new();
    let mut phrases: Vec<Phrase> = phrases
        .into_iter()
        .map(|(_, phrase)| phrase)
        .filter(|phrase| known.insert((phrase.text.trim().to_owned(), phrase.history.clone())))
        .collect();
    for (i, phrase) in phrases.iter_mut().enumerate() {
        phrase.id = format!("{i}:x");
        phrase.pair = (i > 0).then(|| "0:x".to_owned());
    }
    let about = |(name, critical): (&str, bool)| Category {
        name: name.to_owned(),
        title: title.to_owned(),
        target_accuracy: critical.then_some(0.1 + 0.2),
        critical,
    };
    let mut categories: Vec<Category> = [("a.b:c", false), ("Yes", true), ("two-2", false)].map(about).into();
    categories.retain(|category| phrases.iter().any(|phrase| phrase.category == category.name));
    let record = SuiteRecord {
        name: String::new(),
        hash: String::new(),
        selection_hash: String::new(),
        available: 0,
        selected: 0,
        left_out: 0,
        left_out_must_pass: 0,
        selection: Selection::default(),
    };
    Suite { name: String::new(), title: String::new(), categories, phrases, record }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_suite_comes_back_as_it_was(phrases in proptest::collection::vec(phrase(), 1..12), title in text()) {
        let suite = suite(phrases, &title);
        for format in FORMATS {
            let back = there_and_back(&suite, format);
            prop_assert_eq!(plain(&back), plain(&suite));
        }
    }
}

#[test]
fn an_import_of_an_import_is_the_same_suite() {
    let bench = Bench::new();
    bench.import("t.csv", "text,level,tags\nokapi a,low,x|y\n\"okapi, b\",\"high|critical\",\n").unwrap();
    let first = bench.load();
    let table = bench.file("again.jsonl", export(&first, ExportFormat::Jsonl).unwrap());
    let out = bench.folder.path().join("again");
    import(&ImportOptions { inputs: vec![table], out: out.clone(), ..ImportOptions::default() }).unwrap();
    assert_eq!(plain(&load(&out)), plain(&first));
    assert!(fs::read_to_string(out.join("low.yaml")).unwrap().contains("again.jsonl"));
}
