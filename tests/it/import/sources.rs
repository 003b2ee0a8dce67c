//! What can be imported, and what each becomes.

use thrash::domain::{Level, LevelSet, Tolerance};
use thrash::suite::Catalog;
use thrash::suite::import::{ColumnNames, ImportFormat, ImportOptions, LabelMap, Reason, import};

use super::{Bench, fixture, said};

fn levels(levels: &[Level]) -> LevelSet {
    LevelSet::new(levels.iter().copied()).unwrap()
}

fn labels(map: &str) -> LabelMap {
    map.parse().unwrap()
}

#[test]
fn a_folder_of_the_existing_suite_becomes_a_suite_that_loads() {
    let bench = Bench::new();
    let report = import(&bench.options(fixture("ash"))).unwrap();
    assert_eq!(report.imported, 6);
    let suite = Catalog::in_folder(bench.out()).load(&["suite".to_owned()], None).unwrap();
    assert_eq!(suite.phrases.len(), 6);
    let about: Vec<(&str, Option<f64>, bool, &str)> = suite
        .categories
        .iter()
        .map(|category| {
            (category.name.as_str(), category.target_accuracy, category.critical, category.title.as_str())
        })
        .collect();
    assert_eq!(
        about,
        [
            ("definite_medium", Some(0.85), false, "Serious distress"),
            ("definite_none", Some(0.95), false, ""),
            ("maybe_high_medium", Some(0.9), true, "Unclear and serious"),
        ]
    );
}

#[test]
fn defaults_of_the_existing_suite_hold_where_its_rules_come_from_the_environment() {
    let bench = Bench::new();
    let report = import(&bench.options(fixture("ash"))).unwrap();
    assert!(
        report.notes.iter().any(|note| note.contains("medium_priority.json") && note.contains("defaults"))
    );
    let phrase = bench.phrase("okapi i cry at my desk most days now");
    assert_eq!(phrase.expected, LevelSet::only(Level::Medium));
    assert_eq!(phrase.capability.as_deref(), Some("overwhelm"));
    assert_eq!(phrase.note.as_deref(), Some("Crying often"));
}

#[test]
fn phrases_that_could_never_fail_tolerate_one_level_up_and_none_down() {
    let bench = Bench::new();
    let report = import(&bench.options(fixture("ash"))).unwrap();
    assert_eq!(report.tightened.get("definite_medium"), Some(&3));
    assert_eq!(report.tightened.len(), 1);
    let phrase = bench.phrase("okapi i cry at my desk most days now");
    assert_eq!((phrase.escalation.steps(), phrase.de_escalation.steps()), (1, 0));
}

#[test]
fn tolerance_that_can_fail_is_kept() {
    let bench = Bench::new();
    import(&bench.options(fixture("ash"))).unwrap();
    assert_eq!(bench.phrase("okapi this curry is to die for").de_escalation, Tolerance::ANY);
    assert_eq!(bench.phrase("okapi they'd manage better without me around").escalation, Tolerance::ANY);
}

#[test]
fn keeping_tolerance_refuses_phrases_that_could_never_fail_and_writes_nothing() {
    let bench = Bench::new();
    let options = ImportOptions { keep_tolerance: true, ..bench.options(fixture("ash")) };
    let refused = said(&import(&options).unwrap_err());
    assert!(refused.contains("definite_medium: 3 phrases"), "{refused}");
    assert!(refused.contains("rows 1, 2, 3"), "{refused}");
    assert!(!bench.out().exists());
}

#[test]
fn a_phrase_of_the_existing_suite_may_have_rules_of_its_own() {
    let bench = Bench::new();
    import(&bench.options(fixture("ash"))).unwrap();
    let phrase = bench.phrase("okapi don't wait up for me");
    assert_eq!(phrase.expected, levels(&[Level::Low, Level::Medium]));
    assert_eq!(phrase.escalation, Tolerance::NONE);
}

#[test]
fn a_file_of_the_existing_suite_without_phrases_is_named() {
    let bench = Bench::new();
    let report = import(&bench.options(fixture("ash"))).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("gaming.json") && note.contains("no phrases")));
    assert_eq!(report.dropped.rows(Reason::EmptyText).len(), 1);
}

#[test]
fn hatecheck_is_known_by_its_columns() {
    let bench = Bench::new();
    let options = ImportOptions {
        labels: labels("hateful=high,non-hateful=none"),
        ..bench.options(fixture("hatecheck.csv"))
    };
    let report = import(&options).unwrap();
    assert!(report.sources[0].read_as.contains("HateCheck"), "{}", report.sources[0].read_as);
    assert_eq!(bench.load().phrases.len(), 7);
    let phrase = bench.phrase("okapi i adore sailors. ");
    assert_eq!(phrase.id, "hatecheck-22");
    assert_eq!(phrase.capability.as_deref(), Some("ident_pos_nh"));
    assert_eq!(phrase.tags, ["trans_people"]);
    assert_eq!(phrase.category, "hatecheck_non-hateful");
}

#[test]
fn a_hatecheck_case_that_contrasts_is_a_pair_and_one_that_was_perturbed_is_a_variant() {
    let bench = Bench::new();
    let options = ImportOptions {
        labels: labels("hateful=high,non-hateful=none"),
        format: Some(ImportFormat::HateCheck),
        ..bench.options(fixture("hatecheck.csv"))
    };
    let report = import(&options).unwrap();
    let contrast = bench.phrase("okapi i adore sailors. ");
    assert_eq!(contrast.pair.as_deref(), Some("hatecheck-2"));
    let back = bench.load().phrases.into_iter().find(|phrase| phrase.id == "hatecheck-2");
    assert_eq!(back.and_then(|phrase| phrase.pair).as_deref(), Some("hatecheck-22"), "both name each other");
    assert_eq!(contrast.seed_of.as_deref(), Some("hatecheck-21"));
    let perturbed = bench.phrase("okapi i cannto stand sailors. ");
    assert_eq!(perturbed.pair, None);
    assert_eq!(perturbed.seed_of.as_deref(), Some("hatecheck-1"));
    assert_eq!(bench.phrase("okapi i cannot stand painters. ").seed_of, None);
    assert_eq!(report.links_dropped, 1, "case 99 is not in the file");
}

#[test]
fn multilingual_hatecheck_tells_the_language_by_its_ids() {
    let bench = Bench::new();
    let table = "mhc_case_id,functionality,test_case,label_gold,target_ident,ref_case_id,ref_templ_id,templ_id\n\
        german-1,derog_h,okapi eins,hateful,,,,1\ngerman-2,ident_pos_nh,okapi zwei,non-hateful,,1,1,2\n";
    let options = ImportOptions {
        labels: labels("hateful=high,non-hateful=none"),
        ..bench.options(bench.file("m.csv", table))
    };
    import(&options).unwrap();
    let phrase = bench.phrase("okapi zwei");
    assert_eq!((phrase.id.as_str(), phrase.language.as_deref()), ("hatecheck-german-2", Some("de")));
    assert_eq!(phrase.pair.as_deref(), Some("hatecheck-german-1"));
}

#[test]
fn hatecheck_without_a_meaning_for_its_labels_is_asked_for_one() {
    let bench = Bench::new();
    let refused = said(&import(&bench.options(fixture("hatecheck.csv"))).unwrap_err());
    assert!(refused.contains("--map"), "{refused}");
}

#[test]
fn a_table_with_semicolons_quotes_and_line_breaks_is_read_as_it_was_meant() {
    let bench = Bench::new();
    let report = import(&bench.options(fixture("quotes.csv"))).unwrap();
    assert_eq!(report.imported, 3);
    assert!(report.sources[0].read_as.contains("`;`"));
    assert_eq!(report.sources[0].columns["text"], "Message");
    assert_eq!(bench.phrase("okapi says \"hm\"\r\nand goes").expected, LevelSet::only(Level::None));
    let phrase = bench.phrase("okapi one; two");
    assert_eq!(phrase.tags, ["a", "b"]);
    assert_eq!((phrase.category.as_str(), phrase.capability.as_deref()), ("low", Some("venting")));
    assert_eq!(phrase.note.as_deref(), Some("quotes.csv row 2"));
}

#[test]
fn json_lines_tabs_and_lists_say_the_same() {
    let sources = [
        (
            "a.jsonl",
            "{\"text\":\"okapi a\",\"level\":\"low\"}\n\n{\"text\":\"okapi b\",\"level\":[\"low\",\"medium\"]}\n",
        ),
        ("b.tsv", "text\tlevel\nokapi a\tlow\nokapi b\tlow|medium\n"),
        (
            "c.json",
            "[{\"text\":\"okapi a\",\"level\":\"low\"},\n{\"text\":\"okapi b\",\"level\":\"low, medium\"}]",
        ),
    ];
    for (name, content) in sources {
        let bench = Bench::new();
        let report = bench.import(name, content).unwrap();
        assert_eq!(report.imported, 2, "{name}");
        assert_eq!(bench.phrase("okapi b").expected, levels(&[Level::Low, Level::Medium]), "{name}");
        assert_eq!(bench.phrase("okapi b").category, "low_or_medium", "{name}");
    }
}

#[test]
fn columns_can_be_named() {
    let bench = Bench::new();
    let table = "text,body,level,grade,who,sort,lang\nwrong,okapi right,high,2,x1,quiet,de\n";
    let columns = ColumnNames {
        text: Some("body".to_owned()),
        label: Some("grade".to_owned()),
        id: Some("who".to_owned()),
        category: Some("sort".to_owned()),
        ..ColumnNames::default()
    };
    let options =
        ImportOptions { columns, labels: labels("2=medium"), ..bench.options(bench.file("t.csv", table)) };
    let report = import(&options).unwrap();
    assert_eq!(report.sources[0].columns_not_read, ["text", "level"]);
    let phrase = bench.phrase("okapi right");
    assert_eq!((phrase.id.as_str(), phrase.category.as_str()), ("x1", "quiet"));
    assert_eq!((phrase.expected, phrase.language.as_deref()), (LevelSet::only(Level::Medium), Some("de")));
}

#[test]
fn utf_16_with_a_mark_is_read_as_a_spreadsheet_saved_it() {
    let table = "text\tlevel\r\nokapi müde 🦒\tlow\r\n";
    let little: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(table.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> =
        [0xfe, 0xff].into_iter().chain(table.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let marked: Vec<u8> = [0xef, 0xbb, 0xbf].into_iter().chain(table.bytes()).collect();
    for bytes in [little, big, marked] {
        let bench = Bench::new();
        bench.import("t.txt", bytes).unwrap();
        assert_eq!(bench.load().phrases[0].text, "okapi müde 🦒");
    }
}
